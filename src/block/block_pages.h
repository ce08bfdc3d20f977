#pragma once

#include <vector>

#include "block/known_pages.h"
#include "block/layer_key.h"
#include "block/packer.h"

namespace tidemark::block {

/// One macro block of a file, as it came.
struct PlainBlock {
    FileNumber file = 0;
    std::uint32_t number = 0;  ///< bytes [number * 2 MiB, …)
    std::size_t size = 0;
    Buffer buffer;  ///< with the bytes at Codec::plain
    std::vector<PageEntry> before;  ///< what was stored of its pages: see KnownPages
};

/// A page that lies where it lay before.
struct KeptPage {
    std::uint32_t number = 0;
    PageEntry entry;
};

/// What becomes of the pages of a block.
struct BlockPages {
    std::vector<PackedPage> stored;  ///< moved together at the beginning of Codec::plain
    std::vector<KeptPage> kept;
    std::vector<std::uint32_t> zeros;
};

/// Hashes the pages of a block and looks for each whether it has to be stored.
BlockPages dividePages(const PlainBlock& block, const LayerKey& key);

}  // namespace tidemark::block
