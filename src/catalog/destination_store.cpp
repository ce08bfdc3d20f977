#include "catalog/destination_store.h"

#include "catalog/sql_row.h"

namespace tidemark::catalog {
namespace {

constexpr std::int64_t kFirstDestinationId = 1001;  // as in OceanBase's examples

std::int64_t destinationId(mysql::SqlClient& client, TenantId tenant, DestinationUse kind, const std::string& path) {
    // The tenant's row is the lock: two calls must not give one place two ids.
    client.query("SELECT tenant_id FROM tidemark.tenant WHERE tenant_id = ? FOR UPDATE", {tenant});
    // BINARY: paths differ by case.
    const auto found =
        client.scalar("SELECT dest_id FROM tidemark.destination WHERE tenant_id = ? AND kind = ? AND path = BINARY ?",
                      {tenant, text(kind), path});
    if (found) return std::stoll(*found);
    const std::int64_t id = nextId(client, "destination", 0, kFirstDestinationId);
    insertRow(client, "destination", {{"dest_id", id}, {"tenant_id", tenant}, {"kind", text(kind)}, {"path", path}});
    return id;
}

ArchiveDestination archiveFrom(const mysql::Row& row) {
    return {.tenant = row.integer("tenant_id"),
            .dest_id = row.integer("dest_id"),
            .path = row.text("path"),
            .binding = parseText<Binding>(row.text("binding")),
            .piece_switch_days = row.integer("piece_switch_days"),
            .state = parseText<DestinationState>(row.text("state"))};
}

BackupDestination backupFrom(const mysql::Row& row) {
    return {.tenant = row.integer("tenant_id"), .dest_id = row.integer("dest_id"), .path = row.text("path")};
}

constexpr const char* kSelectArchive = "SELECT * FROM tidemark.archive_destination WHERE tenant_id = ?";

}  // namespace

std::int64_t DestinationStore::idOf(TenantId tenant, DestinationUse kind, const std::string& path) {
    return catalog_.write({}, [&](mysql::SqlClient& client) { return destinationId(client, tenant, kind, path); });
}

bool DestinationStore::known(TenantId tenant, const std::string& path) {
    return catalog_.read([&](mysql::SqlClient& client) {
        return client
            .scalar("SELECT 1 FROM tidemark.destination WHERE tenant_id = ? AND path = BINARY ? LIMIT 1",
                    {tenant, path})
            .has_value();
    });
}

ArchiveDestination DestinationStore::setArchive(TenantId tenant, const std::string& path, Binding binding,
                                                std::int64_t piece_switch_days) {
    return catalog_.write({{tenant, Topic::Parameter}}, [&](mysql::SqlClient& client) {
        const std::int64_t id = destinationId(client, tenant, DestinationUse::ArchiveLog, path);
        client.query(
            "INSERT INTO tidemark.archive_destination (tenant_id, dest_id, path, binding, piece_switch_days, state) "
            "VALUES (?, ?, ?, ?, ?, ?) ON DUPLICATE KEY UPDATE dest_id = VALUES(dest_id), path = VALUES(path), "
            "binding = VALUES(binding), piece_switch_days = VALUES(piece_switch_days)",
            {tenant, id, path, text(binding), piece_switch_days, text(DestinationState::Enable)});
        return archiveFrom(client.query(kSelectArchive, {tenant}).rows.at(0));
    });
}

void DestinationStore::clearArchive(TenantId tenant) {
    catalog_.write({{tenant, Topic::Parameter}}, [&](mysql::SqlClient& client) {
        deleteRows(client, "archive_destination", {{"tenant_id", tenant}});
    });
}

std::optional<ArchiveDestination> DestinationStore::archive(TenantId tenant) {
    return catalog_.read([&](mysql::SqlClient& client) {
        return firstAs<ArchiveDestination>(client.query(kSelectArchive, {tenant}), archiveFrom);
    });
}

BackupDestination DestinationStore::setBackup(TenantId tenant, const std::string& path) {
    return catalog_.write({{tenant, Topic::Parameter}}, [&](mysql::SqlClient& client) {
        const std::int64_t id = destinationId(client, tenant, DestinationUse::BackupData, path);
        client.query("REPLACE INTO tidemark.backup_destination (tenant_id, dest_id, path) VALUES (?, ?, ?)",
                     {tenant, id, path});
        return BackupDestination{.tenant = tenant, .dest_id = id, .path = path};
    });
}

void DestinationStore::clearBackup(TenantId tenant) {
    catalog_.write({{tenant, Topic::Parameter}}, [&](mysql::SqlClient& client) {
        deleteRows(client, "backup_destination", {{"tenant_id", tenant}});
    });
}

std::optional<BackupDestination> DestinationStore::backup(TenantId tenant) {
    return catalog_.read([&](mysql::SqlClient& client) {
        return firstAs<BackupDestination>(
            client.query("SELECT * FROM tidemark.backup_destination WHERE tenant_id = ?", {tenant}), backupFrom);
    });
}

}  // namespace tidemark::catalog
