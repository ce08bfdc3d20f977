#include "restore/set_keys.h"

#include "oceanbase/ob_error.h"

namespace tidemark::restore {

SetKeys::SetKeys(const backup_set::ChainKeyPtr& key) {
    if (key) known_.emplace(backup_set::chainIdOf(*key), key);
}

backup_set::ChainKeyPtr SetKeys::find(storage::Storage& storage, const backup_set::SetId& id) {
    const backup_set::KeyBag bag = backup_set::readKeyBag(storage, id);
    if (const auto known = known_.find(bag.chain); known != known_.end()) return known->second;
    const auto opened = [&]() -> backup_set::ChainKeyPtr {
        for (const backup_set::TenantKey& tenant : tenant_keys_) {
            if (auto key = backup_set::unwrapKey(bag, tenant)) return key;
        }
        for (const Secret& password : passwords_) {
            if (auto key = backup_set::unwrapKey(bag, password.text())) return key;
        }
        return nullptr;
    };
    const auto key = opened();
    if (key) known_.emplace(bag.chain, key);
    return key;
}

backup_set::ChainKeyPtr SetKeys::keyOf(storage::Storage& storage, const backup_set::SetId& id) {
    if (const auto key = find(storage, id)) return key;
    const std::string set = std::to_string(id.number) + " at " + storage.url();
    throw obError(Ob::BackupInvalidPassword,
                  passwords_.empty() ? "backup set " + set + " is encrypted, and no password was given"
                                     : "none that was given opens backup set " + set,
                  "SET DECRYPTION IDENTIFIED BY the password of the set, then RESTORE in the same session; of a set whose "
                  "ENCRYPTION_MODE is TRANSPARENT_ENCRYPTION: RESTORE … WITH KEY FROM what BACKUP KEY has stored");
}

}  // namespace tidemark::restore
