#pragma once

#include "block/backup_set.h"

namespace tidemark::block {

Bytes encodeDescription(const BackupSetDescription& description);
/// Throws NotFound or Corrupt, naming the object.
BackupSetDescription decodeDescription(storage::Storage& storage, const storage::Key& key);

}  // namespace tidemark::block
