#pragma once

#include "base/password_key.h"
#include "storage/document.h"

// Fields of documents that hold wrapped keys. All reading throws json::exception or range_error.

namespace tidemark::backup_set {

/// Hexadecimal digits of that many bytes.
Bytes bytesFrom(const nlohmann::json& content, const char* name, std::size_t size);
/// The id of a key: 16 hexadecimal digits.
std::string idFrom(const nlohmann::json& content, const char* name);
/// What a password becomes a key with: `n`, `r`, `p`.
ScryptCost costFrom(const nlohmann::json& content);

}  // namespace tidemark::backup_set
