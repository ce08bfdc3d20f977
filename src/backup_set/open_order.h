#pragma once

#include <filesystem>
#include <string>

#include "backup_set/backup_set.h"

namespace tidemark::backup_set {

/// What tidemark-mount is told on its stdin.
struct OpenOrder {
    std::string data_uri;  ///< where the set is
    SetId set;
    ChainKeyPtr key;                ///< of an encrypted set
    std::filesystem::path local;    ///< what is local of it: the directory of an opened::OpenedSet
    std::filesystem::path at;       ///< where it is to be mounted
    std::filesystem::path control;  ///< where they talk, see mount_files.h

    /// Holds the key in the clear: for a pipe, and to be wiped.
    std::string text() const;
    /// Throws Corrupt.
    static OpenOrder from(std::string_view text);
};

}  // namespace tidemark::backup_set
