#pragma once

#include <map>
#include <string>
#include <unordered_map>
#include <vector>

#include "block/block_reader.h"
#include "block/block_writer.h"
#include "block/frame_table.h"
#include "block/frame_use.h"
#include "block/page_table.h"

namespace tidemark::block {

/// The pages that are stored already when a set begins: by the set that it leans on, and by turns of its own that were
/// interrupted. Who finds a page there need not store it again. Keeps in scratch files what it knows. Used by one
/// thread, but for frame() and frames().
///
/// Frames of which few pages are still in use are not told of: their pages are to be stored again, so that a restore
/// never reads much that it does not need, however long the chain of sets is.
class KnownPages {
public:
    /// Reads the whole index of options.parent, and the tables of options.earlier; objects of these that are damaged or
    /// gone are not leaned on. Throws NotFound or Corrupt, naming the object; Cancelled if options.stop is requested.
    KnownPages(storage::Storage& storage, const BlockWriterOptions& options);

    /// The layers that these pages lie in, as the new set is to list them behind its own.
    const std::vector<IndexLayer>& layers() const { return layers_; }
    /// A file of the new set began; in order of numbers.
    void match(FileNumber file, const std::string& path);
    /// What is known of the pages of a macro block that has `size` bytes; empty: nothing. Layers are numbered as in the
    /// new set, nowhere are pages that have to be stored.
    std::vector<PageEntry> before(FileNumber file, std::uint32_t block, std::size_t size) const;
    FramePlace frame(std::uint16_t layer, std::uint32_t number) const { return frames_.place(layer, number); }
    /// Reads frames of these layers.
    const FrameReader& reader() const { return reader_; }

private:
    static constexpr std::uint32_t kNone = UINT32_MAX;

    std::uint16_t addLayer(const IndexLayer& layer, const storage::Key& directory);
    void addParent(const BlockReader& parent, const std::stop_token& stop);
    void add(const FileMap& map, const std::vector<std::uint16_t>& layer_of);
    void addEarlier(storage::Storage& storage, const BlockWriterOptions& options, const EarlierObject& object);
    void add(const FrameRecord& frame, std::uint16_t layer, const std::unordered_map<FileNumber, FileNumber>& files);
    /// Pages that follow each other in a file of ours and, from `place` on, in a frame. Goes behind their hashes.
    void enter(const FrameRun& run, Place place, std::vector<PageHash>::const_iterator& hash);
    void use(const FramePlace& frame, std::uint64_t bytes);
    FileNumber numberOf(const std::string& path);

    FrameReader reader_;
    std::vector<IndexLayer> layers_;
    std::unordered_map<std::string, FileNumber> files_;
    std::vector<FileNumber> matched_;  ///< by number in the new set; kNone
    PageTable pages_;
    FrameUse frames_;
    std::map<std::uint16_t, std::uint32_t> most_frames_;  ///< by layer: beyond the highest number
    std::uint64_t frames_seen_ = 0;                       ///< of these, together
    FrameSet retired_;
};

}  // namespace tidemark::block
