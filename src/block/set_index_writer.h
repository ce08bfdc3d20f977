#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <span>
#include <stop_token>

#include "block/frame_use.h"
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

/// Writes an index, file by file in order of paths. Used by one thread; what it is given outlives it.
class IndexWriter {
public:
    IndexWriter(storage::Storage& storage, const storage::Key& directory, const LayerKey& key,
                const std::vector<IndexLayer>& layers, FramePlaceOf frame);

    /// Pages of a file from `first_page` on: kPagesPerMap of them, or those that are left.
    void add(const std::string& path, std::uint64_t size, std::uint32_t first_page, std::span<const PageEntry> entries);
    StoredIndex finish(const IndexLimits& limits = {});

private:
    using KnownFrames = std::map<std::pair<std::uint16_t, std::uint32_t>, std::uint32_t>;

    void append(const Bytes& bytes);
    void fill(FileMap& map, std::span<const PageEntry> entries);
    void addPage(FileMap& map, std::uint32_t page, const Place& place, KnownFrames& known);
    FramePlace use(const Place& place);
    void add(const FileMap& map);
    void endGroup();
    std::vector<IndexLayer> layersInUse() const;

    const std::unique_ptr<storage::ObjectWriter> object_;
    const LayerKey& key_;
    const std::vector<IndexLayer>& layers_;
    const FramePlaceOf frame_;
    std::uint64_t size_ = 0;
    IndexTotals totals_;
    FrameSet used_;
    std::vector<std::set<std::uint32_t>> used_objects_;  ///< by layer
    ByteWriter group_;
    std::string first_path_;
    std::uint32_t first_page_ = 0;
    ByteWriter groups_;  ///< as the directory lists them
    std::uint64_t group_count_ = 0;
};

/// Stores the index of a set, the first of whose `layers` is its own and has `key`. Every page of every file is in
/// `pages`. Throws Conflict if the index would be larger than its limits, so that what could not be read back is not
/// written; Cancelled if `stop` is requested.
StoredIndex writeIndex(storage::Storage& storage, const storage::Key& directory, const LayerKey& key,
                       const std::vector<IndexLayer>& layers, std::vector<StoredFile> files, const PageTable& pages,
                       const FramePlaceOf& frame, const IndexLimits& limits = {}, const std::stop_token& stop = {});

}  // namespace tidemark::block
