#pragma once

#include <optional>

#include "backup_set/backup_set.h"
#include "base/log.h"
#include "catalog/backup_store.h"
#include "storage/storage.h"

namespace tidemark::backup {

/// The id of a set that the catalog knows, at its destination.
backup_set::SetId idOf(const catalog::BackupSet& set);

/// Whether an incremental set of this destination may lean on it.
bool canBeParent(const catalog::BackupSet& set, std::int64_t dest_id);

/// The set that a new incremental one leans on: the newest of `sets` that may be and is whole at the destination, as far
/// as can be seen without reading its data. nullopt if there is none: then a full set is due. Throws what the storage
/// throws if it does not answer.
std::optional<backup_set::BackupSetDescription> findParent(storage::Storage& storage,
                                                           const std::vector<catalog::BackupSet>& sets,
                                                           std::int64_t dest_id, const Logger& log);

}  // namespace tidemark::backup
