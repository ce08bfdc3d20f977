#pragma once

#include "fuzz.h"

namespace tidemark::fuzz {

/// All targets, in the order in which the linker put them.
std::vector<Target>& targets();

}  // namespace tidemark::fuzz
