#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace tidemark::block {

/// Sizes of docs/format/macro_block.md. They are part of the format.
constexpr std::size_t kMacroBlockSize = 2 << 20;
constexpr std::size_t kFrameSize = 256 << 10;
constexpr std::size_t kPageSize = 16 << 10;
constexpr std::size_t kPagesPerFrame = kFrameSize / kPageSize;
constexpr std::size_t kPagesPerBlock = kMacroBlockSize / kPageSize;

constexpr std::uint64_t partsOf(std::uint64_t size, std::uint64_t part) {
    return size / part + (size % part != 0 ? 1 : 0);
}

/// Files of a turn are numbered in the order in which they began.
using FileNumber = std::uint32_t;

/// A file of the set, as it was when the backup was complete.
struct StoredFile {
    FileNumber number = 0;
    std::string path;  ///< relative to the data directory
    std::uint64_t size = 0;
};

/// The hash of a page as it was read (page_hash.h): its first 8 bytes, and the next 8 where hashes have 16.
struct PageHash {
    std::uint64_t low = 0;
    std::uint64_t high = 0;

    bool operator==(const PageHash&) const = default;
};

/// Where the bytes of a page are.
struct Place {
    static constexpr std::uint16_t kNowhere = 0xffff;  ///< not told yet
    static constexpr std::uint16_t kZeros = 0xfffe;    ///< in no frame: all its bytes are 0

    std::uint16_t layer = kNowhere;  ///< whose frame: 0 the set's own
    std::uint32_t frame = 0;         ///< its number in the layer
    std::uint32_t offset = 0;        ///< of the page in the plain frame

    bool operator==(const Place&) const = default;
};

/// Where a frame is stored.
struct FramePlace {
    std::uint16_t layer = 0;
    std::uint32_t number = 0;  ///< in its layer
    std::uint32_t object = 0;  ///< n of macro_block_data.<n>.obbak
    std::uint64_t offset = 0;  ///< in the object
    std::uint32_t stored = 0;  ///< bytes there, with the seal
    std::uint32_t plain = 0;   ///< bytes of its pages
};

}  // namespace tidemark::block
