#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

namespace tidemark::block {

/// Sizes of docs/format/macro_block.md. They are part of the format.
constexpr std::size_t kMacroBlockSize = 2 << 20;
constexpr std::size_t kFrameSize = 256 << 10;
constexpr std::size_t kPageSize = 16 << 10;
constexpr std::size_t kPageHashSize = 8;
constexpr std::size_t kFramesPerBlock = kMacroBlockSize / kFrameSize;
constexpr std::size_t kPagesPerBlock = kMacroBlockSize / kPageSize;

constexpr std::size_t partsOf(std::uint64_t size, std::size_t part) {
    return static_cast<std::size_t>((size + part - 1) / part);
}

/// Files of a set are numbered in the order in which they began.
using FileNumber = std::uint32_t;

/// A file of the set, as it was when the backup was complete.
struct StoredFile {
    FileNumber number = 0;
    std::string path;  ///< relative to the data directory
    std::uint64_t size = 0;
};

/// Which macro block: bytes [number * 2 MiB, …) of a file.
struct BlockId {
    FileNumber file = 0;
    std::uint32_t number = 0;
};

/// Where a macro block is stored.
struct BlockEntry {
    BlockId id;
    std::uint32_t data_file = 0;   ///< n of macro_block_data.<n>.obbak
    std::uint32_t plain_size = 0;  ///< bytes of the file; below 2 MiB only for the last block of a file
    std::uint64_t offset = 0;      ///< in the data file
    std::uint64_t hashes = 0;      ///< where in meta_index.obbak its page hashes begin
    std::array<std::uint32_t, kFramesPerBlock> frames{};  ///< stored sizes; 0 after the last

    std::size_t frameCount() const { return partsOf(plain_size, kFrameSize); }
    std::size_t pageCount() const { return partsOf(plain_size, kPageSize); }
    std::uint64_t storedSize() const {
        std::uint64_t total = 0;
        for (const std::uint32_t size : frames)
            total += size;
        return total;
    }
};

/// Names of the objects below the directory of a set's blocks.
std::string dataFileName(std::uint32_t number);
constexpr const char* kRangeIndexName = "macro_range_index.obbak";
constexpr const char* kMetaIndexName = "meta_index.obbak";

}  // namespace tidemark::block
