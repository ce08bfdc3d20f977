#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <stop_token>

#include "base/mutex.h"

namespace tidemark::storage {

/// Who takes bytes, and when he may not be kept waiting.
struct BandwidthUser {
    std::stop_token stop;
    /// While this holds, bytes are counted but not waited for: somebody waits for them who must not. Asked every few
    /// milliseconds, from any thread.
    std::function<bool()> hurried;
};

/// Bytes per second that all who share it may move together. Served in order of arrival, so that pieces of the same
/// size get the same share. What was moved beyond the limit, by a large piece or in a hurry, is waited for later.
/// Thread-safe.
class Bandwidth {
public:
    /// Bytes per second; 0: no limit. In force at once, also for those that wait. One that is set anew begins with
    /// nothing saved and nothing owed.
    void setLimit(std::uint64_t bytes_per_second);

    /// Waits until so many bytes may be moved. Throws Cancelled if the user is stopped.
    void take(std::uint64_t bytes, const BandwidthUser& user);

    /// Those who wait at this moment.
    std::size_t waiting();

private:
    using Clock = std::chrono::steady_clock;

    void refill() REQUIRES(mutex_);

    Mutex mutex_;
    ConditionVariable changed_;
    double limit_ GUARDED_BY(mutex_) = 0;
    double left_ GUARDED_BY(mutex_) = 0;  ///< bytes that may be moved now; below 0: owed
    Clock::time_point filled_ GUARDED_BY(mutex_);
    std::deque<const int*> queue_ GUARDED_BY(mutex_);  ///< those that wait, by an address of theirs
};

}  // namespace tidemark::storage
