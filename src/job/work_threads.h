#pragma once

#include <chrono>
#include <deque>
#include <functional>
#include <list>
#include <thread>

#include "base/mutex.h"

namespace tidemark::job {

/// Threads on demand, up to a bound; one that has had nothing to do for a while ends. Thread-safe.
class WorkThreads {
public:
    explicit WorkThreads(std::size_t most, std::chrono::milliseconds idle = std::chrono::seconds(10))
        : most_(most), idle_limit_(idle) {}
    /// stop().
    ~WorkThreads() { stop(); }
    WorkThreads(const WorkThreads&) = delete;
    WorkThreads& operator=(const WorkThreads&) = delete;

    /// Runs `task`, which throws nothing, on a thread of its own, at once. False if all are busy.
    bool run(std::function<void()> task);
    /// Waits for what is running; nothing is run any more.
    void stop();

private:
    using Threads = std::list<std::thread>;

    void work(Threads::iterator self);

    const std::size_t most_;
    const std::chrono::milliseconds idle_limit_;
    Mutex mutex_;
    ConditionVariable changed_;
    Threads threads_ GUARDED_BY(mutex_);
    Threads ended_ GUARDED_BY(mutex_);  // to be joined
    std::deque<std::function<void()>> tasks_ GUARDED_BY(mutex_);
    std::size_t idle_ GUARDED_BY(mutex_) = 0;
    bool stopped_ GUARDED_BY(mutex_) = false;
};

}  // namespace tidemark::job
