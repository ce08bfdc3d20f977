#pragma once

#include <optional>
#include <string>
#include <vector>

#include "catalog/stores.h"
#include "tenant/replica_service.h"
#include "tenant/resource_rules.h"
#include "tenant/tenant_turns.h"

namespace tidemark::tenant {

/// ALTER RESOURCE POOL takes exactly one of these.
struct PoolItems {
    std::optional<std::string> unit;
    std::optional<std::int64_t> unit_num;
    std::optional<std::vector<std::string>> zones;
};

/// The unit of tenant sys: what the node's configuration says, not ALTER RESOURCE UNIT.
constexpr const char* kSysUnit = "sys_unit_config";

/// Units and pools: what tenants may use. The statements about them, each one call. Thread-safe. Errors are OceanBase's
/// where it has one for the case.
class ResourceService {
public:
    /// `memory_capacity`: bytes of the machine, which no unit may exceed; 0: not known.
    ResourceService(catalog::Stores& stores, ReplicaService& replicas, TenantTurns& turns,
                    std::uint64_t memory_capacity);

    void createUnit(const std::string& name, const UnitItems& items, bool if_not_exists = false);
    /// Running tenants get what can be changed while they run (the buffer pool); the rest at their next start.
    void alterUnit(const std::string& name, const UnitItems& items);
    void dropUnit(const std::string& name, bool if_exists = false);
    void createPool(const std::string& name, const std::string& unit, std::int64_t unit_num,
                    const std::vector<std::string>& zones, bool if_not_exists = false);
    void alterPool(const std::string& name, const PoolItems& items);
    void dropPool(const std::string& name, bool if_exists = false);

private:
    void requireFits(const catalog::UnitConfig& unit) const;
    bool mayHaveServer(const catalog::Tenant& tenant) const;
    void resize(catalog::TenantId id);

    catalog::Stores& stores_;
    ReplicaService& replicas_;
    TenantTurns& turns_;
    const std::uint64_t memory_capacity_;
};

}  // namespace tidemark::tenant
