#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "catalog/resource_store.h"

namespace tidemark::tenant {

/// MAX_IOPS and MIN_IOPS of a unit that gives none, as in OceanBase.
constexpr std::int64_t kUnlimitedIops = 9223372036854775807;

/// The items of CREATE or ALTER RESOURCE UNIT; what is not given keeps its default, or its old value. Bytes, except
/// CPU.
struct UnitItems {
    std::optional<double> max_cpu;
    std::optional<double> min_cpu;
    std::optional<std::int64_t> memory_size;
    std::optional<std::int64_t> log_disk_size;
    std::optional<std::int64_t> max_iops;
    std::optional<std::int64_t> min_iops;
    std::optional<std::int64_t> iops_weight;
};

/// Throws Ob::InvalidArgument, naming `what`, for a name that is empty or longer than OceanBase's 128 bytes.
void requireName(const std::string& name, const char* what);

/// A new unit with OceanBase's defaults. Throws Ob::MissArgument without MAX_CPU or MEMORY_SIZE,
/// Ob::UnitValueBelowLimit and Ob::InvalidArgument for values out of range. Memory may be as little as 64M.
catalog::UnitConfig newUnit(const std::string& name, const UnitItems& items);

/// `unit` with the given items changed. A maximum given alone below the old minimum is refused, as in OceanBase.
catalog::UnitConfig alteredUnit(catalog::UnitConfig unit, const UnitItems& items);

/// Throws Ob::InvalidTenantName if the name is longer than 63 bytes, Ob::InvalidArgument if it is not letters, digits
/// and `_` with no digit first, or a word that statements use for several tenants (ALL, ALL_USER, ALL_META).
void checkTenantName(const std::string& name);

/// "F@z1,full{1}@z2" → "FULL{1}@z1, FULL{1}@z2". Throws Ob::InvalidArgument for anything else and for zones that are
/// not among `zones`, Ob::NotSupported for other kinds of replicas than full ones.
std::string checkedLocality(const std::string& locality, const std::vector<std::string>& zones);

/// RANDOM, or zones of `zones` separated by ',' (same rank) and ';'. Throws Ob::InvalidArgument.
std::string checkedPrimaryZone(const std::string& primary_zone, const std::vector<std::string>& zones);

}  // namespace tidemark::tenant
