#pragma once

#include <deque>
#include <exception>
#include <optional>
#include <utility>

#include "base/mutex.h"

namespace tidemark {

/// A queue between threads that never holds more than `capacity` items, so that a fast producer waits for a slow
/// consumer instead of filling memory. Any number of producers and consumers.
///
/// Ends in one of two ways: close() lets consumers drain what is left and then get nullopt; fail() drops everything and
/// makes every present and later call throw the given exception, on both sides.
template <typename T>
class BoundedQueue {
public:
    explicit BoundedQueue(std::size_t capacity) : capacity_(capacity) {}

    /// Waits for room. Returns false (and drops the item) if the queue was closed.
    bool push(T item) {
        MutexLock lock(mutex_);
        changed_.wait(lock, [&]() REQUIRES(mutex_) { return items_.size() < capacity_ || closed_ || failure_; });
        if (failure_) std::rethrow_exception(failure_);
        if (closed_) return false;
        items_.push_back(std::move(item));
        changed_.notifyAll();
        return true;
    }

    /// Waits for an item; nullopt when the queue is closed and empty.
    std::optional<T> pop() {
        MutexLock lock(mutex_);
        changed_.wait(lock, [&]() REQUIRES(mutex_) { return !items_.empty() || closed_ || failure_; });
        if (failure_) std::rethrow_exception(failure_);
        if (items_.empty()) return std::nullopt;
        std::optional<T> item = std::move(items_.front());
        items_.pop_front();
        changed_.notifyAll();
        return item;
    }

    void close() {
        const MutexLock lock(mutex_);
        closed_ = true;
        changed_.notifyAll();
    }

    /// The first failure wins.
    void fail(std::exception_ptr failure) {
        const MutexLock lock(mutex_);
        if (!failure_) failure_ = std::move(failure);
        items_.clear();
        changed_.notifyAll();
    }

private:
    const std::size_t capacity_;
    Mutex mutex_;
    ConditionVariable changed_;
    std::deque<T> items_ GUARDED_BY(mutex_);
    bool closed_ GUARDED_BY(mutex_) = false;
    std::exception_ptr failure_ GUARDED_BY(mutex_);
};

}  // namespace tidemark
