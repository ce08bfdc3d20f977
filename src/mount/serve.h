#pragma once

#include "backup_set/open_order.h"

namespace tidemark::mount {

/// What tidemark-mount does: opens the set, mounts it, confines itself, serves until it is unmounted, and fetches what
/// is missing when it is told to. Returns at once if another one serves the same directory. Throws what opening and
/// mounting throw, after it has noted that for the daemon.
void serve(const backup_set::OpenOrder& order);

}  // namespace tidemark::mount
