#include "catalog/replica_store.h"

#include "catalog/sql_row.h"

namespace tidemark::catalog {
namespace {

Replica replicaFrom(const mysql::Row& row) {
    return {.tenant = row.integer("tenant_id"),
            .server = row.integer("server_id"),
            .kind = parseText<ReplicaKind>(row.text("kind")),
            .role = parseText<ReplicaRole>(row.text("role")),
            .status = parseText<TenantStatus>(row.text("status")),
            .directory = row.text("directory"),
            .endpoint = row.text("endpoint"),
            .account = row.text("account"),
            .secret_ref = row.text("secret_ref"),
            .create_time = timeOf(row, "create_time"),
            .modify_time = timeOf(row, "modify_time")};
}

}  // namespace

std::vector<Replica> ReplicaStore::at(std::int64_t server) {
    return catalog_.read([&](mysql::SqlClient& client) {
        return rowsAs<Replica>(
            client.query("SELECT * FROM tidemark.replica WHERE server_id = ? ORDER BY tenant_id", {server}),
            replicaFrom);
    });
}

void insertReplicas(mysql::SqlClient& client, TenantId tenant, TenantStatus status, const mysql::Value& now) {
    client.query(
        "INSERT INTO tidemark.replica (tenant_id, server_id, kind, role, status, directory, create_time, modify_time) "
        "SELECT tenant_id, server_id, ?, IF(ROW_NUMBER() OVER (ORDER BY server_id) = 1, ?, ?), ?, tenant_id, ?, ? "
        "FROM (SELECT DISTINCT tenant_id, server_id FROM tidemark.unit WHERE tenant_id = ?) u",
        {text(ReplicaKind::Managed), text(ReplicaRole::Leader), text(ReplicaRole::Follower), text(status), now, now,
         tenant});
}

void setStatusOfReplicas(mysql::SqlClient& client, TenantId tenant, TenantStatus status, const mysql::Value& now) {
    updateRows(client, "replica", {{"status", text(status)}, {"modify_time", now}}, {{"tenant_id", tenant}});
}

}  // namespace tidemark::catalog
