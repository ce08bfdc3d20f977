#pragma once

#include "base/bytes.h"

namespace tidemark::source {

/// The shared library made of src/small_reads, to be preloaded into mariadb-backup: written to a file, named in
/// LD_PRELOAD. Where the loader cannot take it (a file system mounted noexec), it says so on stderr and goes on
/// without.
ByteView smallReadsLibrary();

}  // namespace tidemark::source
