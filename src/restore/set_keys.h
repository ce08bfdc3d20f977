#pragma once

#include <map>
#include <span>
#include <string>

#include "backup_set/key_bag.h"

namespace tidemark::restore {

/// Opens encrypted sets with the passwords of a session, and with keys of tenants. Sets of one chain have one key, so that a password is tried
/// once for all of them: it takes half a second. Not thread-safe.
class SetKeys {
public:
    explicit SetKeys(std::span<const Secret> passwords, std::span<const backup_set::TenantKey> tenant_keys = {})
        : passwords_(passwords), tenant_keys_(tenant_keys) {}
    /// With a key that is known.
    explicit SetKeys(const backup_set::ChainKeyPtr& key);

    /// The key of a set. Throws Ob::BackupInvalidPassword if none of the passwords is its, or there is none.
    backup_set::ChainKeyPtr keyOf(storage::Storage& storage, const backup_set::SetId& id);
    /// The same; null if none of them is its.
    backup_set::ChainKeyPtr find(storage::Storage& storage, const backup_set::SetId& id);

private:
    std::span<const Secret> passwords_;
    std::span<const backup_set::TenantKey> tenant_keys_;
    std::map<std::string, backup_set::ChainKeyPtr> known_;  ///< by chain
};

}  // namespace tidemark::restore
