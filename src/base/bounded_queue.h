#pragma once

#include <condition_variable>
#include <deque>
#include <exception>
#include <mutex>
#include <optional>
#include <utility>

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
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [&] { return items_.size() < capacity_ || closed_ || failure_; });
        if (failure_) std::rethrow_exception(failure_);
        if (closed_) return false;
        items_.push_back(std::move(item));
        changed_.notify_all();
        return true;
    }

    /// Waits for an item; nullopt when the queue is closed and empty.
    std::optional<T> pop() {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [&] { return !items_.empty() || closed_ || failure_; });
        if (failure_) std::rethrow_exception(failure_);
        if (items_.empty()) return std::nullopt;
        std::optional<T> item = std::move(items_.front());
        items_.pop_front();
        changed_.notify_all();
        return item;
    }

    void close() {
        const std::lock_guard lock(mutex_);
        closed_ = true;
        changed_.notify_all();
    }

    /// The first failure wins.
    void fail(std::exception_ptr failure) {
        const std::lock_guard lock(mutex_);
        if (!failure_) failure_ = std::move(failure);
        items_.clear();
        changed_.notify_all();
    }

private:
    const std::size_t capacity_;
    std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<T> items_;
    bool closed_ = false;
    std::exception_ptr failure_;
};

}  // namespace tidemark
