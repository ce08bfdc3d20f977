#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/mutex.h"
#include "block/block_reader.h"
#include "opened/frame_cache.h"

namespace tidemark::opened {

/// A file as its set has it. What of the index tells of it is read when it is first needed. Thread-safe.
class StoredFile {
public:
    StoredFile(const block::BlockReader& reader, FrameCache& cache, std::string path, std::uint64_t size)
        : reader_(reader), cache_(cache), path_(std::move(path)), size_(size) {}

    const std::string& path() const { return path_; }
    std::uint64_t size() const { return size_; }
    std::uint32_t pages() const { return static_cast<std::uint32_t>(block::partsOf(size_, block::kPageSize)); }
    /// All are whole but the last one.
    std::size_t bytesOf(std::uint32_t page) const;

    /// Fills `into` with the page: bytesOf(page) bytes, which are what was backed up or an error is thrown: Corrupt or
    /// NotFound, naming the object, Unavailable.
    void read(std::uint32_t page, std::span<std::uint8_t> into);

private:
    struct Map {
        block::FileMap file;
        std::vector<std::uint32_t> first_hashes;  ///< which of file.hashes the first page of each run has
    };
    using Maps = std::vector<Map>;

    std::shared_ptr<const Maps> maps();
    [[noreturn]] void fail(const std::string& what) const;

    const block::BlockReader& reader_;
    FrameCache& cache_;
    const std::string path_;
    const std::uint64_t size_;
    Mutex mutex_;
    std::shared_ptr<const Maps> maps_ GUARDED_BY(mutex_);
};

}  // namespace tidemark::opened
