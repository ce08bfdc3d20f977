#include "block/block_pipeline.h"

#include <pthread.h>

#include <algorithm>

#include "base/error.h"
#include "base/hash.h"
#include "block/index_format.h"

namespace tidemark::block {
namespace {

// Two beyond those that are being filled: they are encoded and stored, and come back (memory_budget.h).
constexpr std::size_t kPromised = BlockWriter::kMostOpenBlocks + 2;

/// More than one per worker, for a worker that is done waits neither for the source nor for the storage.
std::size_t usefulBuffers(const Lane& lane) {
    return kPromised + std::size_t{2} * lane.workers();
}

}  // namespace

BlockPipeline::BlockPipeline(storage::Storage& storage, Lane& lane, BlockWriterOptions options, BlockProgress& progress,
                             std::stop_source abort)
    : storage_(storage),
      lane_(lane),
      options_(std::move(options)),
      progress_(progress),
      abort_(std::move(abort)),
      memory_(lane.memory(), {.minimum = kPromised, .most = usefulBuffers(lane)}, abort_.get_token()),
      encoded_(usefulBuffers(lane)) {
    index_.emplace(storage_, options_.directory, options_.set_id);
    meta_index_ = storage_.create(options_.directory + kMetaIndexName);
    ByteWriter head;
    head.text(kMetaMagic).u16(kIndexVersion).u32(options_.set_id);
    meta_index_->append(head.data());
    meta_index_size_ = head.size();
    storer_ = std::jthread([this] {
        pthread_setname_np(pthread_self(), "block-store");
        guarded([this] { storeAll(); });
    });
}

BlockPipeline::~BlockPipeline() {
    if (finished_) return;
    fail(std::make_exception_ptr(Error(ErrorCode::Cancelled, "the backup was given up")));
    lane_.drop();
}

void BlockPipeline::guarded(const std::function<void()>& work) {
    try {
        work();
    } catch (...) {
        fail(std::current_exception());
    }
}

void BlockPipeline::fail(std::exception_ptr failure) {
    {
        const MutexLock lock(failure_mutex_);
        if (!failure_) failure_ = failure;
    }
    encoded_.fail(failure);
    abort_.request_stop();
}

void BlockPipeline::rethrowFailure() {
    const MutexLock lock(failure_mutex_);
    if (failure_) std::rethrow_exception(failure_);
}

Buffer BlockPipeline::takeBuffer() {
    try {
        return memory_.take(abort_.get_token());
    } catch (const Error&) {
        rethrowFailure();
        throw;
    }
}

void BlockPipeline::push(PlainBlock block) {
    rethrowFailure();
    lane_.submit(Lane::Task(
        [this, block = std::move(block)](Codec& codec) mutable { guarded([&] { encode(std::move(block), codec); }); }));
}

void BlockPipeline::encode(PlainBlock block, Codec& codec) {
    EncodedBlock encoded;
    encoded.entry = {.id = block.id, .plain_size = static_cast<std::uint32_t>(block.size)};
    codec.encode(block.buffer, options_.set_id, encoded.entry, encoded.hashes);
    encoded.buffer = std::move(block.buffer);
    encoded_.push(std::move(encoded));  // has room for every buffer there is: a worker must not wait
}

void BlockPipeline::storeAll() {
    while (auto block = encoded_.pop())
        store(*block);
    endDataFile();
    meta_index_->finish();
}

void BlockPipeline::store(EncodedBlock& block) {
    const ByteView frames = block.buffer.all().first(block.entry.storedSize());
    if (data_file_ != nullptr && data_file_sizes_.back() + frames.size() > options_.data_file_size) endDataFile();
    if (data_file_ == nullptr) beginDataFile();
    block.entry.data_file = static_cast<std::uint32_t>(data_file_sizes_.size() - 1);
    block.entry.offset = data_file_sizes_.back();
    data_file_->append(frames);
    data_file_sizes_.back() += frames.size();

    ByteWriter checksum;
    checksum.u64(xxh3(block.hashes, meta_index_size_));
    meta_index_->append(block.hashes);
    meta_index_->append(checksum.data());
    meta_index_size_ += block.hashes.size() + checksum.size();

    index_->add(block.entry);
    ++blocks_;
    progress_.plain_bytes += block.entry.plain_size;
    progress_.stored_bytes += frames.size() + block.hashes.size();
    ++progress_.blocks;
}

void BlockPipeline::beginDataFile() {
    const auto number = static_cast<std::uint32_t>(data_file_sizes_.size());
    data_file_ = storage_.create(options_.directory + dataFileName(number));
    data_file_sizes_.push_back(0);
}

void BlockPipeline::endDataFile() {
    if (data_file_ == nullptr) return;
    data_file_->finish();
    data_file_.reset();
}

BlockWriterResult BlockPipeline::finish(const std::vector<StoredFile>& files) {
    lane_.drain();
    encoded_.close();
    storer_.join();
    rethrowFailure();
    finished_ = true;
    const StoredIndex index = index_->finish(files, data_file_sizes_, meta_index_size_);

    BlockWriterResult result{.files = files.size(), .blocks = blocks_, .index_checksum = index.checksum};
    for (std::uint32_t i = 0; i < data_file_sizes_.size(); ++i) {
        result.objects.push_back({options_.directory + dataFileName(i), data_file_sizes_[i]});
    }
    result.objects.push_back({options_.directory + kMetaIndexName, meta_index_size_});
    result.objects.push_back({options_.directory + kRangeIndexName, index.size});
    for (const StoredObject& object : result.objects)
        result.stored_bytes += object.size;
    for (const StoredFile& file : files)
        result.plain_bytes += file.size;
    return result;
}

}  // namespace tidemark::block
