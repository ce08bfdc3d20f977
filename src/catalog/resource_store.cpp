#include "catalog/resource_store.h"

#include <fmt/format.h>

#include <algorithm>

#include "catalog/sql_row.h"
#include "oceanbase/ob_error.h"

namespace tidemark::catalog {
namespace {

constexpr std::int64_t kFirstId = 1001;  // smaller ones are the system's, as in OceanBase

UnitConfig unitFrom(const mysql::Row& row) {
    return {.id = row.integer("id"),
            .name = row.text("name"),
            .max_cpu = std::stod(row.text("max_cpu")),
            .min_cpu = std::stod(row.text("min_cpu")),
            .memory_size = row.integer("memory_size"),
            .log_disk_size = row.integer("log_disk_size"),
            .max_iops = row.integer("max_iops"),
            .min_iops = row.integer("min_iops"),
            .iops_weight = row.integer("iops_weight"),
            .create_time = timeOf(row, "create_time"),
            .modify_time = timeOf(row, "modify_time")};
}

Columns limitsOf(const UnitConfig& unit) {
    return {{"max_cpu", unit.max_cpu},         {"min_cpu", unit.min_cpu},
            {"memory_size", unit.memory_size}, {"log_disk_size", unit.log_disk_size},
            {"max_iops", unit.max_iops},       {"min_iops", unit.min_iops},
            {"iops_weight", unit.iops_weight}, {"modify_time", sqlTime(unit.modify_time)}};
}

ResourcePool poolFrom(const mysql::Row& row) {
    ResourcePool pool{.id = row.integer("id"),
                      .name = row.text("name"),
                      .unit_count = row.integer("unit_count"),
                      .unit_config_id = row.integer("unit_config_id"),
                      .zones = split(row.text("zone_list"), ';'),
                      .create_time = timeOf(row, "create_time"),
                      .modify_time = timeOf(row, "modify_time")};
    if (row.maybe("tenant_id")) pool.tenant = row.integer("tenant_id");
    return pool;
}

std::optional<mysql::Row> lookUp(mysql::SqlClient& client, const char* table, const std::string& name) {
    mysql::Result found =
        client.query(fmt::format("SELECT * FROM tidemark.{} WHERE name = ? FOR UPDATE", table), {name});
    return found.empty() ? std::nullopt : std::optional(std::move(found.rows[0]));
}

UnitConfig requireUnit(mysql::SqlClient& client, const std::string& name) {
    const auto row = lookUp(client, "unit_config", name);
    if (!row) throw obError(Ob::UnitNotExist, name);
    return unitFrom(*row);
}

ResourcePool requirePool(mysql::SqlClient& client, const std::string& name) {
    const auto row = lookUp(client, "resource_pool", name);
    if (!row) throw obError(Ob::PoolNotExist, name);
    return poolFrom(*row);
}

void requireDistinct(const std::vector<std::string>& zones) {
    for (auto zone = zones.begin(); zone != zones.end(); ++zone) {
        const auto same = [&](const std::string& other) { return equalNames(other, *zone); };
        if (std::none_of(zones.begin(), zone, same)) continue;
        throw obError(Ob::ZoneDuplicated, fmt::format("'{}' in zone list ({})", *zone, joined(zones, ',')));
    }
}

/// The servers of a zone, as many as there are units per zone.
std::vector<std::int64_t> serversFor(mysql::SqlClient& client, const std::string& zone, std::int64_t count) {
    if (!client.scalar("SELECT name FROM tidemark.zone WHERE name = ?", {zone})) {
        throw obError(Ob::InvalidArgument, "zone_list: there is no zone '" + zone + "'");
    }
    std::vector<std::int64_t> servers;
    for (const mysql::Row& row :
         client.query("SELECT id FROM tidemark.server WHERE zone = ? ORDER BY id LIMIT ?", {zone, count}).rows) {
        servers.push_back(row.integer("id"));
    }
    if (static_cast<std::int64_t>(servers.size()) < count) throw obError(Ob::UnitNumOverServerCount);
    return servers;
}

void insertUnits(mysql::SqlClient& client, const ResourcePool& pool) {
    const mysql::Value now = sqlTime(pool.create_time);
    for (const std::string& zone : pool.zones) {
        for (const std::int64_t server : serversFor(client, zone, pool.unit_count)) {
            insertRow(client, "unit",
                      {{"id", nextId(client, "unit", 0, kFirstId)},
                       {"pool_id", pool.id},
                       {"group_id", std::int64_t{0}},
                       {"zone", zone},
                       {"server_id", server},
                       {"unit_config_id", pool.unit_config_id},
                       {"create_time", now},
                       {"modify_time", now}});
        }
    }
}

/// Units keep the config of their pool, so that one join shows a tenant what it may use.
void setUnitConfig(mysql::SqlClient& client, const ResourcePool& pool, std::int64_t unit_config, Nanos now) {
    updateRows(client, "resource_pool", {{"unit_config_id", unit_config}, {"modify_time", sqlTime(now)}},
               {{"id", pool.id}});
    updateRows(client, "unit", {{"unit_config_id", unit_config}, {"modify_time", sqlTime(now)}},
               {{"pool_id", pool.id}});
}

std::vector<Change> changesOfTenants(const std::vector<TenantId>& tenants) {
    std::vector<Change> changes{{kSysTenantId, Topic::Tenant}};
    for (const TenantId tenant : tenants)
        changes.push_back({tenant, Topic::Tenant});
    return changes;
}

}  // namespace

UnitConfig ResourceStore::createUnit(UnitConfig unit) {
    return catalog_.write({{kSysTenantId, Topic::Tenant}}, [&](mysql::SqlClient& client) {
        if (lookUp(client, "unit_config", unit.name)) throw obError(Ob::UnitExist, unit.name);
        unit.id = nextId(client, "unit_config", 0, kFirstId);
        unit.create_time = unit.modify_time = catalog_.clock().now();
        Columns columns = limitsOf(unit);
        columns.insert(columns.end(),
                       {{"id", unit.id}, {"name", unit.name}, {"create_time", sqlTime(unit.create_time)}});
        insertRow(client, "unit_config", columns);
        return unit;
    });
}

void ResourceStore::alterUnit(const UnitConfig& unit) {
    const auto work = [&](mysql::SqlClient& client) {
        const UnitConfig present = requireUnit(client, unit.name);
        UnitConfig wanted = unit;
        wanted.modify_time = catalog_.clock().now();
        updateRows(client, "unit_config", limitsOf(wanted), {{"id", present.id}});
        std::vector<TenantId> users;
        for (const mysql::Row& row : client
                                         .query("SELECT DISTINCT tenant_id FROM tidemark.resource_pool "
                                                "WHERE unit_config_id = ? AND tenant_id IS NOT NULL",
                                                {present.id})
                                         .rows) {
            users.push_back(row.integer("tenant_id"));
        }
        return users;
    };
    catalog_.writeThen(work, changesOfTenants);
}

void ResourceStore::dropUnit(const std::string& name) {
    catalog_.write({{kSysTenantId, Topic::Tenant}}, [&](mysql::SqlClient& client) {
        const UnitConfig unit = requireUnit(client, name);
        if (client.scalar("SELECT id FROM tidemark.resource_pool WHERE unit_config_id = ? LIMIT 1 FOR UPDATE",
                          {unit.id})) {
            throw obError(Ob::UnitIsReferenced, name);
        }
        deleteRows(client, "unit_config", {{"id", unit.id}});
    });
}

std::optional<UnitConfig> ResourceStore::findUnit(const std::string& name) {
    for (UnitConfig& unit : units()) {
        if (equalNames(unit.name, name)) return std::move(unit);
    }
    return std::nullopt;
}

std::vector<UnitConfig> ResourceStore::units() {
    return catalog_.read([](mysql::SqlClient& client) {
        return rowsAs<UnitConfig>(client.query("SELECT * FROM tidemark.unit_config ORDER BY id"), unitFrom);
    });
}

ResourcePool ResourceStore::createPool(const std::string& name, const std::string& unit_name, std::int64_t unit_count,
                                       const std::vector<std::string>& zones) {
    requireDistinct(zones);
    return catalog_.write({{kSysTenantId, Topic::Tenant}}, [&](mysql::SqlClient& client) {
        if (lookUp(client, "resource_pool", name)) throw obError(Ob::PoolExist, name);
        ResourcePool pool{.name = name, .unit_count = unit_count, .zones = zones};
        pool.unit_config_id = requireUnit(client, unit_name).id;
        pool.id = nextId(client, "resource_pool", 0, kFirstId);
        pool.create_time = pool.modify_time = catalog_.clock().now();
        insertRow(client, "resource_pool",
                  {{"id", pool.id},
                   {"name", name},
                   {"unit_count", unit_count},
                   {"unit_config_id", pool.unit_config_id},
                   {"zone_list", joined(zones, ';')},
                   {"create_time", sqlTime(pool.create_time)},
                   {"modify_time", sqlTime(pool.modify_time)}});
        insertUnits(client, pool);
        return pool;
    });
}

void ResourceStore::setPoolUnit(const std::string& pool_name, const std::string& unit_name) {
    const auto work = [&](mysql::SqlClient& client) {
        const ResourcePool pool = requirePool(client, pool_name);
        setUnitConfig(client, pool, requireUnit(client, unit_name).id, catalog_.clock().now());
        return pool.tenant ? std::vector{*pool.tenant} : std::vector<TenantId>{};
    };
    catalog_.writeThen(work, changesOfTenants);
}

void ResourceStore::dropPool(const std::string& name) {
    catalog_.write({{kSysTenantId, Topic::Tenant}}, [&](mysql::SqlClient& client) {
        const ResourcePool pool = requirePool(client, name);
        if (pool.tenant) throw obError(Ob::PoolAlreadyGranted, name);
        deleteRows(client, "unit", {{"pool_id", pool.id}});
        deleteRows(client, "resource_pool", {{"id", pool.id}});
    });
}

std::optional<ResourcePool> ResourceStore::findPool(const std::string& name) {
    for (ResourcePool& pool : pools()) {
        if (equalNames(pool.name, name)) return std::move(pool);
    }
    return std::nullopt;
}

std::vector<ResourcePool> ResourceStore::pools() {
    return catalog_.read([](mysql::SqlClient& client) {
        return rowsAs<ResourcePool>(client.query("SELECT * FROM tidemark.resource_pool ORDER BY id"), poolFrom);
    });
}

std::vector<Unit> ResourceStore::unitsOf(TenantId tenant) {
    return catalog_.read([&](mysql::SqlClient& client) {
        const auto from = [](const mysql::Row& row) {
            Unit unit{.id = row.integer("unit_id"),
                      .tenant = row.integer("tenant_id"),
                      .pool_id = row.integer("pool_id"),
                      .group_id = row.integer("group_id"),
                      .zone = row.text("zone"),
                      .server_ip = row.text("ip"),
                      .server_port = row.integer("rpc_port"),
                      .create_time = timeOf(row, "unit_time")};
            unit.config = unitFrom(row);
            return unit;
        };
        return rowsAs<Unit>(client.query("SELECT c.*, u.id AS unit_id, u.tenant_id, u.pool_id, u.group_id, u.zone, "
                                         "    u.create_time AS unit_time, s.ip, s.rpc_port "
                                         "FROM tidemark.unit u JOIN tidemark.unit_config c ON c.id = u.unit_config_id "
                                         "    JOIN tidemark.server s ON s.id = u.server_id "
                                         "WHERE u.tenant_id = ? ORDER BY u.id",
                                         {tenant}),
                            from);
    });
}

}  // namespace tidemark::catalog
