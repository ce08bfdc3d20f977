#include "base/crypto.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>

#include <algorithm>
#include <bit>
#include <memory>

#include "base/error.h"
#include "base/mutex.h"
#include "base/random.h"

namespace tidemark {
namespace {

void require(bool good, const char* what) {
    if (!good) throw Error(ErrorCode::Internal, std::string("OpenSSL refused ") + what);
}

/// Looked up once: by name each time costs as much as a page.
const EVP_CIPHER* gcm() {
    static EVP_CIPHER* const cipher = EVP_CIPHER_fetch(nullptr, "AES-256-GCM", nullptr);
    require(cipher != nullptr, "AES-256-GCM");
    return cipher;
}

/// One use of the cipher; the key goes with it.
class Gcm {
public:
    Gcm(bool encrypt, ByteView key, ByteView nonce) : context_(EVP_CIPHER_CTX_new(), EVP_CIPHER_CTX_free) {
        require(context_ != nullptr && key.size() == kKeySize && nonce.size() == kNonceSize &&
                    EVP_CipherInit_ex2(context_.get(), gcm(), key.data(), nonce.data(), encrypt ? 1 : 0, nullptr) == 1,
                "a key");
    }

    void identity(ByteView bytes) {
        int size = 0;
        require(EVP_CipherUpdate(context_.get(), nullptr, &size, bytes.data(), lengthOf(bytes)) == 1, "an identity");
    }
    void update(std::span<std::uint8_t> bytes) {
        int size = 0;
        require(EVP_CipherUpdate(context_.get(), bytes.data(), &size, bytes.data(), lengthOf(bytes)) == 1, "bytes");
    }
    bool finish() {
        std::uint8_t none[kTagSize];
        int size = 0;
        return EVP_CipherFinal_ex(context_.get(), none, &size) == 1;
    }
    void takeTag(std::span<std::uint8_t> tag) {
        require(tag.size() == kTagSize && control(EVP_CTRL_AEAD_GET_TAG, tag.data()), "to make a tag");
    }
    void expectTag(ByteView tag) {
        std::uint8_t copy[kTagSize];
        require(tag.size() == kTagSize, "a tag");
        std::copy(tag.begin(), tag.end(), copy);
        require(control(EVP_CTRL_AEAD_SET_TAG, copy), "a tag");
    }

private:
    static int lengthOf(ByteView bytes) {
        require(bytes.size() <= INT32_MAX, "so many bytes");
        return static_cast<int>(bytes.size());
    }
    bool control(int what, void* with) { return EVP_CIPHER_CTX_ctrl(context_.get(), what, kTagSize, with) == 1; }

    std::unique_ptr<EVP_CIPHER_CTX, void (*)(EVP_CIPHER_CTX*)> context_;
};

constexpr std::uint64_t kMostMemory = 1ULL << 30;

}  // namespace

void gcmSeal(ByteView key, ByteView nonce, ByteView identity, std::span<std::uint8_t> bytes,
             std::span<std::uint8_t> tag) {
    Gcm cipher(true, key, nonce);
    cipher.identity(identity);
    cipher.update(bytes);
    require(cipher.finish(), "to encrypt");
    cipher.takeTag(tag);
}

bool gcmOpen(ByteView key, ByteView nonce, ByteView identity, std::span<std::uint8_t> bytes, ByteView tag) {
    if (tag.size() != kTagSize) return false;
    Gcm cipher(false, key, nonce);
    cipher.identity(identity);
    cipher.update(bytes);
    cipher.expectTag(tag);
    return cipher.finish();
}

Bytes sealAlone(ByteView key, ByteView identity, ByteView bytes) {
    Bytes sealed = randomBytes(kNonceSize);
    sealed.insert(sealed.end(), bytes.begin(), bytes.end());
    sealed.resize(sealed.size() + kTagSize);
    const auto all = std::span(sealed);
    gcmSeal(key, all.first(kNonceSize), identity, all.subspan(kNonceSize, bytes.size()), all.last(kTagSize));
    return sealed;
}

std::optional<Secret> openAlone(ByteView key, ByteView identity, ByteView sealed) {
    if (sealed.size() < kNonceSize + kTagSize) return std::nullopt;
    Secret bytes = Secret::copyOf(sealed.subspan(kNonceSize, sealed.size() - kNonceSize - kTagSize));
    if (!gcmOpen(key, sealed.first(kNonceSize), identity, bytes.bytes(), sealed.last(kTagSize))) return std::nullopt;
    return bytes;
}

KeyedHash keyedHash(ByteView key, ByteView bytes) {
    static constexpr std::uint8_t kNoNonce[kNonceSize] = {};
    Gcm cipher(true, key, kNoNonce);
    cipher.identity(bytes);
    require(cipher.finish(), "to hash");
    std::uint8_t tag[kTagSize];
    cipher.takeTag(tag);
    ByteReader in(tag, "hash");
    KeyedHash hash;
    hash.low = in.u64();
    hash.high = in.u64();
    return hash;
}

Secret deriveKey(const Secret& from, ByteView purpose) {
    static EVP_KDF* const hkdf = EVP_KDF_fetch(nullptr, "HKDF", nullptr);
    const std::unique_ptr<EVP_KDF_CTX, void (*)(EVP_KDF_CTX*)> context(EVP_KDF_CTX_new(hkdf), EVP_KDF_CTX_free);
    require(context != nullptr, "HKDF");
    char digest[] = "SHA256";
    const auto octets = [](const char* name, ByteView bytes) {
        return OSSL_PARAM_construct_octet_string(name, const_cast<std::uint8_t*>(bytes.data()), bytes.size());
    };
    const OSSL_PARAM parameters[] = {OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest, 0),
                                     octets(OSSL_KDF_PARAM_KEY, from.bytes()), octets(OSSL_KDF_PARAM_INFO, purpose),
                                     OSSL_PARAM_construct_end()};
    Secret key(kKeySize);
    require(EVP_KDF_derive(context.get(), key.bytes().data(), key.size(), parameters) == 1, "to derive a key");
    return key;
}

Secret passwordKey(std::string_view password, ByteView salt, const ScryptCost& cost) {
    // Each bounded first, so that their product is a number.
    const bool possible = cost.n > 1 && std::has_single_bit(cost.n) && cost.n <= kMostMemory && cost.r > 0 &&
                          cost.r <= 1024 && cost.p > 0 && cost.p <= 16 && cost.n * 128 * cost.r * cost.p <= kMostMemory;
    if (!possible) throw Error(ErrorCode::Corrupt, "no password is tried at such a cost");
    static Mutex mutex;
    const MutexLock lock(mutex);
    Secret key(kKeySize);
    require(EVP_PBE_scrypt(password.data(), password.size(), salt.data(), salt.size(), cost.n, cost.r, cost.p,
                           kMostMemory + (64U << 20), key.bytes().data(), key.size()) == 1,
            "to make a key from a password");
    return key;
}

}  // namespace tidemark
