#include "block/block_pipeline.h"

#include <pthread.h>

#include <algorithm>
#include <cstring>

#include "base/error.h"

namespace tidemark::block {
namespace {

/// More than one per worker, for a worker that is done waits neither for the source nor for the storage.
std::size_t usefulBuffers(const Lane& lane) {
    return BlockWriter::kPromisedBuffers + std::size_t{2} * lane.workers();
}

bool isZero(ByteView bytes) {
    return bytes.front() == 0 && std::equal(bytes.begin() + 1, bytes.end(), bytes.begin());
}

/// The pages of a block that are no zeros, moved together.
std::vector<PackedPage> packTogether(const PlainBlock& block, const LayerKey& key) {
    const std::span<std::uint8_t> plain = Codec::plain(block.buffer).first(block.size);
    std::vector<PackedPage> pages;
    std::size_t end = 0;
    for (std::size_t at = 0; at < plain.size(); at += kPageSize) {
        const auto page = plain.subspan(at, std::min(kPageSize, plain.size() - at));
        if (isZero(page)) continue;
        const auto number = static_cast<std::uint32_t>(block.number * kPagesPerBlock + at / kPageSize);
        pages.push_back({block.file, number, static_cast<std::uint32_t>(page.size()), key.hashOf(page)});
        if (end != at) std::memmove(plain.data() + end, page.data(), page.size());
        end += page.size();
    }
    return pages;
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
      layer_(storage, std::move(options)),
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

void BlockPipeline::push(PlainBlock block) {
    rethrowFailure();
    lane_.submit(Lane::Task(
        [this, block = std::move(block)](Codec& codec) mutable { guarded([&] { encode(std::move(block), codec); }); }));
}

void BlockPipeline::encode(PlainBlock block, Codec& codec) {
    Encoded encoded;
    encoded.packed.pages = packTogether(block, layer_.key());
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
    layer_.endObject();
}

void BlockPipeline::store(const Encoded& encoded) {
    storeZeros(encoded);
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

void BlockPipeline::storeZeros(const Encoded& encoded) {
    const PlainBlock& block = encoded.block;
    auto next = static_cast<std::uint32_t>(block.number * kPagesPerBlock);
    const auto end = static_cast<std::uint32_t>(next + partsOf(block.size, kPageSize));
    for (const PackedPage& page : encoded.packed.pages) {
        layer_.setZeros(block.file, next, page.number - next);
        next = page.number + 1;
    }
    layer_.setZeros(block.file, next, end - next);
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

BlockWriterResult BlockPipeline::finish(const std::vector<StoredFile>& files) {
    lane_.drain();
    encoded_.close();
    storer_.join();
    rethrowFailure();
    finished_ = true;
    BlockWriterResult result = layer_.finish(files);
    result.blocks = blocks_;
    return result;
}

}  // namespace tidemark::block
