#pragma once

#include <nlohmann/json.hpp>

#include "backup_set/backup_set.h"
#include "storage/document.h"

namespace tidemark::backup_set {

constexpr int kDescriptionVersion = 1;

/// The description as JSON, and back. Throws json::exception for what lacks something.
nlohmann::json contentOf(const BackupSetDescription& description);
BackupSetDescription descriptionFrom(const storage::Document& document);

Bytes encodeDescription(const BackupSetDescription& description);
/// Throws NotFound or Corrupt, naming the object.
BackupSetDescription decodeDescription(storage::Storage& storage, const storage::Key& key);

}  // namespace tidemark::backup_set
