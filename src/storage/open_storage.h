#pragma once

#include <memory>
#include <string>

#include "storage/storage.h"

namespace tidemark::storage {

/// Opens the storage that a URI names. Only `file:///absolute/directory` so far; its directory is not looked at here.
/// Throws Ob::InvalidBackupDest for what is no URI of ours, Ob::NotSupported for s3://, oss:// and cos://.
std::unique_ptr<Storage> openStorage(const std::string& uri);

/// The URI in the form in which it is recorded and compared: no secret, no doubled or trailing '/'. Throws like
/// openStorage.
std::string plainUri(const std::string& uri);

}  // namespace tidemark::storage
