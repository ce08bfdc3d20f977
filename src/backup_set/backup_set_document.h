#pragma once

#include "backup_set/backup_set.h"

namespace tidemark::backup_set {

Bytes encodeDescription(const BackupSetDescription& description);
/// Throws NotFound or Corrupt, naming the object.
BackupSetDescription decodeDescription(storage::Storage& storage, const storage::Key& key);

}  // namespace tidemark::backup_set
