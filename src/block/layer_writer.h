#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <vector>

#include "base/mutex.h"
#include "block/block_writer.h"
#include "block/codec.h"
#include "block/frame_table.h"
#include "block/packer.h"
#include "block/page_table.h"

namespace tidemark::block {

/// Writes the objects of a layer: frames as they come, then the index. Used by one thread but for what is said.
class LayerWriter {
public:
    LayerWriter(storage::Storage& storage, BlockWriterOptions options);

    /// Of a frame that is about to be encoded. Any thread.
    PartId newFrame() { return {PartKind::Frame, layer_.id, next_frame_++}; }
    /// What they are encoded with, and pages are named by. Any thread.
    const LayerKey& key() const { return key_; }
    /// A file began; before its first page. Any thread.
    void name(FileNumber file, const std::string& path);

    /// Stores a frame; `pages` are what it holds.
    void store(const BufferedFrame& frame, ByteView stored, std::span<const PackedPage> pages);
    /// These pages are zeros.
    void setZeros(FileNumber file, std::uint32_t first_page, std::uint32_t count);
    /// Ends the data object that is being written, if one is.
    void endObject();
    /// Stores the index, when everything else is stored.
    BlockWriterResult finish(const std::vector<StoredFile>& files);

private:
    void beginObject();
    void nameFilesOf(std::span<const PackedPage> pages);
    void enterPages(std::uint32_t frame, std::span<const PackedPage> pages);

    storage::Storage& storage_;
    const BlockWriterOptions options_;
    const LayerId layer_;
    const LayerKey key_;
    std::atomic<std::uint32_t> next_frame_{0};

    std::unique_ptr<storage::ObjectWriter> object_;
    std::optional<FrameTableWriter> table_;  ///< of that object
    std::uint64_t frames_end_ = 0;           ///< in it
    std::vector<std::uint64_t> object_sizes_;
    PageTable pages_;
    ScratchArray<FramePlace> frames_;

    Mutex names_mutex_;
    std::vector<std::string> names_ GUARDED_BY(names_mutex_);
};

}  // namespace tidemark::block
