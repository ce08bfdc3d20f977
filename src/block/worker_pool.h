#pragma once

#include <deque>
#include <functional>
#include <future>
#include <memory>
#include <thread>
#include <vector>

#include "base/mutex.h"
#include "block/codec.h"
#include "block/memory_budget.h"

namespace tidemark::block {

class Lane;

/// The threads that encode and decode for all jobs of a daemon, and the memory for what they work on.
///
/// Each job opens a lane. A worker that is free serves, among the lanes with something to do, the one that has had the
/// least CPU time for its weight: a lane of weight 8 gets four times as much as one of weight 2 while both want all
/// they can get, and what one does not want is the others'. A lane that comes back after a pause has no claim on the
/// time it did not use.
///
/// Tasks compute and never wait for anything: not for a storage, a source, a queue or memory. So nobody's trouble
/// keeps a worker from the others; reading and storing are done by threads of the job. Thread-safe.
class WorkerPool {
public:
    static constexpr unsigned kMostThreads = 16;
    /// What the calling thread has computed so far, in nanoseconds.
    using Meter = double (*)();

    /// threads 0: one per core, kMostThreads at most.
    explicit WorkerPool(unsigned threads = 0, MemoryLimits memory = {}, Meter meter = cpuNanoseconds);
    /// All lanes are closed by then.
    ~WorkerPool();
    WorkerPool(const WorkerPool&) = delete;
    WorkerPool& operator=(const WorkerPool&) = delete;

    unsigned threads() const { return threads_; }
    MemoryBudget& memory() { return memory_; }
    static double cpuNanoseconds();

private:
    friend class Lane;

    void work(std::stop_token stop);
    /// The lane whose turn it is; nullptr if there is nothing to do.
    Lane* next() const REQUIRES(mutex_);

    const unsigned threads_;
    const Meter meter_;
    MemoryBudget memory_;
    Mutex mutex_;
    ConditionVariable wanted_;
    ConditionVariable ended_;  ///< a task has
    std::vector<Lane*> lanes_ GUARDED_BY(mutex_);
    double now_ GUARDED_BY(mutex_) = 0;  ///< the turn of the lane that was served last
    std::vector<std::jthread> workers_;  // the last member: they use the others
};

struct LaneOptions {
    unsigned weight = 1;
    unsigned most = 0;  ///< workers at once; 0: all
};

/// One job's way to the workers. Thread-safe.
class Lane {
public:
    using Task = std::packaged_task<void(Codec&)>;

    explicit Lane(WorkerPool& pool, LaneOptions options = {});
    /// drop().
    ~Lane();
    Lane(const Lane&) = delete;
    Lane& operator=(const Lane&) = delete;

    /// Has a worker do it soon; tasks begin in order. What it throws goes to the task's future.
    void submit(Task task);
    /// The same, and waits until it is done; throws what it throws.
    void run(const std::function<void(Codec&)>& work);
    /// Waits until every task is done.
    void drain();
    /// Forgets tasks that have not begun, and waits for the others.
    void drop();

    void setWeight(unsigned weight);
    /// From now on its tasks go before all others', or no longer: somebody waits for them who must not. They are
    /// charged all the same, so that the others catch up afterwards.
    void hurry(bool hurries);
    /// Workers that may serve it at once.
    unsigned workers() const { return most_; }
    WorkerPool& pool() { return pool_; }
    MemoryBudget& memory() { return pool_.memory(); }

private:
    friend class WorkerPool;

    bool waits() const { return !tasks_.empty() && running_ < most_; }
    bool goesBefore(const Lane& other) const { return hurries_ != other.hurries_ ? hurries_ : turn_ < other.turn_; }
    /// A task does: returns what was charged for it.
    double begin();
    void end(double charged, double nanoseconds);

    WorkerPool& pool_;
    const unsigned most_;
    // All of these are guarded by pool_.mutex_. Clang would not know it again as the mutex_ of the pool that serves
    // them.
    unsigned weight_;
    bool hurries_ = false;
    unsigned running_ = 0;
    double turn_ = 0;        ///< CPU time that it was charged, by weight
    double estimate_ = 1e6;  ///< nanoseconds of a task: what the last one took
    std::deque<Task> tasks_;
};

}  // namespace tidemark::block
