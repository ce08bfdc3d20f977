#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/time_zone.h"

namespace tidemark {

/// The rule of a time zone as POSIX has it for TZ, and zone files for the time after their last period: taken apart
/// into the periods after `after`, up to 2105. The first one begins at `after`. nullopt if it is none.
std::optional<std::vector<TimeZone::Period>> periodsOfRule(const std::string& rule, std::int64_t after);

}  // namespace tidemark
