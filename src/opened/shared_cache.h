#pragma once

#include <list>
#include <map>
#include <memory>

#include "base/mutex.h"

namespace tidemark::opened {

/// What was read last, for all who read. Who asks for something that another one is just reading waits for that one.
/// What somebody still has stays, though the cache has dropped it. Thread-safe.
template <typename Key, typename Value>
class SharedCache {
public:
    /// Holds `bytes` at most, but always what was asked for last.
    explicit SharedCache(std::size_t bytes) : limit_(bytes) {}

    /// What `read()` returns, whose size is `bytes(value)`. Throws what it throws; the next one who asks tries again.
    template <typename Read, typename Size>
    std::shared_ptr<const Value> get(const Key& key, Read read, Size bytes);

    /// How often something was read.
    std::uint64_t reads() const {
        const MutexLock lock(mutex_);
        return reads_;
    }

private:
    struct Entry {
        std::shared_ptr<const Value> value;  ///< null: being read
        std::size_t bytes = 0;
        typename std::list<Key>::iterator used;
    };

    void enter(const Key& key, const std::shared_ptr<const Value>& value, std::size_t bytes) REQUIRES(mutex_);

    const std::size_t limit_;
    mutable Mutex mutex_;
    ConditionVariable arrived_;
    std::map<Key, Entry> entries_ GUARDED_BY(mutex_);
    std::list<Key> order_ GUARDED_BY(mutex_);  ///< of those that are there, the one used last first
    std::size_t held_ GUARDED_BY(mutex_) = 0;  ///< bytes
    std::uint64_t reads_ GUARDED_BY(mutex_) = 0;
};

template <typename Key, typename Value>
template <typename Read, typename Size>
std::shared_ptr<const Value> SharedCache<Key, Value>::get(const Key& key, Read read, Size bytes) {
    MutexLock lock(mutex_);
    for (;;) {
        const auto found = entries_.find(key);
        if (found == entries_.end()) break;
        if (found->second.value) {
            order_.splice(order_.begin(), order_, found->second.used);
            return found->second.value;
        }
        arrived_.wait(lock);
    }
    entries_.emplace(key, Entry{nullptr, 0, order_.end()});
    lock.unlock();
    std::shared_ptr<const Value> value;
    try {
        value = std::make_shared<const Value>(read());
    } catch (...) {
        lock.lock();
        entries_.erase(key);
        arrived_.notifyAll();
        throw;
    }
    lock.lock();
    enter(key, value, bytes(*value));
    arrived_.notifyAll();
    return value;
}

template <typename Key, typename Value>
void SharedCache<Key, Value>::enter(const Key& key, const std::shared_ptr<const Value>& value, std::size_t bytes) {
    ++reads_;
    held_ += bytes;
    order_.push_front(key);
    entries_[key] = {value, bytes, order_.begin()};
    while (held_ > limit_ && order_.size() > 1) {
        const auto oldest = entries_.find(order_.back());
        held_ -= oldest->second.bytes;
        entries_.erase(oldest);
        order_.pop_back();
    }
}

}  // namespace tidemark::opened
