#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "base/node_key.h"
#include "base/password_key.h"
#include "storage/storage.h"

namespace tidemark::backup_set {

/// What takes the place of a password in the backups of a tenant that nobody types one for: 256 random bits. Key bags
/// name it by its id.
struct TenantKey {
    std::string id;
    Secret text;  ///< as hexadecimal digits, what a password would be

    static TenantKey random();
    /// What wraps the keys of sets; the same every time but for the salt. Needs no time: there is nothing to guess.
    PasswordKey wrapping() const;
};

/// The key in a tenant's key file, which the node's own has wrapped: docs/format/backup_set.md. Throws NotFound;
/// Corrupt, also if another node's key has; Unavailable if there is no such directory.
TenantKey readKeyFile(const std::filesystem::path& file, const NodeKey& node);
/// The same; makes the file (0600), with a new key, if it is not there.
TenantKey openKeyFile(const std::filesystem::path& file, const NodeKey& node);

/// Stores a copy that a password opens, beside others, and reads it back: Corrupt if it is not what was written. Stores
/// nothing if this key is there already under that password; throws AlreadyExists if it is there under another one.
void saveTenantKey(storage::Storage& place, std::uint64_t tenant_id, const TenantKey& key, std::string_view password);
/// All that were stored there and that the password opens; half a second for each. Throws Ob::BackupFileNotExist if
/// none was stored, Ob::BackupInvalidPassword if it opens none; Corrupt.
std::vector<TenantKey> savedTenantKeys(storage::Storage& place, std::string_view password);

}  // namespace tidemark::backup_set
