#pragma once

#include <cstdint>

#include "base/bytes.h"

/// The sections of macro_range_index.obbak; see docs/format/macro_block.md.
namespace tidemark::block {

constexpr std::string_view kIndexMagic = "TDMKRIDX";
constexpr std::string_view kMetaMagic = "TDMKMIDX";
constexpr std::uint16_t kIndexVersion = 2;

enum class SectionType : std::uint8_t { Header = 'H', Blocks = 'B', Files = 'F', DataFiles = 'D', End = 'E' };

constexpr std::size_t kSectionHead = 1 + 4;
constexpr std::size_t kSectionChecksum = 8;
/// A section is written out when it has grown beyond this…
constexpr std::size_t kSectionFull = 256 << 10;
/// …so none is larger than this.
constexpr std::size_t kLargestSection = 512 << 10;

/// meta_index.obbak: 8 bytes magic, version and set id before the hashes.
constexpr std::uint64_t kMetaHead = 8 + 2 + 4;
/// After the hashes of each block: their XXH3.
constexpr std::uint64_t kMetaChecksum = 8;

}  // namespace tidemark::block
