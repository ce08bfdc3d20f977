#pragma once

#include <filesystem>

#include "source/source.h"

namespace tidemark::source {

/// What mariadb-backup will copy of a data directory, but for the redo log, of which it copies only what is new. Files
/// that come and go meanwhile do not matter. Throws NotFound or Denied for the directory itself.
SourceTotals measureDataDirectory(const std::filesystem::path& directory);

}  // namespace tidemark::source
