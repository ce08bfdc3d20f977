#pragma once

#include "base/bytes.h"

namespace tidemark::restore {

/// The shared library made of src/no_sync, to be preloaded into mariadb-backup --prepare (source/preload.h): its syncs
/// do nothing, and succeed.
ByteView noSyncLibrary();

}  // namespace tidemark::restore
