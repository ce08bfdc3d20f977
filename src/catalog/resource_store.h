#pragma once

#include <string>
#include <vector>

#include "catalog/catalog.h"

namespace tidemark::catalog {

/// A resource unit: what one replica of a tenant may use.
struct UnitConfig {
    std::int64_t id = 0;  ///< from 1001; 1 is sys's
    std::string name;
    double max_cpu = 1;
    double min_cpu = 1;
    std::int64_t memory_size = 0;    ///< bytes
    std::int64_t log_disk_size = 0;  ///< bytes
    std::int64_t max_iops = 9223372036854775807;
    std::int64_t min_iops = 9223372036854775807;
    std::int64_t iops_weight = 0;
    Nanos create_time = 0;
    Nanos modify_time = 0;
};

struct ResourcePool {
    std::int64_t id = 0;  ///< from 1001; 1 is sys's
    std::string name;
    std::optional<TenantId> tenant;  ///< whom it is granted to
    std::int64_t unit_count = 1;     ///< per zone
    std::int64_t unit_config_id = 0;
    std::vector<std::string> zones;
    Nanos create_time = 0;
    Nanos modify_time = 0;
};

/// One unit of a pool on one server.
struct Unit {
    std::int64_t id = 0;  ///< from 1001; 1 is sys's
    std::optional<TenantId> tenant;
    std::int64_t pool_id = 0;
    std::int64_t group_id = 0;
    std::string zone;
    std::string server_ip;
    std::int64_t server_port = 0;
    UnitConfig config;
    Nanos create_time = 0;
};

/// Resource units and pools; statements.md's ranges are the caller's to check, references are checked here.
/// Thread-safe. Names are compared in any case.
class ResourceStore {
public:
    explicit ResourceStore(Catalog& catalog) : catalog_(catalog) {}

    /// Fills in id and times. Throws Ob::UnitExist.
    UnitConfig createUnit(UnitConfig unit);
    /// Writes everything but the name and the id. Throws Ob::UnitNotExist. Reports the tenants that use it as changed.
    void alterUnit(const UnitConfig& unit);
    /// Throws Ob::UnitNotExist, Ob::UnitIsReferenced.
    void dropUnit(const std::string& name);
    std::optional<UnitConfig> findUnit(const std::string& name);
    std::vector<UnitConfig> units();

    /// Makes the pool and one Unit per zone and unit_count, on a server of that zone.
    /// Throws Ob::PoolExist, Ob::UnitNotExist, Ob::UnitNumOverServerCount, Ob::InvalidArgument for an unknown zone.
    ResourcePool createPool(const std::string& name, const std::string& unit_name, std::int64_t unit_count,
                            const std::vector<std::string>& zones);
    /// Gives the pool another unit config. Throws Ob::PoolNotExist, Ob::UnitNotExist.
    void setPoolUnit(const std::string& pool, const std::string& unit_name);
    /// Throws Ob::PoolNotExist, Ob::PoolAlreadyGranted.
    void dropPool(const std::string& name);
    std::optional<ResourcePool> findPool(const std::string& name);
    std::vector<ResourcePool> pools();

    /// What a tenant was granted: all units of its pools.
    std::vector<Unit> unitsOf(TenantId tenant);

private:
    Catalog& catalog_;
};

}  // namespace tidemark::catalog
