#include "backup_set/sealed_storage.h"

#include <algorithm>

#include "base/crypto.h"
#include "base/error.h"
#include "base/random.h"

namespace tidemark::backup_set {
namespace {

constexpr std::string_view kSealMagic = "TDMKSEAL";
constexpr std::uint16_t kSealVersion = 1;
constexpr std::size_t kSealHead = 32;
constexpr std::uint64_t kPart = 64 << 10;
constexpr std::uint64_t kStoredPart = kPart + kTagSize;

/// Parts of an object: one at least, and all but the last one are full.
std::uint64_t partsOfSize(std::uint64_t plain) {
    return std::max<std::uint64_t>(1, block::partsOf(plain, kPart));
}

/// What encrypts the parts of one object: a key of its own, so that a part's number is its nonce.
class ObjectKey {
public:
    ObjectKey(const block::ChainKey& chain, ByteView head, const storage::Key& name)
        : name_(name), key_(chain.derived(ByteWriter().text("tidemark set log").bytes(head).take())) {}

    void seal(std::uint64_t part, bool last, std::span<std::uint8_t> bytes, std::span<std::uint8_t> tag) const {
        gcmSeal(key_.bytes(), nonce(part), identity(part, last), bytes, tag);
    }
    bool open(std::uint64_t part, bool last, std::span<std::uint8_t> bytes, ByteView tag) const {
        return gcmOpen(key_.bytes(), nonce(part), identity(part, last), bytes, tag);
    }

private:
    static Bytes nonce(std::uint64_t part) { return ByteWriter().u64(part).u32(0).take(); }
    /// The last one says that it is, so that a cut is noticed.
    Bytes identity(std::uint64_t part, bool last) const {
        return ByteWriter().string(name_).u64(part).u8(last ? 1 : 0).take();
    }

    const storage::Key name_;
    const Secret key_;
};

Bytes newHead() {
    ByteWriter head;
    head.text(kSealMagic).u16(kSealVersion).bytes(Bytes(6)).u64(randomU63()).u64(randomU63());
    return head.take();
}

}  // namespace

class SealedStorage::Writer : public storage::ObjectWriter {
public:
    Writer(std::unique_ptr<storage::ObjectWriter> inner, const block::ChainKey& chain, const storage::Key& name)
        : inner_(std::move(inner)), head_(newHead()), key_(chain, head_, name) {
        inner_->append(head_);
    }

    void append(ByteView bytes) override {
        while (!bytes.empty()) {
            if (part_.size() == kPart) store(false);  // not the last one: there is more
            const std::size_t size = std::min<std::size_t>(bytes.size(), kPart - part_.size());
            part_.insert(part_.end(), bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(size));
            bytes = bytes.subspan(size);
        }
    }
    void finish() override {
        store(true);
        inner_->finish();
    }

private:
    void store(bool last) {
        Bytes tag(kTagSize);
        key_.seal(number_++, last, part_, tag);
        inner_->append(part_);
        inner_->append(tag);
        part_.clear();
    }

    const std::unique_ptr<storage::ObjectWriter> inner_;
    const Bytes head_;
    const ObjectKey key_;
    Bytes part_;
    std::uint64_t number_ = 0;
};

void SealedStorage::fail(const storage::Key& key, const std::string& what) const {
    throw Error(ErrorCode::Corrupt, url() + "/" + key + " " + what);
}

std::uint64_t SealedStorage::plainSize(const storage::ObjectInfo& stored) const {
    if (stored.size < kSealHead + kTagSize) fail(stored.key, "is too short");
    const std::uint64_t parts = stored.size - kSealHead;
    const std::uint64_t count = block::partsOf(parts, kStoredPart);
    if (parts < count * kTagSize) fail(stored.key, "ends within a part");
    return parts - count * kTagSize;
}

std::unique_ptr<storage::ObjectWriter> SealedStorage::create(const storage::Key& key) {
    return std::make_unique<Writer>(inner_.create(key), *chain_, key);
}

Bytes SealedStorage::get(const storage::Key& key, std::uint64_t offset, std::uint64_t size) {
    const auto info = stat(key);
    if (!info) throw Error(ErrorCode::NotFound, url() + "/" + key + " does not exist");
    if (offset > info->size || size > info->size - offset) {
        fail(key, "has " + std::to_string(info->size) + " bytes; " + std::to_string(size) + " at " +
                      std::to_string(offset) + " are wanted");
    }
    const Bytes head = inner_.get(key, 0, kSealHead);
    ByteReader in(head, "head");
    if (textOf(in.bytes(kSealMagic.size())) != kSealMagic) fail(key, "is not encrypted as the log of a set is");
    if (in.u16() > kSealVersion)
        throw Error(ErrorCode::InvalidRequest, url() + "/" + key + " was written by a newer version",
                    "update Tidemark on this node");
    const ObjectKey object_key(*chain_, head, key);
    const std::uint64_t count = partsOfSize(info->size);
    const std::uint64_t first = offset / kPart;
    const std::uint64_t end = size == 0 ? first : block::partsOf(offset + size, kPart);
    if (end == first) return {};
    const std::uint64_t bytes_end = std::min(info->size, end * kPart);
    Bytes stored = inner_.get(key, kSealHead + first * kStoredPart, bytes_end - first * kPart + (end - first) * kTagSize);
    Bytes plain;
    plain.reserve(bytes_end - first * kPart);
    for (std::uint64_t part = first; part < end; ++part) {
        const std::uint64_t bytes = std::min(kPart, info->size - part * kPart);
        const std::span all = std::span(stored).subspan((part - first) * kStoredPart, bytes + kTagSize);
        if (!object_key.open(part, part + 1 == count, all.first(bytes), all.subspan(bytes)))
            fail(key,
                 "is damaged in the " + std::to_string(kPart) + " bytes from " + std::to_string(part * kPart) + " on");
        plain.insert(plain.end(), all.begin(), all.begin() + static_cast<std::ptrdiff_t>(bytes));
    }
    const auto begin = plain.begin() + static_cast<std::ptrdiff_t>(offset - first * kPart);
    return {begin, begin + static_cast<std::ptrdiff_t>(size)};
}

std::optional<storage::ObjectInfo> SealedStorage::stat(const storage::Key& key) {
    const auto stored = inner_.stat(key);
    if (!stored) return std::nullopt;
    return storage::ObjectInfo{key, plainSize(*stored)};
}

std::vector<storage::ObjectInfo> SealedStorage::list(const storage::Key& prefix) {
    auto objects = inner_.list(prefix);
    for (storage::ObjectInfo& object : objects)
        object.size = plainSize(object);
    return objects;
}

}  // namespace tidemark::backup_set
