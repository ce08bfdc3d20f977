#include "block/layer_key.h"

#include <array>

#include "base/crypto.h"
#include "base/error.h"
#include "base/hash.h"
#include "block/page_hash.h"

namespace tidemark::block {
namespace {

Bytes identityOf(const PartId& id) {
    return ByteWriter().u8(static_cast<std::uint8_t>(id.kind)).u64(id.layer).u64(id.number).take();
}

/// Kind and number are what no two parts of a layer, which has its own key, have in common.
Bytes nonceOf(const PartId& id) {
    return ByteWriter().u8(static_cast<std::uint8_t>(id.kind)).u24(0).u64(id.number).take();
}

Bytes purposeOf(const LayerId& layer) {
    return ByteWriter().text("tidemark layer").u64(layer.id).u32(layer.set).u32(layer.turn).take();
}

std::uint64_t checksumOf(const PartId& id, ByteView part) {
    return xxh3(part, xxh3(identityOf(id)));
}

}  // namespace

std::shared_ptr<const ChainKey> ChainKey::random() {
    return std::make_shared<const ChainKey>(Secret::random(kSize));
}

ChainKey::ChainKey(Secret secret) : secret_(std::move(secret)) {
    static_assert(kSize == kKeySize);
    if (secret_.size() != kSize) throw Error(ErrorCode::Corrupt, "the key of a backup set has another size");
}

Secret ChainKey::derived(ByteView purpose) const {
    return deriveKey(secret_, purpose);
}

LayerKey::LayerKey(const ChainKeyPtr& chain, const LayerId& layer) {
    if (!chain) return;
    key_ = chain->derived(purposeOf(layer));
    page_hash_ = chain->derived(viewOf("tidemark page hashes"));
}

LayerKey::LayerKey(const ChainKeyPtr& chain, const LayerId& layer, Cipher cipher, const std::string& object)
    : LayerKey(chain, layer) {
    if (cipher == this->cipher()) return;
    if (!chain) {
        throw Error(ErrorCode::Denied, object + " is encrypted, and its key is not known",
                    "SET DECRYPTION IDENTIFIED BY the password of the backup set");
    }
    throw Error(ErrorCode::Corrupt, object + " is not encrypted, as all of its backup set is",
                "find out who can write to the destination; restore from another backup set");
}

void LayerKey::seal(const PartId& id, std::span<std::uint8_t> part, std::span<std::uint8_t> seal) const {
    if (!key_.empty()) return gcmSeal(key_.bytes(), nonceOf(id), identityOf(id), part, seal);
    const Bytes checksum = ByteWriter().u64(checksumOf(id, part)).take();
    std::copy(checksum.begin(), checksum.end(), seal.begin());
}

std::optional<std::span<std::uint8_t>> LayerKey::open(const PartId& id, std::span<std::uint8_t> stored) const {
    if (stored.size() < sealSize()) return std::nullopt;
    const auto part = stored.first(stored.size() - sealSize());
    const ByteView seal = stored.last(sealSize());
    const bool fits = key_.empty() ? ByteReader(seal, "seal").u64() == checksumOf(id, part)
                                   : gcmOpen(key_.bytes(), nonceOf(id), identityOf(id), part, seal);
    if (!fits) return std::nullopt;
    return part;
}

Bytes LayerKey::sealed(const PartId& id, Bytes part) const {
    const std::size_t size = part.size();
    part.resize(size + sealSize());
    seal(id, std::span(part).first(size), std::span(part).subspan(size));
    return part;
}

PageHash LayerKey::hashOf(ByteView page) const {
    if (page_hash_.empty()) return hashOfPage(page);
    const KeyedHash hash = keyedHash(page_hash_.bytes(), page);
    return {.low = hash.low, .high = hash.high};
}

}  // namespace tidemark::block
