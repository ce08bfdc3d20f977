#include "validate/frame_checkers.h"

#include <pthread.h>

#include <algorithm>

namespace tidemark::validate {
namespace {

constexpr unsigned kMostReaders = 16;

/// One waits for the storage while another one's frames are decoded.
unsigned readersFor(const block::Lane& lane) {
    return std::min(2 * lane.workers(), kMostReaders);
}

}  // namespace

void FrameTally::damaged(const block::FrameRecord& frame, const std::string& what) {
    const MutexLock lock(mutex_);
    ++count_;
    if (first_ && first_->offset < frame.place.offset) return;
    first_ = Damage{.offset = frame.place.offset, .what = what};
    if (frame.runs.empty()) return;
    first_->file = frame.runs.front().file;
    first_->page = frame.runs.front().first_page;
}

std::uint64_t FrameTally::count() const {
    const MutexLock lock(mutex_);
    return count_;
}

std::optional<FrameTally::Damage> FrameTally::first() const {
    const MutexLock lock(mutex_);
    return first_;
}

bool FrameCheckers::Batch::takes(const block::FrameRecord& frame) const {
    if (frames.empty()) return true;
    const block::FramePlace& last = frames.back().place;
    return frames.size() < block::Codec::kMostFrames && last.offset + last.stored == frame.place.offset;
}

FrameCheckers::FrameCheckers(const Checking& with)
    : with_(with),
      memory_(with.lane.memory(), {.minimum = 2, .most = readersFor(with.lane)}, with.stop),
      queue_(readersFor(with.lane)) {
    for (unsigned i = 0; i < readersFor(with.lane); ++i)
        threads_.emplace_back([this] { work(); });
}

FrameCheckers::~FrameCheckers() {
    queue_.fail(std::make_exception_ptr(Error(ErrorCode::Cancelled, "the validation was given up")));
}

void FrameCheckers::check(Batch batch) {
    if (!batch.frames.empty()) queue_.push(std::move(batch));
}

void FrameCheckers::finish() {
    queue_.close();
    threads_.clear();
    const MutexLock lock(mutex_);
    if (failure_) std::rethrow_exception(failure_);
}

void FrameCheckers::work() {
    pthread_setname_np(pthread_self(), "validate-read");
    try {
        while (const auto batch = queue_.pop()) {
            with_.requireGoing();
            checkBatch(*batch);
        }
    } catch (...) {
        const MutexLock lock(mutex_);
        if (!failure_) failure_ = std::current_exception();
        queue_.fail(std::current_exception());
    }
}

/// Frames are looked at one by one only where something is wrong with one of them.
void FrameCheckers::checkBatch(const Batch& batch) {
    if (problemOf(batch, 0, batch.frames.size())) {
        for (std::size_t i = 0; i < batch.frames.size(); ++i) {
            if (const auto problem = problemOf(batch, i, 1)) batch.tally->damaged(batch.frames[i], problem->second);
        }
    }
    for (const block::FrameRecord& frame : batch.frames)
        with_.progress.bytes += frame.place.stored;
}

/// Which of `count` frames from `first` on is damaged first, and what is wrong with it.
std::optional<std::pair<std::size_t, std::string>> FrameCheckers::problemOf(const Batch& batch, std::size_t first,
                                                                            std::size_t count) {
    const auto frames = std::span(batch.frames).subspan(first, count);
    std::vector<block::BufferedFrame> buffered;
    std::size_t stored = 0;
    for (const block::FrameRecord& frame : frames) {
        const block::PartId id{block::PartKind::Frame, batch.layer.id, frame.place.number};
        buffered.push_back({id, frame.place.stored, frame.place.plain});
        stored += frame.place.stored;
    }
    const block::Buffer buffer = memory_.take(with_.stop);
    try {
        with_.storage.read(batch.key, frames.front().place.offset, block::Codec::stored(buffer, stored));
    } catch (const Error& error) {
        if (!with_.isFinding(error)) throw;
        return std::pair{first, std::string(error.what())};
    }
    std::optional<std::pair<std::size_t, std::string>> problem;
    with_.lane.run([&](block::Codec& codec) {
        if (const auto damage = codec.decode(buffer, buffered, *batch.layer_key)) {
            problem.emplace(first + damage->frame, damage->what);
            return;
        }
        ByteView plain = buffer.all();
        for (std::size_t i = 0; i < frames.size() && !problem; ++i) {
            const std::string wrong = wrongPageIn(frames[i], *batch.layer_key, plain.first(frames[i].place.plain));
            if (!wrong.empty()) problem.emplace(first + i, wrong);
            plain = plain.subspan(frames[i].place.plain);
        }
    });
    return problem;
}

}  // namespace tidemark::validate
