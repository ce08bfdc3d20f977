#pragma once

#include <stop_token>

#include "base/error.h"

namespace tidemark {

/// For work that takes long between two things that wait. Throws Cancelled, with this text, if it was asked to stop.
inline void requireGoing(const std::stop_token& stop, const char* text = "cancelled") {
    if (stop.stop_requested()) throw Error(ErrorCode::Cancelled, text);
}

}  // namespace tidemark
