#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <stop_token>

namespace tidemark {

/// Waits that long, or until `stop` is requested. False if it is.
template <typename Duration>
bool sleepFor(const std::stop_token& stop, Duration duration) {
    std::mutex mutex;
    std::condition_variable_any never;
    std::unique_lock lock(mutex);
    return !never.wait_for(lock, stop, duration, [&] { return stop.stop_requested(); });
}

/// Waits until `stop` is requested.
inline void sleepUntilStopped(const std::stop_token& stop) {
    std::mutex mutex;
    std::condition_variable_any never;
    std::unique_lock lock(mutex);
    never.wait(lock, stop, [&] { return stop.stop_requested(); });
}

}  // namespace tidemark
