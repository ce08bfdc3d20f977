#include "block/block_pipeline.h"

#include <pthread.h>

#include <algorithm>

#include "base/error.h"
#include "base/hash.h"
#include "block/index_format.h"

namespace tidemark::block {
namespace {

// Each worker costs about 13 MiB of buffers; more than these would not fit into the daemon's 400 MiB.
constexpr unsigned kMostWorkers = 16;

unsigned workerCount(const BlockWriterOptions& options) {
    const unsigned wanted = options.workers != 0 ? options.workers : std::thread::hardware_concurrency();
    return std::clamp(wanted, 1U, kMostWorkers);
}

}  // namespace

BlockPipeline::BlockPipeline(storage::Storage& storage, BlockWriterOptions options, BlockProgress& progress,
                             std::stop_source abort)
    : storage_(storage),
      options_(std::move(options)),
      progress_(progress),
      abort_(std::move(abort)),
      plain_(workerCount(options_) + 1),
      encoded_(workerCount(options_) + 1) {
    index_.emplace(storage_, options_.directory, options_.set_id);
    meta_index_ = storage_.create(options_.directory + kMetaIndexName);
    ByteWriter head;
    head.text(kMetaMagic).u16(kIndexVersion).u32(options_.set_id);
    meta_index_->append(head.data());
    meta_index_size_ = head.size();
    for (unsigned i = 0; i < workerCount(options_); ++i) {
        workers_.emplace_back([this] { guarded("block-encode", [this] { encodeAll(); }); });
    }
    storer_ = std::jthread([this] { guarded("block-store", [this] { storeAll(); }); });
}

BlockPipeline::~BlockPipeline() {
    if (finished_) return;
    fail(std::make_exception_ptr(Error(ErrorCode::Cancelled, "the backup was given up")));
}

void BlockPipeline::guarded(const char* thread_name, const std::function<void()>& work) {
    pthread_setname_np(pthread_self(), thread_name);
    try {
        work();
    } catch (...) {
        fail(std::current_exception());
    }
}

void BlockPipeline::fail(std::exception_ptr failure) {
    {
        const std::lock_guard lock(failure_mutex_);
        if (!failure_) failure_ = failure;
    }
    plain_.fail(failure);
    encoded_.fail(failure);
    abort_.request_stop();
}

void BlockPipeline::rethrowFailure() {
    const std::lock_guard lock(failure_mutex_);
    if (failure_) std::rethrow_exception(failure_);
}

std::unique_ptr<std::uint8_t[]> BlockPipeline::takeBuffer() {
    if (auto recycled = buffers_.take()) return std::move(*recycled);
    return std::make_unique_for_overwrite<std::uint8_t[]>(kMacroBlockSize);
}

void BlockPipeline::push(PlainBlock block) {
    plain_.push(std::move(block));
}

void BlockPipeline::encodeAll() {
    FrameEncoder encoder;
    while (auto plain = plain_.pop()) {
        EncodedBlock encoded = encoded_buffers_.take().value_or(EncodedBlock{});
        encode(*plain, encoder, encoded);
        buffers_.give(std::move(plain->bytes));
        encoded_.push(std::move(encoded));
    }
}

void BlockPipeline::encode(PlainBlock& plain, FrameEncoder& encoder, EncodedBlock& encoded) const {
    const std::span<std::uint8_t> all(plain.bytes.get(), plain.size);
    encoded.entry = {.id = plain.id, .plain_size = static_cast<std::uint32_t>(plain.size)};
    encoded.hashes.clear();
    const std::size_t room = kFramesPerBlock * FrameEncoder::largestFrame();
    if (encoded.frames == nullptr) encoded.frames = std::make_unique_for_overwrite<std::uint8_t[]>(room);
    std::span<std::uint8_t> left(encoded.frames.get(), room);
    for (std::uint32_t frame = 0; frame < encoded.entry.frameCount(); ++frame) {
        const std::size_t at = frame * kFrameSize;
        const auto part = all.subspan(at, std::min(kFrameSize, all.size() - at));
        const std::uint32_t size = encoder.encode(part, {options_.set_id, plain.id, frame}, left, encoded.hashes);
        encoded.entry.frames[frame] = size;
        left = left.subspan(size);
    }
}

void BlockPipeline::storeAll() {
    while (auto block = encoded_.pop()) {
        store(*block);
        encoded_buffers_.give(std::move(*block));
    }
    endDataFile();
    meta_index_->finish();
}

void BlockPipeline::store(EncodedBlock& block) {
    const ByteView frames(block.frames.get(), block.entry.storedSize());
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
    plain_.close();
    workers_.clear();
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
