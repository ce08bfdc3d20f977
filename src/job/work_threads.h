#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <list>
#include <mutex>
#include <thread>

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
    std::mutex mutex_;
    std::condition_variable changed_;
    Threads threads_;                          // guarded by mutex_
    Threads ended_;                            // guarded by mutex_: to be joined
    std::deque<std::function<void()>> tasks_;  // guarded by mutex_
    std::size_t idle_ = 0;                     // guarded by mutex_
    bool stopped_ = false;                     // guarded by mutex_
};

}  // namespace tidemark::job
