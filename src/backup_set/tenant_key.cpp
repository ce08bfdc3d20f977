#include "backup_set/tenant_key.h"

#include <fmt/format.h>

#include "backup_set/key_fields.h"
#include "base/crypto.h"
#include "base/error.h"
#include "base/hex.h"
#include "base/random.h"
#include "oceanbase/ob_error.h"
#include "storage/document.h"
#include "storage/file_storage.h"
#include "storage/loss.h"

namespace tidemark::backup_set {
namespace {

constexpr storage::DocumentType kKeyFile{"tidemark tenant key file", 1};
constexpr storage::DocumentType kSavedKey{"tidemark saved tenant key", 1};
constexpr std::string_view kFilePurpose = "key of a tenant's backups";
constexpr std::string_view kSavedPrefix = "backup_key_";
/// Of a key with 256 random bits nothing is gained by making it costly to try.
constexpr ScryptCost kNoCost{.n = 2, .r = 8, .p = 1};

/// A key as hexadecimal digits, sealed.
constexpr std::size_t kWrappedBytes = kNonceSize + 2 * kKeySize + kTagSize;

storage::FileStorage placeOf(const std::filesystem::path& file) {
    return storage::FileStorage(file.parent_path());
}

Bytes identityOf(const std::string& id) {
    return ByteWriter().text("tidemark saved tenant key").string(id).take();
}

/// nullopt if the password is another one.
std::optional<TenantKey> openSaved(storage::Storage& place, const storage::Key& key, std::string_view password) {
    const nlohmann::json content = storage::openDocument(kSavedKey, place, key).content;
    return storage::readFields(place.url() + "/" + key, [&]() -> std::optional<TenantKey> {
        TenantKey found{.id = idFrom(content, "id"), .text = {}};
        const Secret with =
            passwordKey(password, bytesFrom(content, "salt", PasswordKey::kSaltBytes), costFrom(content));
        auto opened = openAlone(with.bytes(), identityOf(found.id), bytesFrom(content, "wrapped", kWrappedBytes));
        if (!opened) return std::nullopt;
        found.text = std::move(*opened);
        return found;
    });
}

void putSaved(storage::Storage& place, const storage::Key& name, std::uint64_t tenant_id, const TenantKey& key,
              std::string_view password) {
    const PasswordKey with = PasswordKey::of(password);
    place.put(name,
              storage::sealDocument(
                  kSavedKey, {{"tenant_id", tenant_id},
                              {"id", key.id},
                              {"n", with.cost.n},
                              {"r", with.cost.r},
                              {"p", with.cost.p},
                              {"salt", hexOf(with.salt)},
                              {"wrapped", hexOf(sealAlone(with.key.bytes(), identityOf(key.id), key.text.bytes()))}}));
}

/// Reads it back and opens it, as who will need it does: a key that cannot be had again must not look saved.
void requireSaved(storage::Storage& place, const storage::Key& name, const TenantKey& key, std::string_view password,
                  bool was_there) {
    const std::string object = place.url() + "/" + name;
    std::string problem = object + " does not open to it";
    try {
        const auto saved = openSaved(place, name, password);
        if (saved && saved->id == key.id && saved->text.text() == key.text.text()) return;
        if (was_there && !saved) {
            throw Error(ErrorCode::AlreadyExists, object + " is there, under another password",
                        "name another directory: what is stored is never written again");
        }
    } catch (const Error& error) {
        if (!storage::isLoss(error)) throw;
        problem = error.what();
    }
    throw Error(ErrorCode::Corrupt, "the key is not saved: " + problem,
                was_there ? "it was stored before, and is damaged: name another directory"
                          : "the storage did not keep what it had accepted: check it, and name another directory");
}

}  // namespace

TenantKey TenantKey::random() {
    Bytes key = randomBytes(kKeySize);
    std::string text = hexOf(key);
    const Wiped first(key);
    const Wiped second(text);
    return {.id = hexOf(randomBytes(PasswordKey::kIdBytes)), .text = Secret::copyOf(viewOf(text))};
}

PasswordKey TenantKey::wrapping() const {
    PasswordKey made{.id = id, .salt = randomBytes(PasswordKey::kSaltBytes), .cost = kNoCost, .key = {}};
    made.key = passwordKey(text.text(), made.salt, made.cost);
    return made;
}

TenantKey readKeyFile(const std::filesystem::path& file, const NodeKey& node) {
    storage::FileStorage place = placeOf(file);
    const nlohmann::json content = storage::openDocument(kKeyFile, place, file.filename()).content;
    return storage::readFields(file.string(), [&] {
        TenantKey key{.id = idFrom(content, "id"), .text = {}};
        key.text = node.unwrap(storage::takeField<std::string>(content, "wrapped"), kFilePurpose);
        return key;
    });
}

TenantKey openKeyFile(const std::filesystem::path& file, const NodeKey& node) {
    try {
        return readKeyFile(file, node);
    } catch (const Error& error) {
        if (error.code() != ErrorCode::NotFound) throw;
    }
    const TenantKey made = TenantKey::random();
    try {
        placeOf(file).put(
            file.filename(),
            storage::sealDocument(kKeyFile, {{"id", made.id}, {"wrapped", node.wrap(made.text, kFilePurpose)}}));
    } catch (const Error& error) {
        if (error.code() != ErrorCode::AlreadyExists) throw;  // somebody else was faster
    }
    return readKeyFile(file, node);
}

void saveTenantKey(storage::Storage& place, std::uint64_t tenant_id, const TenantKey& key, std::string_view password) {
    const storage::Key name = fmt::format("{}{}_{}.obbak", kSavedPrefix, tenant_id, key.id);
    const bool is_there = place.stat(name).has_value();
    if (!is_there) putSaved(place, name, tenant_id, key, password);
    requireSaved(place, name, key, password, is_there);
}
std::vector<TenantKey> savedTenantKeys(storage::Storage& place, std::string_view password) {
    std::vector<TenantKey> keys;
    const auto saved = place.list(std::string(kSavedPrefix));
    if (saved.empty()) {
        throw obError(Ob::BackupFileNotExist, place.url() + " has no " + std::string(kSavedPrefix) + "…",
                      "name the directory that BACKUP KEY was given");
    }
    // A damaged one, or a file that only looks like one, is in nobody else's way.
    std::string damaged;
    for (const storage::ObjectInfo& object : saved) {
        try {
            if (auto key = openSaved(place, object.key, password)) keys.push_back(std::move(*key));
        } catch (const Error& error) {
            if (error.code() == ErrorCode::Unavailable) throw;
            damaged += (damaged.empty() ? "" : "; ") + std::string(error.what());
        }
    }
    if (!keys.empty()) return keys;
    if (!damaged.empty()) throw Error(ErrorCode::Corrupt, damaged);
    throw obError(Ob::BackupInvalidPassword, "it opens none of the keys at " + place.url(),
                  "ENCRYPTED BY is the password that BACKUP KEY was given");
}

}  // namespace tidemark::backup_set
