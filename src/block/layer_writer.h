#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <vector>

#include "base/mutex.h"
#include "block/block_pages.h"
#include "block/block_writer.h"
#include "block/codec.h"
#include "block/frame_table.h"
#include "block/read_plan.h"

namespace tidemark::block {

/// Writes the objects of a layer: frames as they come, then the index. Used by one thread but for what is said.
class LayerWriter {
public:
    /// `known`: what is stored already, if the set leans on another; outlives this.
    LayerWriter(storage::Storage& storage, BlockWriterOptions options, const KnownPages* known);

    /// Of a frame that is about to be encoded. Any thread.
    PartId newFrame() { return {PartKind::Frame, layer_.id, next_frame_++}; }
    /// What they are encoded with, and pages are named by. Any thread.
    const LayerKey& key() const { return key_; }
    /// A file began; before its first page. Any thread.
    void name(FileNumber file, const std::string& path);

    /// Stores a frame; `pages` are what it holds.
    void store(const BufferedFrame& frame, ByteView stored, std::span<const PackedPage> pages);
    /// These pages are zeros.
    void setZeros(FileNumber file, const std::vector<std::uint32_t>& pages);
    /// These pages lie where the known pages are.
    void keep(FileNumber file, const std::vector<KeptPage>& pages);
    /// Which of the known pages are to be stored again, now that all others are: see repack.h.
    ReadPlan planRepack(const std::vector<StoredFile>& files) const;
    /// When all pages are stored: ends the data objects, and stores the index.
    BlockWriterResult finish(const std::vector<StoredFile>& files);

private:
    void beginObject();
    void endObject();
    void storeMaps(std::vector<StoredFile> files);
    void nameFilesOf(std::span<const PackedPage> pages);
    void enterPages(std::uint32_t frame, std::span<const PackedPage> pages);
    std::vector<IndexLayer> layers() const;
    /// With these objects of its own.
    std::vector<IndexLayer> layersWith(std::vector<IndexLayer::Object> objects) const;

    storage::Storage& storage_;
    const BlockWriterOptions options_;
    const KnownPages* const known_;
    const LayerId layer_;
    const LayerKey key_;
    std::atomic<std::uint32_t> next_frame_{0};

    std::unique_ptr<storage::ObjectWriter> object_;
    std::optional<FrameTableWriter> table_;  ///< of that object
    std::uint64_t frames_end_ = 0;           ///< in it
    std::uint64_t frame_bytes_ = 0;          ///< of all objects
    std::vector<std::uint64_t> object_sizes_;
    PageTable pages_;
    ScratchArray<FramePlace> frames_;

    Mutex names_mutex_;
    std::vector<std::string> names_ GUARDED_BY(names_mutex_);
};

}  // namespace tidemark::block
