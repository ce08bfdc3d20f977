#pragma once

#include <map>

#include "base/mutex.h"
#include "storage/storage.h"

namespace tidemark::storage {

/// Objects in memory, gone with the process: for tests, and for what is to be looked at before it is stored.
/// Thread-safe.
class MemoryStorage : public Storage {
public:
    std::unique_ptr<ObjectWriter> create(const Key& key) override;
    Bytes get(const Key& key, std::uint64_t offset, std::uint64_t size) override;
    std::optional<ObjectInfo> stat(const Key& key) override;
    std::vector<ObjectInfo> list(const Key& prefix) override;
    void remove(const Key& key) override;
    Features features() const override { return {.durable = false}; }
    std::string url() const override { return "memory:"; }

private:
    friend class MemoryWriter;

    Mutex mutex_;
    std::map<Key, std::shared_ptr<const Bytes>> objects_;
};

}  // namespace tidemark::storage
