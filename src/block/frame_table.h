#pragma once

#include <functional>
#include <set>
#include <vector>

#include "block/layer_key.h"
#include "block/page_map.h"

namespace tidemark::block {

/// Pages of a file that follow each other in a frame.
struct FrameRun {
    FileNumber file = 0;
    std::uint32_t first_page = 0;
    std::uint32_t bytes = 0;
};

/// A frame of a data object, as the object's own table tells of it.
struct FrameRecord {
    FramePlace place;
    std::vector<FrameRun> runs;
    std::vector<PageHash> hashes;  ///< of all its pages
};

/// What of the frame's plain bytes is not what its record tells; empty if nothing is.
std::string wrongPageIn(const FrameRecord& frame, const LayerKey& key, ByteView plain);

/// The table at the end of a data object, while its frames are written. Not thread-safe.
class FrameTableWriter {
public:
    /// The key outlives it.
    FrameTableWriter(const LayerId& layer, const LayerKey& key, std::uint32_t object)
        : layer_(layer), key_(key), object_(object) {}

    /// Whether a file that frames have pages of is still to be named.
    bool knows(FileNumber file) const { return named_.contains(file); }
    void name(FileNumber file, const std::string& path);
    /// Frames in the order in which they lie.
    void add(const FrameRecord& frame);
    /// What a lost index is made of again (page_map.h): the layers of the set, its own first; then its files.
    void add(const std::vector<IndexLayer>& layers);
    void add(const PageMap& map);

    /// Bytes of the table so far.
    std::size_t size() const { return sections_.size() + names_.size() + frames_.size() + maps_.size(); }
    /// The table and the trailer, for behind frames that end at `at`.
    Bytes finish(std::uint64_t at);

private:
    void endSection(char type, ByteWriter& payload);

    const LayerId layer_;
    const LayerKey& key_;
    const std::uint32_t object_;
    std::set<FileNumber> named_;
    ByteWriter names_;
    ByteWriter frames_;
    ByteWriter maps_;
    std::uint32_t frame_count_ = 0;
    std::uint32_t next_number_ = 0;
    std::uint32_t section_count_ = 0;
    ByteWriter sections_;
};

/// What the table of a data object says.
struct FrameTable {
    LayerId layer;
    std::vector<std::pair<FileNumber, std::string>> names;  ///< paths as they were when the files began
    std::uint32_t frames = 0;
};

/// Is told what a data object says of the files of its set.
struct MapVisitor {
    std::function<void(const std::vector<IndexLayer>&)> layers;
    std::function<void(const PageMap&)> pages;
};

/// Reads the table of a data object from nothing but the object, and its key if it is encrypted. Calls `visit` for each
/// frame in the order in which they lie, and those of `map`, if it is given. Throws NotFound, Corrupt, Denied for want of the key, or InvalidRequest if a
/// newer version wrote it; all name the object.
FrameTable readFrameTable(storage::Storage& storage, const storage::Key& key, std::uint32_t object,
                          const ChainKeyPtr& chain, const std::function<void(const FrameRecord&)>& visit,
                          const MapVisitor* map = nullptr);

}  // namespace tidemark::block
