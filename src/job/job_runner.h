#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "base/log.h"
#include "job/job.h"

namespace tidemark::job {

struct JobRunnerOptions {
    std::size_t concurrency = 8;                   ///< jobs running at once; others wait in order of submission
    std::size_t queue_limit = 1000;                ///< jobs waiting
    std::chrono::milliseconds finish_retry{1000};  ///< first pause between attempts to record an end; doubles
};

/// A job that JobRunner runs: the kinds that have no record of work yet.
class RunnerJob {
public:
    virtual ~RunnerJob() = default;

    /// Does the work, on a thread of its own. Throws Error for a failure, Error(Cancelled) once it has seen the stop.
    /// May block only in ways that end soon after `stop` is requested.
    virtual void run(std::stop_token stop) = 0;

    /// Records the end in the catalog, on the same thread after run(). Called again, until it returns, when it throws
    /// Unavailable. Not called when the runner itself is shut down while run() is busy: the row then stays as it is and
    /// the kind deals with it at the next start, as after a crash.
    virtual void finish(const catalog::Outcome& outcome) = 0;
};

/// Runs jobs, each on a thread named after it, a limited number at once. Knows no kind of job. Thread-safe.
class JobRunner {
public:
    explicit JobRunner(JobRunnerOptions options = {});
    /// shutdown().
    ~JobRunner();
    JobRunner(const JobRunner&) = delete;
    JobRunner& operator=(const JobRunner&) = delete;

    /// Takes the job over; it runs as soon as there is room. Throws AlreadyExists if the key is queued or running,
    /// Unavailable if the queue is full or the runner is shut down.
    void submit(const JobKey& key, std::unique_ptr<RunnerJob> job);

    /// Asks a job to stop; a queued one ends without having run. False if there is no such job.
    bool cancel(const JobKey& key);

    bool isActive(const JobKey& key) const;
    /// Queued and running ones.
    std::vector<JobKey> active() const;
    /// True if the job is no longer active within the limit.
    bool waitFor(const JobKey& key, std::chrono::milliseconds limit) const;

    /// Stops all jobs and waits for their threads; queued jobs are dropped. Their rows stay non-terminal.
    void shutdown();

private:
    struct Entry;

    void work(std::stop_token stop);
    std::shared_ptr<Entry> next(std::stop_token stop);
    void runOne(Entry& entry);
    void record(Entry& entry, const catalog::Outcome& outcome);
    bool tryRecord(Entry& entry, const catalog::Outcome& outcome);

    const JobRunnerOptions options_;
    const Logger log_;
    mutable std::mutex mutex_;
    mutable std::condition_variable_any changed_;
    std::map<JobKey, std::shared_ptr<Entry>> entries_;
    std::deque<std::shared_ptr<Entry>> queue_;
    bool shut_down_ = false;
    std::vector<std::jthread> workers_;  // last: they use all of the above
};

}  // namespace tidemark::job
