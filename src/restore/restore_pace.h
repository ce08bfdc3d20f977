#pragma once

#include <optional>
#include <vector>

#include "catalog/restore_store.h"

namespace tidemark::restore {

/// Bytes per second, and seconds, by what was measured; none of what was not.
struct ExpectedPace {
    std::optional<double> files;
    std::optional<double> log;
    std::optional<double> rest;  ///< seconds: the median
};
ExpectedPace expectedPace(const std::vector<catalog::RestorePace>& paces);

}  // namespace tidemark::restore
