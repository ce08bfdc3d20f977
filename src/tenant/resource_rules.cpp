#include "tenant/resource_rules.h"

#include <fmt/format.h>
#include <strings.h>

#include <algorithm>
#include <cctype>

#include "oceanbase/ob_error.h"
#include "tenant/tenant_config.h"

namespace tidemark::tenant {
namespace {

constexpr std::int64_t kLeastLogDisk = 2LL << 30;
constexpr std::int64_t kLeastIops = 1024;
constexpr int kMostCpu = 10'000;           // more than any machine has
constexpr std::size_t kLongestName = 128;  // OceanBase's

void atLeast(const char* item, bool holds, const std::string& least) {
    if (!holds) throw obError(Ob::UnitValueBelowLimit, fmt::format("invalid {} value, min value is {}", item, least));
}

void checkUnit(const catalog::UnitConfig& unit) {
    requireName(unit.name, "resource unit name");
    if (!(unit.max_cpu <= kMostCpu && unit.min_cpu <= kMostCpu)) {
        throw obError(Ob::InvalidArgument, fmt::format("MAX_CPU, whose greatest value is {}", kMostCpu));
    }
    atLeast("MAX_CPU", unit.max_cpu >= 1, "1");
    atLeast("MIN_CPU", unit.min_cpu >= 1, "1");
    atLeast("MEMORY_SIZE", unit.memory_size >= static_cast<std::int64_t>(kLeastMemory), "64M");
    atLeast("LOG_DISK_SIZE", unit.log_disk_size >= kLeastLogDisk, "2G");
    atLeast("MAX_IOPS", unit.max_iops >= kLeastIops, "1024");
    atLeast("MIN_IOPS", unit.min_iops >= kLeastIops, "1024");
    atLeast("IOPS_WEIGHT", unit.iops_weight >= 0, "0");
    if (unit.min_cpu > unit.max_cpu) throw obError(Ob::InvalidArgument, "MIN_CPU, greater than MAX_CPU");
    if (unit.min_iops > unit.max_iops) throw obError(Ob::InvalidArgument, "MIN_IOPS, greater than MAX_IOPS");
}

std::vector<std::string> split(const std::string& text, const char* separators) {
    std::vector<std::string> parts(1);
    for (const char c : text) {
        if (std::string_view(separators).find(c) != std::string_view::npos) {
            parts.emplace_back();
        } else if (c != ' ') {
            parts.back() += c;
        }
    }
    return parts;
}

bool same(const std::string& a, const std::string& b) {
    return strcasecmp(a.c_str(), b.c_str()) == 0;
}

/// The zone as it was created. Throws if it is none of `zones`.
const std::string& knownZone(const std::string& zone, const std::vector<std::string>& zones, const char* what) {
    const auto found = std::find_if(zones.begin(), zones.end(), [&](const auto& known) { return same(known, zone); });
    if (found == zones.end())
        throw obError(Ob::InvalidArgument, fmt::format("{}: no resource pool has zone '{}'", what, zone));
    return *found;
}

}  // namespace

void requireName(const std::string& name, const char* what) {
    if (name.empty() || name.size() > kLongestName) {
        throw obError(Ob::InvalidArgument, fmt::format("{}: 1 to {} bytes", what, kLongestName));
    }
}

catalog::UnitConfig newUnit(const std::string& name, const UnitItems& items) {
    if (!items.max_cpu) throw obError(Ob::MissArgument, "MAX_CPU");
    if (!items.memory_size) throw obError(Ob::MissArgument, "MEMORY_SIZE");
    const bool iops = items.max_iops || items.min_iops;
    catalog::UnitConfig unit;
    unit.name = name;
    unit.max_cpu = *items.max_cpu;
    unit.min_cpu = items.min_cpu.value_or(unit.max_cpu);
    unit.memory_size = *items.memory_size;
    // Three times the memory; tripling the largest number would overflow.
    const std::int64_t log_disk = unit.memory_size > kUnlimitedIops / 3 ? unit.memory_size : 3 * unit.memory_size;
    unit.log_disk_size = items.log_disk_size.value_or(std::max(log_disk, kLeastLogDisk));
    unit.max_iops = items.max_iops.value_or(items.min_iops.value_or(kUnlimitedIops));
    unit.min_iops = items.min_iops.value_or(unit.max_iops);
    unit.iops_weight = items.iops_weight.value_or(iops ? 0 : static_cast<std::int64_t>(unit.min_cpu));
    checkUnit(unit);
    return unit;
}

catalog::UnitConfig alteredUnit(catalog::UnitConfig unit, const UnitItems& items) {
    unit.max_cpu = items.max_cpu.value_or(unit.max_cpu);
    unit.min_cpu = items.min_cpu.value_or(unit.min_cpu);
    unit.memory_size = items.memory_size.value_or(unit.memory_size);
    unit.log_disk_size = items.log_disk_size.value_or(unit.log_disk_size);
    unit.max_iops = items.max_iops.value_or(unit.max_iops);
    unit.min_iops = items.min_iops.value_or(unit.min_iops);
    unit.iops_weight = items.iops_weight.value_or(unit.iops_weight);
    checkUnit(unit);
    return unit;
}

void checkTenantName(const std::string& name) {
    if (name.size() > 63) throw obError(Ob::InvalidTenantName, name);
    const auto allowed = [](unsigned char c) { return c == '_' || (c < 0x80 && std::isalnum(c) != 0); };
    if (name.empty() || !std::all_of(name.begin(), name.end(), allowed) ||
        std::isdigit(static_cast<unsigned char>(name[0])) != 0) {
        throw obError(Ob::InvalidArgument, fmt::format("tenant name '{}'", name),
                      "a tenant's name has letters, digits and _, and no digit first");
    }
    for (const char* word : {"all", "all_user", "all_meta"}) {
        if (same(name, word))
            throw obError(Ob::InvalidArgument, fmt::format("tenant name '{}'", name), "it stands for several tenants");
    }
}

std::string checkedLocality(const std::string& locality, const std::vector<std::string>& zones) {
    std::string result;
    for (const std::string& replica : split(locality, ",")) {
        const auto at = replica.find('@');
        if (at == std::string::npos) throw obError(Ob::InvalidArgument, "locality '" + locality + "'");
        std::string kind = replica.substr(0, at);
        if (kind.ends_with("{1}")) kind.resize(kind.size() - 3);
        if (!same(kind, "F") && !same(kind, "FULL"))
            throw obError(Ob::NotSupported, "locality with " + replica.substr(0, at));
        result += (result.empty() ? "FULL{1}@" : ", FULL{1}@") + knownZone(replica.substr(at + 1), zones, "locality");
    }
    return result;
}

std::string checkedPrimaryZone(const std::string& primary_zone, const std::vector<std::string>& zones) {
    if (same(primary_zone, "RANDOM")) return "RANDOM";
    for (const std::string& zone : split(primary_zone, ",;"))
        knownZone(zone, zones, "primary_zone");
    return primary_zone;
}

}  // namespace tidemark::tenant
