#include "storage/memory_storage.h"

#include "base/error.h"

namespace tidemark::storage {

class MemoryWriter : public ObjectWriter {
public:
    MemoryWriter(MemoryStorage& storage, Key key) : storage_(storage), key_(std::move(key)) {}

    void append(ByteView bytes) override { bytes_.insert(bytes_.end(), bytes.begin(), bytes.end()); }
    void finish() override {
        const MutexLock lock(storage_.mutex_);
        const bool fresh = storage_.objects_.emplace(key_, std::make_shared<const Bytes>(std::move(bytes_))).second;
        if (!fresh) throw Error(ErrorCode::AlreadyExists, storage_.url() + "/" + key_ + " exists already");
    }

private:
    MemoryStorage& storage_;
    const Key key_;
    Bytes bytes_;
};

std::unique_ptr<ObjectWriter> MemoryStorage::create(const Key& key) {
    requireValidKey(key);
    if (stat(key)) throw Error(ErrorCode::AlreadyExists, url() + "/" + key + " exists already");
    return std::make_unique<MemoryWriter>(*this, key);
}

Bytes MemoryStorage::get(const Key& key, std::uint64_t offset, std::uint64_t size) {
    requireValidKey(key);
    std::shared_ptr<const Bytes> object;
    {
        const MutexLock lock(mutex_);
        const auto found = objects_.find(key);
        if (found == objects_.end()) throw Error(ErrorCode::NotFound, url() + "/" + key + " does not exist");
        object = found->second;
    }
    if (offset > object->size() || size > object->size() - offset) {
        throw Error(ErrorCode::Corrupt, url() + "/" + key + " has only " + std::to_string(object->size()) + " bytes");
    }
    const auto begin = object->begin() + static_cast<std::ptrdiff_t>(offset);
    return {begin, begin + static_cast<std::ptrdiff_t>(size)};
}

std::optional<ObjectInfo> MemoryStorage::stat(const Key& key) {
    requireValidKey(key);
    const MutexLock lock(mutex_);
    const auto found = objects_.find(key);
    if (found == objects_.end()) return std::nullopt;
    return ObjectInfo{key, found->second->size()};
}

std::vector<ObjectInfo> MemoryStorage::list(const Key& prefix) {
    const MutexLock lock(mutex_);
    std::vector<ObjectInfo> listed;
    for (auto at = objects_.lower_bound(prefix); at != objects_.end() && at->first.starts_with(prefix); ++at) {
        listed.push_back({at->first, at->second->size()});
    }
    return listed;
}

void MemoryStorage::remove(const Key& key) {
    requireValidKey(key);
    const MutexLock lock(mutex_);
    objects_.erase(key);
}

}  // namespace tidemark::storage
