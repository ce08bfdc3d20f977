#pragma once

#include <cstdint>

namespace tidemark {

/// How many files this process, and what it starts, may have open. Raised as far as `needed` where that is allowed.
std::uint64_t openFilesLimit(std::uint64_t needed = 0);

}  // namespace tidemark
