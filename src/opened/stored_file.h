#pragma once

#include <string>

#include "block/block_reader.h"
#include "opened/frame_cache.h"
#include "opened/map_cache.h"

namespace tidemark::opened {

/// What of a set has been read, for all of its files. Bounds are in bytes of memory. Thread-safe.
struct SetCaches {
    SetCaches(const block::BlockReader& of, std::size_t frame_bytes, std::size_t map_bytes)
        : reader(of), frames(of.frames(), frame_bytes), maps(of.index(), map_bytes) {}

    const block::BlockReader& reader;
    FrameCache frames;
    MapCache maps;
};

/// A file as its set has it. Thread-safe.
class StoredFile {
public:
    StoredFile(SetCaches& caches, std::string path, std::uint64_t size)
        : caches_(caches), path_(std::move(path)), size_(size) {}

    const std::string& path() const { return path_; }
    std::uint64_t size() const { return size_; }
    std::uint32_t pages() const { return static_cast<std::uint32_t>(block::partsOf(size_, block::kPageSize)); }
    /// All are whole but the last one.
    std::size_t bytesOf(std::uint32_t page) const;

    /// Fills `into` with the page: bytesOf(page) bytes, which are what was backed up or an error is thrown: Corrupt or
    /// NotFound, naming the object, Unavailable.
    void read(std::uint32_t page, std::span<std::uint8_t> into);

private:
    SetCaches& caches_;
    const std::string path_;
    const std::uint64_t size_;
};

}  // namespace tidemark::opened
