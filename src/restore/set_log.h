#pragma once

#include <memory>
#include <string>

#include "archive/archive_reader.h"
#include "backup_set/backup_set.h"
#include "storage/storage.h"

namespace tidemark::restore {

/// The log that a set made PLUS ARCHIVELOG carries, read as the archive that it is in itself: one round, which leads
/// from the set's position to its log_end_scn. `key`: of an encrypted set. Throws what ArchiveReader does.
std::shared_ptr<archive::ArchiveReader> openSetLog(std::shared_ptr<storage::Storage> destination,
                                                   const backup_set::BackupSetDescription& set,
                                                   const backup_set::ChainKeyPtr& key);

/// Where it lies, as the views show it.
std::string setLogUri(const std::string& destination_uri, const backup_set::BackupSetDescription& set);

}  // namespace tidemark::restore
