#pragma once

#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <thread>
#include <vector>

#include "base/bounded_queue.h"
#include "block/block_writer.h"
#include "block/frame.h"

namespace tidemark::block {

/// One macro block of a file, as it came.
struct PlainBlock {
    BlockId id;
    std::size_t size = 0;
    std::unique_ptr<std::uint8_t[]> bytes;  ///< kMacroBlockSize of them
};

/// The same, hashed and compressed.
struct EncodedBlock {
    BlockEntry entry;                        ///< without its place
    std::unique_ptr<std::uint8_t[]> frames;  ///< entry.storedSize() bytes of room for the largest block
    Bytes hashes;
};

/// Keeps buffers for those who need one next.
template <typename T>
class Recycler {
public:
    std::optional<T> take() {
        const std::lock_guard lock(mutex_);
        if (free_.empty()) return std::nullopt;
        std::optional<T> taken = std::move(free_.back());
        free_.pop_back();
        return taken;
    }
    void give(T item) {
        const std::lock_guard lock(mutex_);
        free_.push_back(std::move(item));
    }

private:
    std::mutex mutex_;
    std::vector<T> free_;
};

/// The threads behind a BlockWriter: workers that hash and compress, one that stores. See there.
class BlockPipeline {
public:
    BlockPipeline(storage::Storage& storage, BlockWriterOptions options, BlockProgress& progress,
                  std::stop_source abort);
    ~BlockPipeline();
    BlockPipeline(const BlockPipeline&) = delete;
    BlockPipeline& operator=(const BlockPipeline&) = delete;

    /// kMacroBlockSize bytes.
    std::unique_ptr<std::uint8_t[]> takeBuffer();
    /// Waits for room. Throws what made a thread fail.
    void push(PlainBlock block);
    /// Waits until all is stored; then stores the index.
    BlockWriterResult finish(const std::vector<StoredFile>& files);
    void rethrowFailure();

private:
    void guarded(const char* thread_name, const std::function<void()>& work);
    void fail(std::exception_ptr failure);
    void encodeAll();
    /// Changes the plain bytes.
    void encode(PlainBlock& plain, FrameEncoder& encoder, EncodedBlock& encoded) const;
    void storeAll();
    void store(EncodedBlock& block);
    void beginDataFile();
    void endDataFile();

    storage::Storage& storage_;
    const BlockWriterOptions options_;
    BlockProgress& progress_;
    std::stop_source abort_;

    BoundedQueue<PlainBlock> plain_;
    BoundedQueue<EncodedBlock> encoded_;
    Recycler<std::unique_ptr<std::uint8_t[]>> buffers_;
    Recycler<EncodedBlock> encoded_buffers_;

    // Used by the storing thread alone, until it has ended.
    std::unique_ptr<storage::ObjectWriter> data_file_;
    std::vector<std::uint64_t> data_file_sizes_;
    std::unique_ptr<storage::ObjectWriter> meta_index_;
    std::uint64_t meta_index_size_ = 0;
    std::optional<IndexWriter> index_;
    std::uint64_t blocks_ = 0;

    std::mutex failure_mutex_;
    std::exception_ptr failure_;

    bool finished_ = false;  ///< all threads have ended well
    std::vector<std::jthread> workers_;
    std::jthread storer_;
};

}  // namespace tidemark::block
