#pragma once

#include "base/error.h"

namespace tidemark::restore {

/// Whether the same restore may succeed later though it failed with `error`: a process was killed, a disk is full, a
/// connection broke. What is damaged, refused or missing stays so.
bool mayHeal(const Error& error);

/// Whether `error`, thrown when destinations were looked at, says that one of them is away: not mounted, not reachable,
/// not readable.
bool isAway(const Error& error);

}  // namespace tidemark::restore
