#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <stop_token>
#include <utility>

// What a mutex guards is written beside it and checked by clang (`./dev test guards`; docs/decisions/threads.md). The
// names are those of clang's documentation, "Thread Safety Analysis"; for other compilers they say nothing.
#if defined(__clang__)
#define TIDEMARK_THREAD_ATTRIBUTE(x) __attribute__((x))
#else
#define TIDEMARK_THREAD_ATTRIBUTE(x)
#endif

/// Of a field: only read and written while the mutex is held.
#define GUARDED_BY(x) TIDEMARK_THREAD_ATTRIBUTE(guarded_by(x))
/// Of a function or a lambda: whoever calls it holds the mutex.
#define REQUIRES(...) TIDEMARK_THREAD_ATTRIBUTE(requires_capability(__VA_ARGS__))
/// Of a function: whoever calls it does not hold the mutex, since it takes it.
#define EXCLUDES(...) TIDEMARK_THREAD_ATTRIBUTE(locks_excluded(__VA_ARGS__))

// Of the classes below only.
#define ACQUIRE(...) TIDEMARK_THREAD_ATTRIBUTE(acquire_capability(__VA_ARGS__))
#define RELEASE(...) TIDEMARK_THREAD_ATTRIBUTE(release_capability(__VA_ARGS__))
#define CAPABILITY(x) TIDEMARK_THREAD_ATTRIBUTE(capability(x))
#define SCOPED_CAPABILITY TIDEMARK_THREAD_ATTRIBUTE(scoped_lockable)
#define NO_THREAD_SAFETY_ANALYSIS TIDEMARK_THREAD_ATTRIBUTE(no_thread_safety_analysis)

namespace tidemark {

/// std::mutex, as clang understands it.
class CAPABILITY("mutex") Mutex {
public:
    void lock() ACQUIRE() { mutex_.lock(); }
    void unlock() RELEASE() { mutex_.unlock(); }

private:
    std::mutex mutex_;
};

/// Holds a mutex from here to the end of the block, but for what is between unlock() and lock().
class SCOPED_CAPABILITY MutexLock {
public:
    explicit MutexLock(Mutex& mutex) ACQUIRE(mutex) : lock_(mutex) {}
    ~MutexLock() RELEASE() {}
    MutexLock(const MutexLock&) = delete;
    MutexLock& operator=(const MutexLock&) = delete;

    void lock() ACQUIRE() { lock_.lock(); }
    void unlock() RELEASE() { lock_.unlock(); }

private:
    std::unique_lock<Mutex> lock_;
};

/// std::condition_variable_any for a MutexLock. A condition says which mutex it needs, since clang reads a lambda on
/// its own: `changed_.wait(lock, [&]() REQUIRES(mutex_) { return !items_.empty(); })`.
///
/// Waiting gives the mutex up and takes it again, which for who waits is the same as holding it.
class ConditionVariable {
public:
    void notifyOne() { changed_.notify_one(); }
    void notifyAll() { changed_.notify_all(); }

    template <typename Condition>
    void wait(MutexLock& lock, Condition condition) NO_THREAD_SAFETY_ANALYSIS {
        changed_.wait(lock, std::move(condition));
    }
    /// The others return what the condition says at last: false if the time was over before, or a stop was requested.
    template <typename Condition>
    bool wait(MutexLock& lock, const std::stop_token& stop, Condition condition) NO_THREAD_SAFETY_ANALYSIS {
        return changed_.wait(lock, stop, std::move(condition));
    }
    template <typename Duration, typename Condition>
    bool waitFor(MutexLock& lock, Duration limit, Condition condition) NO_THREAD_SAFETY_ANALYSIS {
        return changed_.wait_for(lock, limit, std::move(condition));
    }
    template <typename Duration, typename Condition>
    bool waitFor(MutexLock& lock, const std::stop_token& stop, Duration limit,
                 Condition condition) NO_THREAD_SAFETY_ANALYSIS {
        return changed_.wait_for(lock, stop, limit, std::move(condition));
    }
    /// Without a condition: until somebody notifies, or for no reason.
    void wait(MutexLock& lock) NO_THREAD_SAFETY_ANALYSIS { changed_.wait(lock); }
    template <typename Time>
    void waitUntil(MutexLock& lock, Time until) NO_THREAD_SAFETY_ANALYSIS {
        changed_.wait_until(lock, until);
    }
    template <typename Time, typename Condition>
    bool waitUntil(MutexLock& lock, Time until, Condition condition) NO_THREAD_SAFETY_ANALYSIS {
        return changed_.wait_until(lock, until, std::move(condition));
    }
    template <typename Time, typename Condition>
    bool waitUntil(MutexLock& lock, const std::stop_token& stop, Time until,
                   Condition condition) NO_THREAD_SAFETY_ANALYSIS {
        return changed_.wait_until(lock, stop, until, std::move(condition));
    }

private:
    std::condition_variable_any changed_;
};

}  // namespace tidemark
