#pragma once

#include <chrono>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tidemark::catalog {

enum class ParameterType { Int, Bool, Time, Capacity, Version, Directories, File };
enum class ParameterScope { Tenant, Cluster };

/// What there is to set with ALTER SYSTEM SET: name, kind, range, default, as in OceanBase V4.3.3's parameter
/// reference.
struct ParameterDefinition {
    std::string_view name;
    ParameterType type;
    ParameterScope scope;
    std::string_view default_value;
    /// Limits in the type's unit (numbers, microseconds, bytes), both inclusive; not used for Bool, Version (which
    /// cannot be set), Directories (absolute paths, separated by commas) and File (an absolute path).
    std::int64_t minimum;
    std::int64_t maximum;
    std::string_view section;
    std::string_view info;
    /// The part of the range that has an effect, and why the rest has none: a value there is refused rather than
    /// taken and ignored. Without a reason all of the range has.
    std::int64_t heeded_minimum = 0;
    std::int64_t heeded_maximum = 0;
    std::string_view unheeded_because = {};
};

std::span<const ParameterDefinition> parameterDefinitions();
/// nullptr if there is no such parameter. Names in any case.
const ParameterDefinition* findParameter(std::string_view name);

/// "120s", "10m", "2h", "7d", "500ms", "500us"; a plain number is seconds. Throws Ob::InvalidArgument.
std::chrono::microseconds parseTime(std::string_view text);
/// "4G", "512M", "64k", "100" (bytes), "2GB", "1T". Throws Ob::InvalidArgument.
std::int64_t parseCapacity(std::string_view text);

/// The value as it is kept and shown; throws Ob::InvalidArgument, naming the range, if it is not one for `definition`,
/// and Ob::NotSupported if it would have no effect.
std::string checkedValue(const ParameterDefinition& definition, std::string_view value);

/// A checked value in its type's unit (a number, microseconds, bytes); nullopt for those that are none.
std::optional<std::int64_t> numberOf(const ParameterDefinition& definition, std::string_view value);

}  // namespace tidemark::catalog
