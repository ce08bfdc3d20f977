#include "catalog/cluster_store.h"

#include "catalog/replica_store.h"
#include "catalog/sql_row.h"

namespace tidemark::catalog {
namespace {

mysql::Value bytesOrNull(const std::optional<std::uint64_t>& bytes) {
    return bytes ? mysql::Value(*bytes) : mysql::Value(nullptr);
}

void insertSysTenant(mysql::SqlClient& client, const ClusterSeed& seed, const mysql::Value& now) {
    const std::string zone = seed.zone.name;
    constexpr std::int64_t kId = 1;  // of the tenant, its unit, unit config and pool, as in OceanBase
    insertRow(client, "unit_config",
              {{"id", kId},
               {"name", std::string("sys_unit_config")},
               {"max_cpu", seed.sys_cpu},
               {"min_cpu", seed.sys_cpu},
               {"memory_size", seed.sys_memory},
               {"log_disk_size", seed.sys_log_disk},
               {"max_iops", std::int64_t{10000}},
               {"min_iops", std::int64_t{10000}},
               {"iops_weight", std::int64_t{1}},
               {"create_time", now},
               {"modify_time", now}});
    insertRow(client, "resource_pool",
              {{"id", kId},
               {"name", std::string("sys_pool")},
               {"tenant_id", kSysTenantId},
               {"unit_count", std::int64_t{1}},
               {"unit_config_id", kId},
               {"zone_list", zone},
               {"create_time", now},
               {"modify_time", now}});
    insertRow(client, "unit",
              {{"id", kId},
               {"tenant_id", kSysTenantId},
               {"pool_id", kId},
               {"group_id", std::int64_t{0}},
               {"zone", zone},
               {"server_id", seed.server.id},
               {"unit_config_id", kId},
               {"create_time", now},
               {"modify_time", now}});
    insertRow(client, "tenant",
              {{"tenant_id", kSysTenantId},
               {"name", std::string("sys")},
               {"status", text(TenantStatus::Normal)},
               {"role", text(TenantRole::Primary)},
               {"mode", text(CompatibilityMode::Mysql)},
               {"switchover_status", text(SwitchoverStatus::Normal)},
               {"switchover_epoch", std::int64_t{0}},
               {"primary_zone", zone},
               {"locality", "FULL{1}@" + zone},
               {"comment", std::string("system tenant")},
               {"log_mode", text(LogMode::NoArchivelog)},
               {"server_id", std::uint64_t{seed.sys_server_id}},
               {"charset", std::string("utf8mb4")},
               {"collation", std::string("utf8mb4_general_ci")},
               {"variables", std::string("{}")},
               {"recovery_until_scn", kScnUnlimited},
               {"create_time", now},
               {"modify_time", now}});
    insertReplicas(client, kSysTenantId, TenantStatus::Normal, now);
}

}  // namespace

void ClusterStore::bootstrap(const ClusterSeed& seed) {
    catalog_.write({{kSysTenantId, Topic::Everything}}, [&](mysql::SqlClient& client) {
        if (client.scalar("SELECT id FROM tidemark.cluster FOR UPDATE")) return;
        const mysql::Value now = sqlTime(catalog_.clock().now());
        insertRow(client, "cluster", {{"id", seed.cluster.id}, {"name", seed.cluster.name}});
        insertRow(client, "zone",
                  {{"name", seed.zone.name},
                   {"region", seed.zone.region},
                   {"idc", seed.zone.idc},
                   {"create_time", now},
                   {"modify_time", now}});
        const Server& server = seed.server;
        insertRow(client, "server",
                  {{"id", server.id},
                   {"ip", server.ip},
                   {"rpc_port", server.rpc_port},
                   {"sql_port", server.sql_port},
                   {"zone", seed.zone.name},
                   {"build_version", server.build_version},
                   {"start_service_time", now},
                   {"create_time", now},
                   {"modify_time", now}});
        insertRow(client, "server_resource",
                  {{"server_id", server.id},
                   {"cpu_capacity", server.cpu_capacity},
                   {"memory_capacity", server.memory_capacity},
                   {"disk_capacity", server.disk_capacity},
                   {"log_disk_in_use", bytesOrNull(server.log_disk_in_use)},
                   {"data_disk_in_use", bytesOrNull(server.data_disk_in_use)}});
        insertSysTenant(client, seed, now);
    });
}

Cluster ClusterStore::cluster() {
    return catalog_.read([](mysql::SqlClient& client) {
        const mysql::Result found = client.query("SELECT id, name FROM tidemark.cluster");
        if (found.empty()) throw Error(ErrorCode::NotFound, "the catalog holds no cluster yet");
        return Cluster{.name = found.rows[0].text("name"), .id = found.rows[0].integer("id")};
    });
}

std::vector<Zone> ClusterStore::zones() {
    return catalog_.read([](mysql::SqlClient& client) {
        std::vector<Zone> zones;
        for (const mysql::Row& row : client.query("SELECT * FROM tidemark.zone ORDER BY name").rows) {
            zones.push_back({.name = row.text("name"),
                             .region = row.text("region"),
                             .idc = row.text("idc"),
                             .create_time = timeOf(row, "create_time"),
                             .modify_time = timeOf(row, "modify_time")});
        }
        return zones;
    });
}

std::vector<Server> ClusterStore::servers() {
    return catalog_.read([](mysql::SqlClient& client) {
        std::vector<Server> servers;
        const auto bytes = [](const mysql::Row& row, const char* column) {
            return row.maybe(column) ? std::optional(row.unsignedInteger(column)) : std::nullopt;
        };
        for (const mysql::Row& row :
             client.query("SELECT * FROM tidemark.server JOIN tidemark.server_resource ON server_id = id ORDER BY id")
                 .rows) {
            servers.push_back({.ip = row.text("ip"),
                               .rpc_port = row.integer("rpc_port"),
                               .sql_port = row.integer("sql_port"),
                               .id = row.integer("id"),
                               .zone = row.text("zone"),
                               .build_version = row.text("build_version"),
                               .start_service_time = timeOf(row, "start_service_time"),
                               .cpu_capacity = row.integer("cpu_capacity"),
                               .memory_capacity = row.unsignedInteger("memory_capacity"),
                               .disk_capacity = row.unsignedInteger("disk_capacity"),
                               .log_disk_in_use = bytes(row, "log_disk_in_use"),
                               .data_disk_in_use = bytes(row, "data_disk_in_use")});
        }
        return servers;
    });
}

void ClusterStore::serverStarted(const Server& server) {
    catalog_.write({{kSysTenantId, Topic::Cluster}}, [&](mysql::SqlClient& client) {
        const mysql::Value now = sqlTime(catalog_.clock().now());
        updateRows(client, "server",
                   {{"ip", server.ip},
                    {"rpc_port", server.rpc_port},
                    {"sql_port", server.sql_port},
                    {"build_version", server.build_version},
                    {"start_service_time", now},
                    {"modify_time", now}},
                   {{"id", server.id}});
        updateRows(client, "server_resource",
                   {{"cpu_capacity", server.cpu_capacity},
                    {"memory_capacity", server.memory_capacity},
                    {"disk_capacity", server.disk_capacity}},
                   {{"server_id", server.id}});
    });
}

}  // namespace tidemark::catalog
