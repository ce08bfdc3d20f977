#pragma once

#include "storage/storage.h"

namespace tidemark::storage {

/// The objects of another storage whose keys begin with a prefix, as a storage of its own: a set's own log is read as
/// an archive is. Outlived by what it is given. Thread-safe as that is.
class SubtreeStorage : public Storage {
public:
    /// `prefix` ends with '/'.
    SubtreeStorage(Storage& inner, Key prefix) : inner_(inner), prefix_(std::move(prefix)) {}

    std::unique_ptr<ObjectWriter> create(const Key& key) override { return inner_.create(prefix_ + key); }
    Bytes get(const Key& key, std::uint64_t offset, std::uint64_t size) override {
        return inner_.get(prefix_ + key, offset, size);
    }
    void read(const Key& key, std::uint64_t offset, std::span<std::uint8_t> into) override {
        inner_.read(prefix_ + key, offset, into);
    }
    std::optional<ObjectInfo> stat(const Key& key) override;
    std::vector<ObjectInfo> list(const Key& prefix) override;
    bool any(const Key& prefix) override { return inner_.any(prefix_ + prefix); }
    void remove(const Key& key) override { inner_.remove(prefix_ + key); }
    std::size_t removeUnfinished(const Key& prefix) override { return inner_.removeUnfinished(prefix_ + prefix); }
    Features features() const override { return inner_.features(); }
    std::string url() const override;

private:
    Storage& inner_;
    const Key prefix_;
};

}  // namespace tidemark::storage
