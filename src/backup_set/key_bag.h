#pragma once

#include <string>
#include <vector>

#include "backup_set/backup_set.h"
#include "backup_set/tenant_key.h"
#include "base/password_key.h"
#include "storage/document.h"

namespace tidemark::backup_set {

/// What an entry of a bag is opened by.
enum class KeyMethod { Password, TenantKey };
/// As ENCRYPTION_MODE shows it.
const char* encryptionMode(KeyMethod method);

/// The chain key of a set, wrapped: `backup_set_key.obbak`, which anybody may read. See docs/format/backup_set.md.
struct KeyBag {
    struct Entry {
        KeyMethod method = KeyMethod::Password;
        std::string id;
        Bytes salt;
        ScryptCost cost;
        Bytes wrapped;
    };
    std::string chain;  ///< chainIdOf()
    std::vector<Entry> entries;

    bool empty() const { return entries.empty(); }
};

/// Tells chain keys apart and nothing about them: 16 hexadecimal digits.
std::string chainIdOf(const block::ChainKey& key);

KeyBag wrapKey(const block::ChainKey& key, const PasswordKey& with, KeyMethod method = KeyMethod::Password);
/// Null if it is not the password. Takes half a second per entry.
block::ChainKeyPtr unwrapKey(const KeyBag& bag, std::string_view password);
/// Null if it is not the tenant's key, which the bag would name.
block::ChainKeyPtr unwrapKey(const KeyBag& bag, const TenantKey& key);

nlohmann::json contentOf(const KeyBag& bag);
/// Throws json::exception, range_error.
KeyBag keyBagFrom(const nlohmann::json& content);

/// Where it lies.
storage::Key keyBagKey(const SetId& id);
/// Stores the bag of a set unless it has one. Its own, as the keys of its blocks are in it.
void putKeyBag(storage::Storage& storage, const SetId& id, const KeyBag& bag);
/// Throws NotFound or Corrupt, naming the object.
KeyBag readKeyBag(storage::Storage& storage, const SetId& id);

}  // namespace tidemark::backup_set
