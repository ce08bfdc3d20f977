#include "block/block_pipeline.h"

#include <pthread.h>

#include <algorithm>

#include "base/error.h"
#include "base/require_going.h"

namespace tidemark::block {
namespace {

/// More than one per worker, for a worker that is done waits neither for the source nor for the storage.
std::size_t usefulBuffers(const Lane& lane) {
    return BlockWriter::kPromisedBuffers + std::size_t{2} * lane.workers();
}

std::unique_ptr<KnownPages> knownPages(storage::Storage& storage, const BlockWriterOptions& options) {
    if (!options.parent && options.earlier.empty()) return nullptr;
    return std::make_unique<KnownPages>(storage, options);
}

BlockWriterOptions withStop(BlockWriterOptions options, const std::stop_source& abort) {
    options.stop = abort.get_token();
    return options;
}

}  // namespace

BlockPipeline::BlockPipeline(storage::Storage& storage, Lane& lane, BlockWriterOptions options, BlockProgress& progress,
                             std::stop_source abort)
    : lane_(lane),
      progress_(progress),
      abort_(std::move(abort)),
      memory_(lane.memory(), {.minimum = BlockWriter::kPromisedBuffers, .most = usefulBuffers(lane)},
              abort_.get_token()),
      encoded_(usefulBuffers(lane)),
      known_(knownPages(storage, withStop(options, abort_))),
      layer_(storage, withStop(std::move(options), abort_), known_.get()),
      whole_pages_(memory_.take(abort_.get_token())),
      short_pages_(memory_.take(abort_.get_token())) {
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

void BlockPipeline::name(FileNumber file, const std::string& path) {
    layer_.name(file, path);
    if (known_) known_->match(file, path);
}

void BlockPipeline::push(PlainBlock block) {
    rethrowFailure();
    if (known_) block.before = known_->before(block.file, block.number, block.size);
    lane_.submit(Lane::Task(
        [this, block = std::move(block)](Codec& codec) mutable { guarded([&] { encode(std::move(block), codec); }); }));
}

void BlockPipeline::encode(PlainBlock block, Codec& codec) {
    Encoded encoded;
    encoded.pages = dividePages(block, layer_.key());
    encoded.packed.pages = std::move(encoded.pages.stored);
    encoded.packed.buffer = std::move(block.buffer);
    encoded.block = std::move(block);
    const auto& pages = encoded.packed.pages;
    const std::size_t whole = pages.size() - (!pages.empty() && pages.back().size < kPageSize ? 1 : 0);
    encoded.packed.frames.assign(whole / kPagesPerFrame, kPagesPerFrame);
    encoded.frames = encodeFrames(encoded.packed, codec);
    encoded.rest_at = encoded.frames.size() * kFrameSize;
    encoded_.push(std::move(encoded));  // has room for every buffer there is: a worker must not wait
}

std::vector<BufferedFrame> BlockPipeline::encodeFrames(const PackedPages& packed, Codec& codec) {
    std::vector<BufferedFrame> frames;
    auto page = packed.pages.begin();
    for (const std::uint32_t count : packed.frames) {
        frames.push_back({.id = layer_.newFrame()});
        for (std::uint32_t i = 0; i < count; ++i)
            frames.back().plain += (page++)->size;
    }
    codec.encode(packed.buffer, frames, layer_.key());
    return frames;
}

void BlockPipeline::storeAll() {
    while (const auto encoded = encoded_.pop())
        store(*encoded);
    flush(whole_pages_);
    flush(short_pages_);
}

void BlockPipeline::store(const Encoded& encoded) {
    layer_.setZeros(encoded.block.file, encoded.pages.zeros);
    layer_.keep(encoded.block.file, encoded.pages.kept);
    const std::uint8_t* rest = Codec::plain(encoded.packed.buffer).data() + encoded.rest_at;
    for (std::size_t i = storeFrames(encoded.packed, encoded.frames); i < encoded.packed.pages.size(); ++i) {
        pack(encoded.packed.pages[i], rest);
        rest += encoded.packed.pages[i].size;
    }
    ++blocks_;
    progress_.plain_bytes += encoded.block.size;
    ++progress_.blocks;
}

std::size_t BlockPipeline::storeFrames(const PackedPages& packed, const std::vector<BufferedFrame>& frames) {
    std::size_t at = 0;
    std::size_t page = 0;
    for (std::size_t i = 0; i < frames.size(); ++i) {
        const ByteView stored = packed.buffer.all().subspan(at, frames[i].stored);
        layer_.store(frames[i], stored, std::span(packed.pages).subspan(page, packed.frames[i]));
        at += stored.size();
        page += packed.frames[i];
        progress_.stored_bytes += stored.size();
    }
    return page;
}

void BlockPipeline::pack(const PackedPage& page, const std::uint8_t* bytes) {
    Packer& packer = page.size == kPageSize ? whole_pages_ : short_pages_;
    if (packer.add(page, {bytes, page.size})) return;
    flush(packer);
    packer.add(page, {bytes, page.size});
}

/// A worker encodes while this thread waits, so what is packed is encoded by one worker at a time: at most 15 pages of
/// each macro block, but all there is of small tables.
void BlockPipeline::flush(Packer& packer) {
    if (packer.packed().pages.empty()) return;
    std::vector<BufferedFrame> frames;
    lane_.run([&](Codec& codec) { frames = encodeFrames(packer.packed(), codec); });
    storeFrames(packer.packed(), frames);
    packer.clear();
}

void BlockPipeline::repack(const std::vector<StoredFile>& files) {
    ReadPlan plan = layer_.planRepack(files);
    for (auto frames = plan.next(); !frames.empty(); frames = plan.next()) {
        requireGoing(abort_.get_token());
        repack(frames, files);
    }
    flush(whole_pages_);
    flush(short_pages_);
}

void BlockPipeline::repack(const WantedFrames& frames, const std::vector<StoredFile>& files) {
    const Buffer buffer = takeBuffer();
    known_->reader().read(frames, buffer);
    ByteView plain;
    lane_.run([&](Codec& codec) { plain = known_->reader().decode(frames, buffer, codec, files); });
    for (const WantedFrame& frame : frames) {
        for (const WantedRun& run : frame.runs)
            repack(run, files[run.file].number, plain.subspan(run.offset, run.bytes));
        plain = plain.subspan(frame.place.plain);
    }
}

void BlockPipeline::repack(const WantedRun& run, FileNumber file, ByteView bytes) {
    for (std::uint32_t i = 0; i < run.hashes.size(); ++i) {
        const std::size_t size = std::min(kPageSize, bytes.size());
        pack({file, run.first_page + i, static_cast<std::uint32_t>(size), run.hashes[i]}, bytes.data());
        bytes = bytes.subspan(size);
    }
}

BlockWriterResult BlockPipeline::finish(const std::vector<StoredFile>& files) {
    lane_.drain();
    encoded_.close();
    storer_.join();
    rethrowFailure();
    finished_ = true;
    if (known_) repack(files);
    BlockWriterResult result = layer_.finish(files);
    result.blocks = blocks_;
    return result;
}

}  // namespace tidemark::block
