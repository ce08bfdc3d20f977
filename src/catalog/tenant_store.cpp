#include "catalog/tenant_store.h"

#include <set>

#include "base/random.h"
#include "catalog/backup_rows.h"
#include "catalog/replica_store.h"
#include "catalog/sql_row.h"
#include "oceanbase/ob_error.h"

namespace tidemark::catalog {
namespace {

constexpr const char* kSelect =
    "SELECT t.*, s.reference FROM tidemark.tenant t LEFT JOIN tidemark.tenant_secret s ON s.tenant_id = t.tenant_id ";

/// Tables whose rows go with their tenant.
constexpr const char* kTablesOfTenant[] = {"replica",
                                           "tenant_secret",
                                           "parameter_value",
                                           "destination",
                                           "archive_destination",
                                           "backup_destination",
                                           "archive_round",
                                           "archive_piece",
                                           "setting_change",
                                           "archive_covered",
                                           "backup_job",
                                           "backup_job_history",
                                           "backup_task",
                                           "backup_task_history",
                                           "backup_set",
                                           "delete_policy",
                                           "delete_job",
                                           "delete_job_history",
                                           "delete_task",
                                           "delete_task_history",
                                           "backup_keep",
                                           "backup_key",
                                           "backup_use",
                                           "validate_job",
                                           "validate_finding",
                                           "tenant"};

Tenant tenantFrom(const mysql::Row& row) {
    return {.id = row.integer("tenant_id"),
            .name = row.text("name"),
            .status = parseText<TenantStatus>(row.text("status")),
            .role = parseText<TenantRole>(row.text("role")),
            .mode = parseText<CompatibilityMode>(row.text("mode")),
            .switchover_status = parseText<SwitchoverStatus>(row.text("switchover_status")),
            .switchover_epoch = row.integer("switchover_epoch"),
            .primary_zone = row.text("primary_zone"),
            .locality = row.text("locality"),
            .comment = row.text("comment"),
            .log_mode = parseText<LogMode>(row.text("log_mode")),
            .locked = row.integer("locked") != 0,
            .server_id = static_cast<std::uint32_t>(row.unsignedInteger("server_id")),
            .admin_secret_ref = row.maybe("reference").value_or(""),
            .charset = row.text("charset"),
            .collation = row.text("collation"),
            .variables = variablesFrom(row.text("variables")),
            .data_mode = parseText<RestoreDataMode>(row.text("restore_data_mode")),
            .sync_scn = row.unsignedInteger("sync_scn"),
            .readable_scn = row.unsignedInteger("readable_scn"),
            .recovery_until_scn = row.unsignedInteger("recovery_until_scn"),
            .create_time = timeOf(row, "create_time"),
            .modify_time = timeOf(row, "modify_time")};
}

void insertTenant(mysql::SqlClient& client, const Tenant& tenant) {
    insertRow(client, "tenant",
              {{"tenant_id", tenant.id},
               {"name", tenant.name},
               {"status", text(tenant.status)},
               {"role", text(tenant.role)},
               {"mode", text(tenant.mode)},
               {"switchover_status", text(tenant.switchover_status)},
               {"switchover_epoch", tenant.switchover_epoch},
               {"primary_zone", tenant.primary_zone},
               {"locality", tenant.locality},
               {"comment", fitting(tenant.comment, 4096)},
               {"log_mode", text(tenant.log_mode)},
               {"server_id", std::uint64_t{tenant.server_id}},
               {"charset", tenant.charset},
               {"collation", tenant.collation},
               {"variables", variablesText(tenant.variables)},
               {"recovery_until_scn", tenant.recovery_until_scn},
               {"create_time", sqlTime(tenant.create_time)},
               {"modify_time", sqlTime(tenant.modify_time)}});
}

/// Grants the pools and returns their zones.
std::set<std::string> grantPools(mysql::SqlClient& client, const std::vector<std::string>& pools, TenantId tenant,
                                 const mysql::Value& now) {
    std::set<std::string> zones;
    if (pools.empty()) throw obError(Ob::EmptyPoolList);
    for (const std::string& name : pools) {
        const mysql::Result found = client.query(
            "SELECT id, tenant_id, zone_list FROM tidemark.resource_pool WHERE name = ? FOR UPDATE", {name});
        if (found.empty()) throw obError(Ob::PoolNotExist, name);
        const mysql::Row& pool = found.rows[0];
        if (pool.maybe("tenant_id")) throw obError(Ob::PoolAlreadyGranted, name);
        const std::int64_t id = pool.integer("id");
        updateRows(client, "resource_pool", {{"tenant_id", tenant}, {"modify_time", now}}, {{"id", id}});
        updateRows(client, "unit", {{"tenant_id", tenant}, {"modify_time", now}}, {{"pool_id", id}});
        for (std::string& zone : split(pool.text("zone_list"), ';'))
            zones.insert(std::move(zone));
    }
    return zones;
}

std::string localityOf(const std::set<std::string>& zones) {
    std::string locality;
    for (const std::string& zone : zones)
        locality += (locality.empty() ? "FULL{1}@" : ", FULL{1}@") + zone;
    return locality;
}

/// A replica drops events that carry its own server id without a word, and a tenant may be restored from any other
/// tenant's log: ids are random 32-bit numbers, distinct in this catalog.
std::uint32_t freshServerId(mysql::SqlClient& client) {
    for (;;) {
        const std::uint32_t id = randomU32();
        if (id != 0 && !client.scalar("SELECT 1 FROM tidemark.tenant WHERE server_id = ?", {std::uint64_t{id}}))
            return id;
    }
}

void requireFreeName(mysql::SqlClient& client, const std::string& name) {
    if (client.scalar("SELECT tenant_id FROM tidemark.tenant WHERE name = ? FOR UPDATE", {name})) {
        throw obError(Ob::TenantExist, name);
    }
}

std::vector<Change> tenantAndSys(TenantId tenant, Topic topic = Topic::Tenant) {
    return {{kSysTenantId, Topic::Tenant}, {tenant, topic}};
}

}  // namespace

Tenant createTenant(mysql::SqlClient& client, const NewTenant& wanted, Nanos now) {
    requireFreeName(client, wanted.name);
    Tenant tenant{.id = nextId(client, "tenant", 0, kFirstUserTenantId, 2),
                  .name = wanted.name,
                  .status = wanted.status,
                  .role = wanted.role,
                  .mode = wanted.mode,
                  .primary_zone = wanted.primary_zone,
                  .locality = wanted.locality,
                  .comment = wanted.comment,
                  .server_id = freshServerId(client),
                  .charset = wanted.charset,
                  .collation = wanted.collation,
                  .variables = wanted.variables};
    tenant.create_time = tenant.modify_time = now;
    const auto zones = grantPools(client, wanted.pools, tenant.id, sqlTime(tenant.create_time));
    if (tenant.locality.empty()) tenant.locality = localityOf(zones);
    insertTenant(client, tenant);
    insertReplicas(client, tenant.id, tenant.status, sqlTime(tenant.create_time));
    return tenant;
}

Tenant TenantStore::create(const NewTenant& wanted) {
    const auto work = [&](mysql::SqlClient& client) { return createTenant(client, wanted, catalog_.clock().now()); };
    return catalog_.writeThen(work, [](const Tenant& tenant) { return tenantAndSys(tenant.id, Topic::Everything); });
}

void TenantStore::remove(TenantId id) {
    catalog_.write(tenantAndSys(id, Topic::Everything), [&](mysql::SqlClient& client) {
        const mysql::Value now = sqlTime(catalog_.clock().now());
        for (const char* table : {"resource_pool", "unit"}) {
            updateRows(client, table, {{"tenant_id", nullptr}, {"modify_time", now}}, {{"tenant_id", id}});
        }
        for (const char* table : kTablesOfTenant)
            deleteRows(client, table, {{"tenant_id", id}});
        deleteRows(client, "sequence", {{"scope", id}});
        endParentJobs(client, catalog_.clock().now());
    });
}

std::optional<Tenant> TenantStore::find(TenantId id) {
    return catalog_.read([&](mysql::SqlClient& client) {
        return firstAs<Tenant>(client.query(std::string(kSelect) + "WHERE t.tenant_id = ?", {id}), tenantFrom);
    });
}

std::optional<Tenant> TenantStore::find(const std::string& name) {
    return catalog_.read([&](mysql::SqlClient& client) {
        return firstAs<Tenant>(client.query(std::string(kSelect) + "WHERE t.name = ?", {name}), tenantFrom);
    });
}

Tenant TenantStore::get(const std::string& name) {
    auto tenant = find(name);
    if (!tenant) throw obError(Ob::TenantNotExist, name);
    return *tenant;
}

Tenant TenantStore::get(TenantId id) {
    auto tenant = find(id);
    if (!tenant) throw obError(Ob::TenantNotExist, std::to_string(id));
    return *tenant;
}

std::vector<Tenant> TenantStore::all() {
    return catalog_.read([](mysql::SqlClient& client) {
        return rowsAs<Tenant>(client.query(std::string(kSelect) + "ORDER BY t.tenant_id"), tenantFrom);
    });
}

void TenantStore::set(TenantId id, const char* column, const mysql::Value& value) {
    catalog_.write(tenantAndSys(id), [&](mysql::SqlClient& client) {
        updateRows(client, "tenant", {{column, value}, {"modify_time", sqlTime(catalog_.clock().now())}},
                   {{"tenant_id", id}});
    });
}

void TenantStore::setStatus(TenantId id, TenantStatus status) {
    catalog_.write(tenantAndSys(id), [&](mysql::SqlClient& client) {
        const mysql::Value now = sqlTime(catalog_.clock().now());
        updateRows(client, "tenant", {{"status", text(status)}, {"modify_time", now}}, {{"tenant_id", id}});
        setStatusOfReplicas(client, id, status, now);
    });
}
void TenantStore::setDataMode(TenantId id, RestoreDataMode mode) {
    set(id, "restore_data_mode", text(mode));
}

void TenantStore::setLogMode(TenantId id, LogMode mode) {
    set(id, "log_mode", text(mode));
}
void TenantStore::setLocked(TenantId id, bool locked) {
    set(id, "locked", std::int64_t{locked});
}
void TenantStore::setComment(TenantId id, const std::string& comment) {
    set(id, "comment", fitting(comment, 4096));
}
void TenantStore::setPrimaryZone(TenantId id, const std::string& primary_zone) {
    set(id, "primary_zone", primary_zone);
}
void TenantStore::setServerId(TenantId id, std::uint32_t server_id) {
    set(id, "server_id", std::uint64_t{server_id});
}
void TenantStore::setVariables(TenantId id, const std::map<std::string, std::string>& variables) {
    set(id, "variables", variablesText(variables));
}

void TenantStore::setRole(TenantId id, TenantRole role) {
    catalog_.write(tenantAndSys(id), [&](mysql::SqlClient& client) {
        client.query(
            "UPDATE tidemark.tenant SET switchover_epoch = switchover_epoch + (role <> ?), role = ?, "
            "modify_time = ? WHERE tenant_id = ?",
            {text(role), text(role), sqlTime(catalog_.clock().now()), id});
    });
}

void TenantStore::setAdminSecretRef(TenantId id, const std::string& reference) {
    // No Change: nothing that any view or copy shows.
    catalog_.write({}, [&](mysql::SqlClient& client) {
        client.query("REPLACE INTO tidemark.tenant_secret (tenant_id, reference) VALUES (?, ?)", {id, reference});
    });
}

void TenantStore::rename(TenantId id, const std::string& name) {
    catalog_.write(tenantAndSys(id), [&](mysql::SqlClient& client) {
        requireFreeName(client, name);
        updateRows(client, "tenant", {{"name", name}, {"modify_time", sqlTime(catalog_.clock().now())}},
                   {{"tenant_id", id}});
    });
}

void TenantStore::advanceScn(TenantId id, Scn sync_scn, Scn readable_scn) {
    const auto work = [&](mysql::SqlClient& client) {
        return client
            .query(
                "UPDATE tidemark.tenant SET sync_scn = GREATEST(sync_scn, ?), "
                "readable_scn = GREATEST(readable_scn, ?) WHERE tenant_id = ?",
                {sync_scn, readable_scn, id})
            .affected_rows;
    };
    catalog_.writeThen(work, [&](std::uint64_t changed) {
        return changed == 0 ? std::vector<Change>{} : std::vector<Change>{{id, Topic::Tenant}};
    });
}

}  // namespace tidemark::catalog
