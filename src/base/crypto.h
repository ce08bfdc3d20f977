#pragma once

#include <optional>
#include <string_view>

#include "base/secret.h"

/// OpenSSL's ciphers as Tidemark uses them. All functions are thread-safe, and throw Internal where OpenSSL fails,
/// which it does for want of memory only.
namespace tidemark {

constexpr std::size_t kKeySize = 32;    ///< of AES-256, and of whatever keys are derived from
constexpr std::size_t kNonceSize = 12;  ///< GCM's own size
constexpr std::size_t kTagSize = 16;

/// Encrypts in place by AES-256-GCM. A nonce must never be used twice with a key for anything else. `identity` is
/// authenticated beside the bytes. Fills `tag`, kTagSize bytes.
void gcmSeal(ByteView key, ByteView nonce, ByteView identity, std::span<std::uint8_t> bytes,
             std::span<std::uint8_t> tag);
/// The counterpart. False if the tag is not right; the bytes are worth nothing then.
bool gcmOpen(ByteView key, ByteView nonce, ByteView identity, std::span<std::uint8_t> bytes, ByteView tag);

/// The same in one piece: a random nonce, the bytes encrypted, the tag. For few parts under one key, as nonces of 12
/// random bytes may be equal once in 2^48 or so.
Bytes sealAlone(ByteView key, ByteView identity, ByteView bytes);
/// nullopt if it was not sealed so.
std::optional<Secret> openAlone(ByteView key, ByteView identity, ByteView sealed);

/// A hash of 128 bits that only who has the key can compute, or find two inputs of: GMAC with a nonce of zeros. The key
/// serves nothing else, and the hashes have to stay secret too: who knows some could make others.
struct KeyedHash {
    std::uint64_t low = 0;
    std::uint64_t high = 0;
};
KeyedHash keyedHash(ByteView key, ByteView bytes);

/// A key for one purpose from a random one: HKDF-SHA256, `purpose` being its info.
Secret deriveKey(const Secret& from, ByteView purpose);

/// What a password costs to try: docs/decisions/encryption.md.
struct ScryptCost {
    std::uint64_t n = 1 << 17;  ///< times 128 * r bytes of memory
    std::uint32_t r = 8;
    std::uint32_t p = 1;

    bool operator==(const ScryptCost&) const = default;
};
/// A key from a password. Takes half a second and 128 MiB; one caller at a time, others wait. Throws Corrupt if the
/// cost is more than 1 GiB of memory, or the time that it takes to fill that, or is none at all.
Secret passwordKey(std::string_view password, ByteView salt, const ScryptCost& cost = {});

}  // namespace tidemark
