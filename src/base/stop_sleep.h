#pragma once

#include <chrono>
#include <stop_token>

#include "base/mutex.h"

namespace tidemark {

/// Waits that long, or until `stop` is requested. False if it is.
template <typename Duration>
bool sleepFor(const std::stop_token& stop, Duration duration) {
    Mutex mutex;
    ConditionVariable never;
    MutexLock lock(mutex);
    return !never.waitFor(lock, stop, duration, [&] { return stop.stop_requested(); });
}

/// Waits until `stop` is requested.
inline void sleepUntilStopped(const std::stop_token& stop) {
    Mutex mutex;
    ConditionVariable never;
    MutexLock lock(mutex);
    never.wait(lock, stop, [&] { return stop.stop_requested(); });
}

}  // namespace tidemark
