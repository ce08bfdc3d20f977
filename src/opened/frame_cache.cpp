#include "opened/frame_cache.h"

namespace tidemark::opened {

PlainFrame FrameCache::get(const block::FramePlace& place) {
    const FrameKey key{place.layer, place.object, place.offset};
    MutexLock lock(mutex_);
    for (;;) {
        const auto found = frames_.find(key);
        if (found == frames_.end()) break;
        if (found->second.frame) {
            order_.splice(order_.begin(), order_, found->second.used);
            return found->second.frame;
        }
        arrived_.wait(lock);
    }
    frames_.emplace(key, Entry{nullptr, order_.end()});
    lock.unlock();
    PlainFrame frame;
    try {
        frame = std::make_shared<const Bytes>(reader_.readOne(place));
    } catch (...) {
        lock.lock();
        frames_.erase(key);
        arrived_.notifyAll();
        throw;
    }
    lock.lock();
    enter(key, frame);
    arrived_.notifyAll();
    return frame;
}

void FrameCache::enter(const FrameKey& key, const PlainFrame& frame) {
    ++decoded_;
    held_ += frame->size();
    order_.push_front(key);
    frames_[key] = {frame, order_.begin()};
    while (held_ > limit_ && order_.size() > 1) {
        const auto oldest = frames_.find(order_.back());
        held_ -= oldest->second.frame->size();
        frames_.erase(oldest);
        order_.pop_back();
    }
}

std::uint64_t FrameCache::decoded() const {
    const MutexLock lock(mutex_);
    return decoded_;
}

}  // namespace tidemark::opened
