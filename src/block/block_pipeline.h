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
#include "block/block_writer.h"
#include "block/worker_pool.h"

namespace tidemark::block {

/// One macro block of a file, as it came.
struct PlainBlock {
    BlockId id;
    std::size_t size = 0;
    Buffer buffer;  ///< with the bytes at Codec::plain
};

/// The same, hashed and compressed.
struct EncodedBlock {
    BlockEntry entry;  ///< without its place
    Buffer buffer;     ///< begins with entry.storedSize() bytes to be stored
    Bytes hashes;
};

/// What is behind a BlockWriter: tasks that hash and compress, and a thread of its own that stores. See there.
class BlockPipeline {
public:
    /// Waits for memory to be promised: see MemoryShare.
    BlockPipeline(storage::Storage& storage, Lane& lane, BlockWriterOptions options, BlockProgress& progress,
                  std::stop_source abort);
    ~BlockPipeline();
    BlockPipeline(const BlockPipeline&) = delete;
    BlockPipeline& operator=(const BlockPipeline&) = delete;

    /// Waits for memory. Throws what made a thread fail, Cancelled if the abort was asked for.
    Buffer takeBuffer();
    /// Throws what made a thread fail.
    void push(PlainBlock block);
    /// Waits until all is stored; then stores the index.
    BlockWriterResult finish(const std::vector<StoredFile>& files);
    void rethrowFailure();

private:
    void guarded(const std::function<void()>& work);
    void fail(std::exception_ptr failure);
    void encode(PlainBlock block, Codec& codec);
    void storeAll();
    void store(EncodedBlock& block);
    void beginDataFile();
    void endDataFile();

    storage::Storage& storage_;
    Lane& lane_;
    const BlockWriterOptions options_;
    BlockProgress& progress_;
    std::stop_source abort_;

    MemoryShare memory_;
    BoundedQueue<EncodedBlock> encoded_;

    // Used by the storing thread alone, until it has ended.
    std::unique_ptr<storage::ObjectWriter> data_file_;
    std::vector<std::uint64_t> data_file_sizes_;
    std::unique_ptr<storage::ObjectWriter> meta_index_;
    std::uint64_t meta_index_size_ = 0;
    std::optional<IndexWriter> index_;
    std::uint64_t blocks_ = 0;

    Mutex failure_mutex_;
    std::exception_ptr failure_ GUARDED_BY(failure_mutex_);

    bool finished_ = false;  ///< everything has ended well
    std::jthread storer_;
};

}  // namespace tidemark::block
