#pragma once

#include <string>

#include "base/error.h"

namespace tidemark::storage {

/// Of a stored object that is whole, and that only a newer Tidemark can read: nothing is wrong with it.
inline Error newerVersion(const std::string& object) {
    return {ErrorCode::InvalidRequest, object + " was written by a newer version of Tidemark",
            "update Tidemark on this node"};
}

}  // namespace tidemark::storage
