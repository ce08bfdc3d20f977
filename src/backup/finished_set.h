#pragma once

#include <optional>

#include "backup_set/backup_set.h"
#include "catalog/backup_store.h"
#include "storage/storage.h"

namespace tidemark::backup {

/// What the views show of a set, by its description.
catalog::BackupStats statsOf(const backup_set::BackupSetDescription& description);

/// A complete set as the catalog has it, by its description; without where it lies and what it is encrypted by.
catalog::BackupSet entryOf(catalog::TenantId tenant, const backup_set::BackupSetDescription& description);

/// A tenant's set as the destination has it, if it is complete there: such a set can be restored, whatever became of
/// its job. That happens when the last object was stored and the daemon ended, or was told that storing failed, before
/// the catalog knew of it.
///
/// nullopt if the set is not complete. Reads back what a restore needs, as the end of a backup does, and throws what is
/// wrong with it, and what the storage throws.
std::optional<catalog::BackupSet> finishedSet(storage::Storage& storage, catalog::TenantId tenant, backup_set::SetId id,
                                              const backup_set::ChainKeyPtr& key = {});

}  // namespace tidemark::backup
