#pragma once

#include <stop_token>

#include "base/error.h"

namespace tidemark {

/// For work that takes long between two things that wait. Throws Cancelled if it was asked to stop.
inline void requireGoing(const std::stop_token& stop) {
    if (stop.stop_requested()) throw Error(ErrorCode::Cancelled, "cancelled");
}

}  // namespace tidemark
