#pragma once

#include <nlohmann/json.hpp>

#include "backup_set/backup_set.h"
#include "storage/document.h"

namespace tidemark::backup_set {

constexpr int kDescriptionVersion = 1;

/// The description as JSON, and back. Throws json::exception for what lacks something.
nlohmann::json contentOf(const BackupSetDescription& description);
BackupSetDescription descriptionFrom(const storage::Document& document);

/// With a key, what tells of the content is encrypted, under another nonce each time.
Bytes encodeDescription(const BackupSetDescription& description, const ChainKeyPtr& chain = {});
/// Without a key an encrypted one stays sealed. Throws NotFound or Corrupt, naming the object, also if the key is not
/// its, or there is one and it is not encrypted.
BackupSetDescription decodeDescription(storage::Storage& storage, const storage::Key& key,
                                       const ChainKeyPtr& chain = {});

}  // namespace tidemark::backup_set
