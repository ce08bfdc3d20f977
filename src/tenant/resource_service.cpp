#include "tenant/resource_service.h"

#include <fmt/format.h>

#include <set>

#include "oceanbase/ob_error.h"

namespace tidemark::tenant {

using catalog::TenantId;
using catalog::TenantStatus;

namespace {

/// As its server runs, if it does.
Profile profileOf(const catalog::Tenant& tenant) {
    switch (tenant.role) {
        case catalog::TenantRole::Primary:
            return Profile::Primary;
        case catalog::TenantRole::Standby:
            return Profile::Standby;
        case catalog::TenantRole::Restore:
            break;
    }
    return Profile::Replay;
}

}  // namespace

ResourceService::ResourceService(catalog::Stores& stores, ReplicaService& replicas, TenantTurns& turns,
                                 std::uint64_t memory_capacity)
    : stores_(stores), replicas_(replicas), turns_(turns), memory_capacity_(memory_capacity) {}

void ResourceService::createUnit(const std::string& name, const UnitItems& items, bool if_not_exists) {
    const catalog::UnitConfig unit = newUnit(name, items);
    if (if_not_exists && stores_.resources.findUnit(name)) return;
    stores_.resources.createUnit(unit);
}

void ResourceService::alterUnit(const std::string& name, const UnitItems& items) {
    const auto unit = stores_.resources.findUnit(name);
    if (!unit) throw obError(Ob::UnitNotExist, name);
    if (unit->name == kSysUnit) {
        throw obError(Ob::NotSupported, "altering the unit of tenant sys",
                      "start tidemarkd with --sys-memory, --sys-cpu");
    }
    const catalog::UnitConfig altered = alteredUnit(*unit, items);
    auto pools = stores_.resources.pools();
    std::erase_if(pools, [&](const catalog::ResourcePool& pool) { return pool.unit_config_id != unit->id; });
    if (!pools.empty()) requireFits(altered);
    stores_.resources.alterUnit(altered);
    std::optional<Error> failure;
    for (const catalog::ResourcePool& pool : pools) {
        try {
            if (pool.tenant) resize(*pool.tenant);
        } catch (const Error& error) {
            failure = error;  // the others get their new size all the same
        }
    }
    if (failure) throw *failure;
}

/// A unit that is larger than the machine could never start. The sum over all units may be more: memory is taken when
/// it is used, and not every tenant uses all of its own.
void ResourceService::requireFits(const catalog::UnitConfig& unit) const {
    const auto wanted = static_cast<std::uint64_t>(unit.memory_size);
    if (memory_capacity_ == 0 || wanted <= memory_capacity_) return;
    throw obError(Ob::ResourceNotEnough, fmt::format("unit {} has MEMORY_SIZE {}, the server has {} bytes", unit.name,
                                                     wanted, memory_capacity_));
}

void ResourceService::dropUnit(const std::string& name, bool if_exists) {
    if (if_exists && !stores_.resources.findUnit(name)) return;
    stores_.resources.dropUnit(name);
}

void ResourceService::createPool(const std::string& name, const std::string& unit, std::int64_t unit_num,
                                 const std::vector<std::string>& zones, bool if_not_exists) {
    if (if_not_exists && stores_.resources.findPool(name)) return;
    requireName(name, "resource pool name");
    if (unit_num < 1) throw obError(Ob::InvalidArgument, "UNIT_NUM");
    if (const auto config = stores_.resources.findUnit(unit)) requireFits(*config);
    stores_.resources.createPool(name, unit, unit_num, zones);
}

void ResourceService::alterPool(const std::string& name, const PoolItems& items) {
    if (items.unit.has_value() + items.unit_num.has_value() + items.zones.has_value() != 1) {
        throw obError(Ob::NotSupported, "alter unit_num, resource_unit, zone_list in one cmd");
    }
    const auto pool = stores_.resources.findPool(name);
    if (!pool) throw obError(Ob::PoolNotExist, name);
    if (items.unit) {
        if (const auto config = stores_.resources.findUnit(*items.unit)) requireFits(*config);
        stores_.resources.setPoolUnit(name, *items.unit);
        if (pool->tenant) resize(*pool->tenant);
    } else if (items.unit_num && *items.unit_num != pool->unit_count) {
        // One unit of a pool per server, and there is one server in a zone.
        if (*items.unit_num < 1) throw obError(Ob::InvalidArgument, "UNIT_NUM");
        throw obError(Ob::UnitNumOverServerCount);
    } else if (items.zones && std::set<std::string>(items.zones->begin(), items.zones->end()) !=
                                  std::set<std::string>(pool->zones.begin(), pool->zones.end())) {
        throw obError(Ob::NotSupported, "changing the zones of a resource pool");
    }
}

void ResourceService::dropPool(const std::string& name, bool if_exists) {
    if (if_exists && !stores_.resources.findPool(name)) return;
    stores_.resources.dropPool(name);
}

/// That of a restore comes and goes; its readers are let in before it is over.
bool ResourceService::mayHaveServer(const catalog::Tenant& tenant) const {
    const bool restoring = tenant.status == TenantStatus::Restore && replicas_.replicas().has(tenant.id);
    return tenant.status == TenantStatus::Normal || restoring;
}

/// Gives a tenant what its units say now: at once what mariadbd can change while it runs.
void ResourceService::resize(TenantId id) {
    auto tenant = stores_.tenants.find(id);
    if (!tenant || !mayHaveServer(*tenant)) return;
    const auto turn = turns_.take(tenant->name);
    // What the turn before has made of it.
    tenant = stores_.tenants.find(id);
    if (!tenant || !mayHaveServer(*tenant)) return;
    replicas_.remember(*tenant);
    // A restore writes down itself what it starts its server with, and anew when it is over.
    if (tenant->status == TenantStatus::Normal) replicas_.configure(*tenant);
    try {
        replicas_.resize(*tenant, profileOf(*tenant));
    } catch (const Error& error) {
        throw Error(error.code(), fmt::format("the size is recorded, but tenant {} gets it at its next start only: {}",
                                              tenant->name, error.what()));
    }
}

}  // namespace tidemark::tenant
