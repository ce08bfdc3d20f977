#pragma once

#include "storage/bandwidth.h"
#include "storage/storage.h"

namespace tidemark::storage {

/// A storage around another whose bytes are limited, together with those of all other storages that share the same
/// bandwidths. What is not about content (stat, list, remove) passes. Outlived by what it is given.
class ThrottledStorage : public Storage {
public:
    /// `user` is on whose behalf all of its bytes are moved.
    ThrottledStorage(Storage& inner, Bandwidth& reading, Bandwidth& writing, BandwidthUser user)
        : inner_(inner), reading_(reading), writing_(writing), user_(std::move(user)) {}

    std::unique_ptr<ObjectWriter> create(const Key& key) override;
    Bytes get(const Key& key, std::uint64_t offset, std::uint64_t size) override;
    void read(const Key& key, std::uint64_t offset, std::span<std::uint8_t> into) override;
    std::optional<ObjectInfo> stat(const Key& key) override { return inner_.stat(key); }
    std::vector<ObjectInfo> list(const Key& prefix) override { return inner_.list(prefix); }
    bool any(const Key& prefix) override { return inner_.any(prefix); }
    void remove(const Key& key) override { inner_.remove(key); }
    std::size_t removeUnfinished(const Key& prefix) override { return inner_.removeUnfinished(prefix); }
    Features features() const override { return inner_.features(); }
    std::string url() const override { return inner_.url(); }

private:
    Storage& inner_;
    Bandwidth& reading_;
    Bandwidth& writing_;
    const BandwidthUser user_;
};

}  // namespace tidemark::storage
