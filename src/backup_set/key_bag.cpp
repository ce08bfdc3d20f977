#include "backup_set/key_bag.h"

#include "backup_set/key_fields.h"
#include "base/error.h"
#include "base/hex.h"

namespace tidemark::backup_set {
namespace {

using nlohmann::json;

constexpr storage::DocumentType kKeyBagDocument{"tidemark key bag", 1};
/// By KeyMethod.
constexpr const char* kMethods[] = {"scrypt", "tenant key"};
/// A set has one entry; more are for other ways to open it.
constexpr std::size_t kMostEntries = 16;

/// What is authenticated beside a wrapped key, so that no entry is taken for one of another chain.
Bytes identityOf(const std::string& chain, const std::string& id) {
    return ByteWriter().text("tidemark key bag").string(chain).string(id).take();
}

KeyBag::Entry entryFrom(const json& content) {
    const auto method = storage::takeField<std::string>(content, "method");
    const bool by_tenant = method == kMethods[1];
    if (!by_tenant && method != kMethods[0]) throw std::range_error("a key is wrapped by '" + method + "'");
    return {.method = by_tenant ? KeyMethod::TenantKey : KeyMethod::Password,
            .id = idFrom(content, "id"),
            .salt = bytesFrom(content, "salt", PasswordKey::kSaltBytes),
            .cost = costFrom(content),
            .wrapped = bytesFrom(content, "wrapped", kNonceSize + block::ChainKey::kSize + kTagSize)};
}

}  // namespace

storage::Key keyBagKey(const SetId& id) {
    return setDirectory(id) + "backup_set_key.obbak";
}

std::string chainIdOf(const block::ChainKey& key) {
    return hexOf(key.derived(viewOf("tidemark chain id")).bytes().first(PasswordKey::kIdBytes));
}

const char* encryptionMode(KeyMethod method) {
    return method == KeyMethod::Password ? "PASSWORD" : "TRANSPARENT_ENCRYPTION";
}

KeyBag wrapKey(const block::ChainKey& key, const PasswordKey& with, KeyMethod method) {
    KeyBag bag{.chain = chainIdOf(key), .entries = {}};
    bag.entries.push_back(
        {.method = method,
         .id = with.id,
         .salt = with.salt,
         .cost = with.cost,
         .wrapped = sealAlone(with.key.bytes(), identityOf(bag.chain, with.id), key.secret().bytes())});
    return bag;
}

static block::ChainKeyPtr unwrapEntry(const KeyBag& bag, const KeyBag::Entry& entry, std::string_view text) {
    const Secret key = passwordKey(text, entry.salt, entry.cost);
    auto opened = openAlone(key.bytes(), identityOf(bag.chain, entry.id), entry.wrapped);
    return opened ? std::make_shared<const block::ChainKey>(std::move(*opened)) : nullptr;
}

block::ChainKeyPtr unwrapKey(const KeyBag& bag, std::string_view password) {
    for (const KeyBag::Entry& entry : bag.entries) {
        if (entry.method != KeyMethod::Password) continue;
        if (auto key = unwrapEntry(bag, entry, password)) return key;
    }
    return nullptr;
}

block::ChainKeyPtr unwrapKey(const KeyBag& bag, const TenantKey& key) {
    for (const KeyBag::Entry& entry : bag.entries) {
        if (entry.method != KeyMethod::TenantKey || entry.id != key.id) continue;
        if (auto opened = unwrapEntry(bag, entry, key.text.text())) return opened;
    }
    return nullptr;
}

json contentOf(const KeyBag& bag) {
    json entries = json::array();
    for (const KeyBag::Entry& entry : bag.entries) {
        entries.push_back({{"id", entry.id},
                           {"method", kMethods[static_cast<std::size_t>(entry.method)]},
                           {"n", entry.cost.n},
                           {"r", entry.cost.r},
                           {"p", entry.cost.p},
                           {"salt", hexOf(entry.salt)},
                           {"wrapped", hexOf(entry.wrapped)}});
    }
    return {{"chain", bag.chain}, {"keys", std::move(entries)}};
}

KeyBag keyBagFrom(const json& content) {
    KeyBag bag{.chain = idFrom(content, "chain"), .entries = {}};
    if (content.at("keys").size() > kMostEntries) throw std::range_error("there are more keys than in any bag");
    if (content.at("keys").empty()) throw std::range_error("there is no key");
    for (const json& entry : content.at("keys"))
        bag.entries.push_back(entryFrom(entry));
    return bag;
}

void putKeyBag(storage::Storage& storage, const SetId& id, const KeyBag& bag) {
    if (!storage.stat(keyBagKey(id))) storage.put(keyBagKey(id), storage::sealDocument(kKeyBagDocument, contentOf(bag)));
}

KeyBag readKeyBag(storage::Storage& storage, const SetId& id) {
    const storage::Document document = storage::openDocument(kKeyBagDocument, storage, keyBagKey(id));
    return storage::readFields(storage.url() + "/" + keyBagKey(id), [&] { return keyBagFrom(document.content); });
}

}  // namespace tidemark::backup_set
