#include "storage/bandwidth.h"

#include <algorithm>

#include "base/error.h"

namespace tidemark::storage {
namespace {

/// What may be saved up while nobody moves anything, in seconds of the limit.
constexpr double kBurst = 0.1;
constexpr std::chrono::milliseconds kHurryInterval{20};

}  // namespace

void Bandwidth::setLimit(std::uint64_t bytes_per_second) {
    const MutexLock lock(mutex_);
    if (limit_ == static_cast<double>(bytes_per_second)) return;
    limit_ = static_cast<double>(bytes_per_second);
    left_ = 0;
    filled_ = Clock::now();
    changed_.notifyAll();
}

std::size_t Bandwidth::waiting() {
    const MutexLock lock(mutex_);
    return queue_.size();
}

void Bandwidth::refill() {
    const auto now = Clock::now();
    const double seconds = std::chrono::duration<double>(now - filled_).count();
    left_ = std::min(left_ + seconds * limit_, kBurst * limit_);
    filled_ = now;
}

void Bandwidth::take(std::uint64_t bytes, const BandwidthUser& user) {
    MutexLock lock(mutex_);
    if (limit_ == 0) return;
    const int place = 0;
    queue_.push_back(&place);
    for (;;) {
        refill();
        if (limit_ == 0 || user.stop.stop_requested() || (user.hurried && user.hurried())) break;
        const bool first = queue_.front() == &place;
        if (first && left_ >= 0) break;
        // Whoever is first knows when it is his turn; the others are told.
        auto pause = std::chrono::duration<double>(first ? -left_ / limit_ : 3600.0);
        if (user.hurried) pause = std::min(pause, std::chrono::duration<double>(kHurryInterval));
        changed_.waitFor(lock, user.stop, std::chrono::ceil<std::chrono::milliseconds>(pause),
                         [&, limit = limit_, was_first = first]()
                             REQUIRES(mutex_) { return limit_ != limit || (queue_.front() == &place) != was_first; });
    }
    std::erase(queue_, &place);
    changed_.notifyAll();
    if (user.stop.stop_requested()) throw Error(ErrorCode::Cancelled, "cancelled");
    left_ -= static_cast<double>(bytes);
}

}  // namespace tidemark::storage
