#pragma once

#include "backup/data_backup.h"
#include "backup/set_encryption.h"
#include "catalog/backup_store.h"

// What a backup does at its destination beside copying (data_backup.h); backup_job.h has it in order, with the catalog.

namespace tidemark::backup {

/// A new set's number is at least this: above every number at the destination, finished or not, for objects never
/// change.
std::int64_t leastSetId(storage::Storage& storage);

/// How often the files of a set are copied before errors that may pass are a failure.
constexpr int kMostCopies = 4;

/// Makes `set` an incremental one against `parent`.
void leanOn(catalog::BackupSet& set, const backup_set::BackupSetDescription& parent);

/// Notes what a copy, which is whole, tells of its set. `gtid`: of its position, what counts for a restore.
void describeCopy(backup_set::BackupSetDescription& description, const DataBackupResult& copied, std::uint32_t turn,
                  const std::string& gtid);

/// Makes a set visible, whose description is complete but for the end, which is `now`, and its key bag. Throws what
/// backup_set::finishBackupSet() throws. May be called again after any failure, and goes on with what is described
/// then.
void makeSetVisible(storage::Storage& storage, backup_set::BackupSetDescription& description,
                    const SetEncryption& encryption, const backup_set::ChainKeyPtr& key, Nanos now,
                    const std::stop_token& stop = {});

}  // namespace tidemark::backup
