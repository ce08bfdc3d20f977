#pragma once

#include <memory>
#include <optional>
#include <string>

#include "base/secret.h"
#include "block/object_format.h"
#include "block/page.h"

namespace tidemark::block {

/// The random key that all layers of a full set and of those that lean on it are encrypted with, each by a key of its
/// own that comes from this one. Thread-safe.
class ChainKey {
public:
    static constexpr std::size_t kSize = 32;

    static std::shared_ptr<const ChainKey> random();
    /// Of what secret() gave. Throws Corrupt if that is no key.
    explicit ChainKey(Secret secret);

    const Secret& secret() const { return secret_; }
    /// A key for one purpose.
    Secret derived(ByteView purpose) const;

private:
    const Secret secret_;
};
/// Null: the set is not encrypted.
using ChainKeyPtr = std::shared_ptr<const ChainKey>;

/// How the parts of a layer are stored, and what names its pages: docs/format/macro_block.md. Without a key parts are
/// as they are, with a checksum. With one they are encrypted by AES-256-GCM. Thread-safe.
class LayerKey {
public:
    /// For writing.
    LayerKey(const ChainKeyPtr& chain, const LayerId& layer);
    /// For reading what says that it is stored by `cipher`. Throws Denied, naming the object, if it is encrypted and
    /// there is no key; Corrupt if it is not and there is one: somebody has put it there.
    LayerKey(const ChainKeyPtr& chain, const LayerId& layer, Cipher cipher, const std::string& object);

    Cipher cipher() const { return key_.empty() ? Cipher::None : Cipher::Aes256Gcm; }
    std::size_t sealSize() const { return block::sealSize(cipher()); }
    std::size_t hashSize() const { return block::hashSize(cipher()); }

    /// Makes a part what is stored, in place, and fills its seal: sealSize() bytes. No two different parts of a layer
    /// may have one id.
    void seal(const PartId& id, std::span<std::uint8_t> part, std::span<std::uint8_t> seal) const;
    /// Undoes that for a part with its seal, in place; nullopt if it is not that part.
    std::optional<std::span<std::uint8_t>> open(const PartId& id, std::span<std::uint8_t> stored) const;
    /// The part with its seal, as it is stored.
    Bytes sealed(const PartId& id, Bytes part) const;

    /// The same in all layers of a chain.
    PageHash hashOf(ByteView page) const;

private:
    Secret key_;        ///< of this layer; empty: none
    Secret page_hash_;  ///< of the chain
};

}  // namespace tidemark::block
