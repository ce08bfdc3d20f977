#pragma once

#include <functional>

#include "block/page_table.h"
#include "block/set_index.h"

namespace tidemark::block {

/// What became of an index.
struct StoredIndex {
    std::uint64_t size = 0;      ///< bytes
    std::uint64_t checksum = 0;  ///< SetIndex::checksum()
    std::vector<IndexLayer> layers;  ///< as it lists them
};

/// Where a frame is.
using FramePlaceOf = std::function<FramePlace(std::uint16_t layer, std::uint32_t number)>;

/// Stores the index of a set, the first of whose `layers` is its own and has `key`. Every page of every file is in
/// `pages`. Throws Conflict if the index would be larger than its limits, so that what could not be read back is not
/// written.
StoredIndex writeIndex(storage::Storage& storage, const storage::Key& directory, const LayerKey& key,
                       const std::vector<IndexLayer>& layers, std::vector<StoredFile> files, const PageTable& pages,
                       const FramePlaceOf& frame, const IndexLimits& limits = {});

}  // namespace tidemark::block
