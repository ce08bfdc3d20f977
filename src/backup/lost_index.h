#pragma once

#include <filesystem>
#include <optional>

#include "backup_set/backup_set.h"
#include "catalog/validate_store.h"

namespace tidemark::backup {

/// Looks at a complete set as the end of a backup does (backup_set::verifyBackupSet()), and gets by, as a restore does,
/// without its index: returns what is wrong with that, as a finding of no unit yet, or nullopt for a set that is as it
/// was written. Throws Corrupt or NotFound for whatever else is wrong, also if the index cannot be made again.
///
/// `description` as it was read with `key`. Of one that is sealed only its objects are looked for, and whether an index
/// that is missing can be made again is not known. Scratch files lie in `scratch`, and go.
std::optional<catalog::FindingRow> findLostIndex(storage::Storage& storage,
                                                 const backup_set::BackupSetDescription& description,
                                                 const backup_set::ChainKeyPtr& key,
                                                 const std::filesystem::path& scratch);

}  // namespace tidemark::backup
