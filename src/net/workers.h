#pragma once

#include <chrono>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "base/error.h"
#include "base/mutex.h"

namespace tidemark::net {

struct WorkersOptions {
    std::string name = "worker";     ///< of the threads
    unsigned threads = 128;          ///< calls that may run at one time; a thread is started when it is first needed
    std::string first_owner;         ///< its calls may take half of all threads
    unsigned reserved = 16;          ///< threads that only the first owner's calls may take
    unsigned most_of_one = 4;        ///< threads that another owner's calls may take; fewer when few are free
    std::size_t most_waiting = 256;  ///< calls of one owner that wait for a thread; more are refused
    std::chrono::milliseconds longest_wait{60'000};  ///< for a thread; then a call is refused
};

/// Threads for blocking calls, shared by owners (tenants) so that no owner's calls take them all: while those of one
/// hang, as its destination does, the others' go on. What finds no thread waits in its owner's queue, and owners get
/// free threads in turn.
///
/// Thread-safe.
class Workers {
public:
    /// Must not throw. With a refusal it must not do its work: it has waited too long, or the workers were stopped.
    using Call = std::function<void(const Error* refusal)>;

    explicit Workers(WorkersOptions options);
    /// Stops, if that was not done.
    ~Workers();
    Workers(const Workers&) = delete;
    Workers& operator=(const Workers&) = delete;

    /// Throws Unavailable (4023, OceanBase's "try again") if too many of the owner's calls wait, or after stop().
    void post(const std::string& owner, Call call);

    /// Waits for the calls that run, without limit; tells those that wait that they may not.
    void stop();

private:
    using Time = std::chrono::steady_clock::time_point;
    struct Waiting {
        Call call;
        Time until;
    };
    struct Owner {
        unsigned running = 0;
        std::deque<Waiting> waiting;
    };
    using Owners = std::map<std::string, Owner>;

    bool mayRun(const std::string& name, const Owner& owner) const REQUIRES(mutex_);
    void start(const std::string& name, Owner& owner, Call call) REQUIRES(mutex_);
    void startWaiting() REQUIRES(mutex_);
    void finished(const std::string& name) REQUIRES(mutex_);
    void work();
    std::optional<Time> nextRefusal() const REQUIRES(mutex_);
    void refuseLate();

    const WorkersOptions options_;
    Mutex mutex_;
    ConditionVariable changed_;                                          // for the workers
    ConditionVariable first_waits_;                                      // for the thread that refuses what is late
    Owners owners_ GUARDED_BY(mutex_);                                   // those with calls that run or wait
    std::string last_started_ GUARDED_BY(mutex_);                        // whose turn it was
    std::deque<std::pair<std::string, Call>> ready_ GUARDED_BY(mutex_);  // counted as running, for the next thread
    unsigned running_ GUARDED_BY(mutex_) = 0;
    unsigned running_of_others_ GUARDED_BY(mutex_) = 0;  // than the first owner
    unsigned idle_ GUARDED_BY(mutex_) = 0;
    bool stopped_ GUARDED_BY(mutex_) = false;
    std::vector<std::jthread> threads_ GUARDED_BY(mutex_);
    bool refuses_late_ GUARDED_BY(mutex_) = false;  // once something has waited, a thread does
};

}  // namespace tidemark::net
