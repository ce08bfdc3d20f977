#pragma once

#include "base/error.h"

namespace tidemark::storage {

/// Stored bytes are wrong, or are not there: the error is of what was stored, and no repetition heals it. What is not
/// mounted looks the same: requireMounted(). From any thread.
inline bool isLoss(const Error& error) {
    return error.code() == ErrorCode::Corrupt || error.code() == ErrorCode::NotFound;
}

}  // namespace tidemark::storage
