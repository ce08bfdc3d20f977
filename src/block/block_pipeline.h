#pragma once

#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <thread>
#include <vector>

#include "base/bounded_queue.h"
#include "base/mutex.h"
#include "block/block_pages.h"
#include "block/block_writer.h"
#include "block/layer_writer.h"
#include "block/worker_pool.h"

namespace tidemark::block {

/// What is behind a BlockWriter: tasks that hash and compress, and a thread of its own that stores. See there.
class BlockPipeline {
public:
    /// Waits for memory to be promised: see MemoryShare.
    BlockPipeline(storage::Storage& storage, Lane& lane, BlockWriterOptions options, BlockProgress& progress,
                  std::stop_source abort);
    ~BlockPipeline();
    BlockPipeline(const BlockPipeline&) = delete;
    BlockPipeline& operator=(const BlockPipeline&) = delete;

    /// A file began; before its first block.
    void name(FileNumber file, const std::string& path);
    /// Waits for memory. Throws what made a thread fail, Cancelled if the abort was asked for.
    Buffer takeBuffer();
    /// Throws what made a thread fail.
    void push(PlainBlock block);
    /// Waits until all is stored; then stores the index.
    BlockWriterResult finish(const std::vector<StoredFile>& files);
    void rethrowFailure();

private:
    /// What comes back from a worker: frames, and behind them pages that are too few for one.
    struct Encoded {
        PlainBlock block;
        BlockPages pages;
        PackedPages packed;
        std::vector<BufferedFrame> frames;
        std::size_t rest_at = 0;  ///< where in Codec::plain the rest begins
    };

    void guarded(const std::function<void()>& work);
    void fail(std::exception_ptr failure);
    void encode(PlainBlock block, Codec& codec);
    /// The frames of pages that lie in a buffer, in their stored form.
    std::vector<BufferedFrame> encodeFrames(const PackedPages& packed, Codec& codec);
    void storeAll();
    void store(const Encoded& encoded);
    /// Returns how many pages these were.
    std::size_t storeFrames(const PackedPages& packed, const std::vector<BufferedFrame>& frames);
    void pack(const PackedPage& page, const std::uint8_t* bytes);
    void flush(Packer& packer);
    /// Stores pages again that would make a restore read too much.
    void repack(const std::vector<StoredFile>& files);
    void repack(const WantedFrames& frames, const std::vector<StoredFile>& files);
    void repack(const WantedRun& run, FileNumber file, ByteView bytes);

    Lane& lane_;
    BlockProgress& progress_;
    std::stop_source abort_;

    MemoryShare memory_;
    BoundedQueue<Encoded> encoded_;
    const std::unique_ptr<KnownPages> known_;  ///< by the set that this one leans on, if it does
    LayerWriter layer_;

    // Used by the storing thread alone, and when it has ended by who finishes.
    Packer whole_pages_;
    Packer short_pages_;
    std::uint64_t blocks_ = 0;

    Mutex failure_mutex_;
    std::exception_ptr failure_ GUARDED_BY(failure_mutex_);

    bool finished_ = false;  ///< everything has ended well
    std::jthread storer_;
};

}  // namespace tidemark::block
