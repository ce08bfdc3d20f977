#pragma once

#include "storage/memory_storage.h"

namespace tidemark::testing {

/// Objects in memory, and how much of them was read. Used by one thread.
class CountingStorage : public storage::MemoryStorage {
public:
    Bytes get(const storage::Key& key, std::uint64_t offset, std::uint64_t size) override {
        ++reads;
        bytes += size;
        return MemoryStorage::get(key, offset, size);
    }
    int reads = 0;
    std::uint64_t bytes = 0;
};

}  // namespace tidemark::testing
