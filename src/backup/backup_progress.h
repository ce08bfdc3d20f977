#pragma once

#include <optional>
#include <string>

#include "archive/log_extract.h"
#include "backup/set_encryption.h"
#include "backup_set/backup_set.h"
#include "catalog/types.h"

namespace tidemark::backup {

/// The log that goes into a set made PLUS ARCHIVELOG.
struct LogChoice {
    std::string archive_uri;
    archive::ExtractRange range;
};

/// What a later attempt has to know of the ones before: JSON in the record of work.
struct BackupProgress {
    std::uint32_t turn = 0;     ///< the last one that was begun at the destination; 0: none
    std::int64_t round_id = 0;  ///< of the archive that has to go on all the time
    /// The set that this one leans on; nullopt: it is a full one.
    std::optional<backup_set::SetId> parent;
    /// What COMMENT says: why it is a full one though an incremental one was asked for.
    std::string full_because;
    /// The copy is whole: what the set's description will be, but for what the archive knows.
    std::optional<backup_set::BackupSetDescription> copied;
    std::optional<LogChoice> log;  ///< once the archive has passed the copy: noted before anything of it is stored
    SetEncryption encryption;

    std::string text() const;
    /// Empty: of the first attempt.
    static BackupProgress from(const std::string& text);
};

/// What the cleaner is to remove of a backup that has ended: likewise.
struct Leftovers {
    std::string path;  ///< of the destination
    std::int64_t backup_set_id = 0;

    std::string text() const;
    static Leftovers from(const std::string& text);
};

}  // namespace tidemark::backup
