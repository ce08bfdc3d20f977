#pragma once

#include <algorithm>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "base/require_going.h"
#include "block/page_table.h"
#include "block/set_index.h"

/// What data objects tell of the files of their set, so that an index that is lost can be made again: where each page
/// lies. Its hash, and where its frame lies, is in the tables of frames. docs/format/macro_block.md.
namespace tidemark::block {

/// Pages that follow each other in a frame, the first one at `place`; or are zeros.
struct PlacedPages {
    std::uint32_t pages = 0;
    Place place;
};

/// Up to kPagesPerMap pages of a file.
struct PageMap {
    std::string path;
    std::uint64_t size = 0;  ///< of the whole file
    std::uint32_t first_page = 0;
    std::uint32_t pages = 0;
    std::vector<PlacedPages> runs;  ///< of all of them, in order
};

/// Of the pages from `first_page` on. Throws Internal if one of them is nowhere.
PageMap pageMapOf(const StoredFile& file, std::uint32_t first_page, std::span<const PageEntry> entries);

void encodePageMap(ByteWriter& out, const PageMap& map);
/// Throws Corrupt, naming `origin`.
PageMap decodePageMap(ByteReader& in, const std::string& origin);

/// The layers of a set, in the order in which places name them.
void encodeLayers(ByteWriter& out, const std::vector<IndexLayer>& layers);
/// Throws Corrupt, naming `origin`, for more than `limits` allow.
std::vector<IndexLayer> decodeLayers(ByteReader& in, const IndexLimits& limits, const std::string& origin);

/// Calls `visit(position in files, first page, entries)` for what a map tells of at a time: up to kPagesPerMap pages of a
/// file; of one without a page, once, nothing. Files in the order in which they are given. Throws Cancelled if `stop` is
/// requested.
template <typename Visit>
void eachPart(const PageTable& pages, const std::vector<StoredFile>& files, const std::stop_token& stop, Visit visit) {
    std::vector<PageEntry> entries;
    for (std::uint32_t file = 0; file < files.size(); ++file) {
        const std::uint64_t count = partsOf(files[file].size, kPageSize);
        std::uint64_t first = 0;
        do {
            requireGoing(stop);
            entries.resize(std::min<std::uint64_t>(kPagesPerMap, count - first));
            pages.read(files[file].number, static_cast<std::uint32_t>(first), entries);
            visit(file, static_cast<std::uint32_t>(first), std::span<const PageEntry>(entries));
            first += entries.size();
        } while (first < count);
    }
}

/// Throws Internal, naming the page, if it is nowhere.
void requireStored(const Place& place, const std::string& path, std::uint32_t page);

}  // namespace tidemark::block
