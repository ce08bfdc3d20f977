#pragma once

#include <string>
#include <unordered_map>
#include <vector>

#include "block/block_reader.h"
#include "block/frame_use.h"
#include "block/page_table.h"

namespace tidemark::block {

/// What was stored of a macro block's pages before.
struct PagesBefore {
    std::uint64_t file_size = 0;     ///< bytes
    std::vector<PageEntry> entries;  ///< of each page of the block; nowhere: to be stored anyway
};

/// The pages of a set that a new one leans on: who finds a page there need not store it again. Keeps in scratch files
/// what it knows. Used by one thread, but for frame().
///
/// Frames of which few pages are still in use are not told of: their pages are to be stored again, so that a restore
/// never reads much that it does not need, however long the chain of sets is.
class KnownPages {
public:
    /// Reads the parent's whole index. Throws NotFound or Corrupt, naming the object.
    KnownPages(const BlockReader& parent, const std::filesystem::path& scratch);

    /// The layers that these pages lie in, as the new set is to list them behind its own.
    const std::vector<IndexLayer>& layers() const { return layers_; }
    /// A file of the new set began; in order of numbers.
    void match(FileNumber file, const std::string& path);
    /// Of a macro block that has `size` bytes now. Layers are numbered as in the new set.
    PagesBefore before(FileNumber file, std::uint32_t block, std::size_t size) const;
    /// Any thread.
    FramePlace frame(std::uint16_t layer, std::uint32_t number) const { return frames_.place(layer, number); }
    /// Read and decode frames of these layers, as BlockReader does. Any thread.
    void read(const WantedFrames& frames, const Buffer& into) const;
    ByteView decode(const WantedFrames& frames, const Buffer& buffer, Codec& codec,
                    const std::vector<StoredFile>& files) const;

private:
    struct KnownFile {
        FileNumber number = 0;  ///< here
        std::uint64_t size = 0;
    };

    void addLayers(const std::vector<IndexLayer>& layers);
    void add(const FileMap& map);
    WantedFrames asParentHas(WantedFrames frames) const;

    const BlockReader& parent_;
    std::vector<IndexLayer> layers_;
    std::vector<std::uint16_t> layer_of_;   ///< by the parent's number
    std::vector<std::uint16_t> parents_of_;  ///< the parent's number, by ours
    std::unordered_map<std::string, KnownFile> files_;
    std::vector<const KnownFile*> matched_;  ///< by number in the new set
    PageTable pages_;
    FrameUse frames_;
    FrameSet retired_;
};

}  // namespace tidemark::block
