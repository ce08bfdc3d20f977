#include "job/job_runner.h"

#include <fmt/format.h>
#include <pthread.h>

#include <algorithm>

namespace tidemark::job {

struct JobRunner::Entry {
    JobKey key;
    std::unique_ptr<RunnerJob> job;
    std::stop_source stop;
    bool cancelled = false;  ///< by cancel(), not by the runner's end
};

namespace {

constexpr std::chrono::milliseconds kFinishRetryLongest{30'000};

std::string runnerNameOf(const JobKey& key) {
    return fmt::format("{} tenant={} job={}", key.kind, key.tenant, key.id);
}

/// The kernel keeps 15 characters of a thread's name.
void nameRunnerThread(const JobKey& key) {
    const std::string name = fmt::format("{}-{}/{}", key.kind, key.tenant, key.id).substr(0, 15);
    pthread_setname_np(pthread_self(), name.c_str());
}

catalog::Outcome outcomeOf(RunnerJob& job, std::stop_token stop) {
    try {
        job.run(std::move(stop));
        return catalog::Outcome::completed();
    } catch (const Error& error) {
        return catalog::Outcome::of(error);
    } catch (const std::exception& error) {
        return catalog::Outcome::of(
            Error(ErrorCode::Internal, error.what(), "this is a defect; please report it with the log"));
    }
}

}  // namespace

JobRunner::JobRunner(JobRunnerOptions options) : options_(options), log_(makeLogger("jobs")) {
    for (std::size_t i = 0; i < options_.concurrency; ++i) {
        workers_.emplace_back([this](std::stop_token stop) { work(stop); });
    }
}

JobRunner::~JobRunner() {
    shutdown();
}

void JobRunner::submit(const JobKey& key, std::unique_ptr<RunnerJob> job) {
    const std::lock_guard lock(mutex_);
    if (shut_down_) throw Error(ErrorCode::Unavailable, runnerNameOf(key) + ": the daemon is stopping");
    if (queue_.size() >= options_.queue_limit) {
        throw Error(ErrorCode::Unavailable,
                    fmt::format("{}: {} jobs are waiting already", runnerNameOf(key), queue_.size()),
                    "try again when some have ended");
    }
    const auto entry = std::make_shared<Entry>();
    if (!entries_.emplace(key, entry).second)
        throw Error(ErrorCode::AlreadyExists, runnerNameOf(key) + " is running already");
    entry->key = key;
    entry->job = std::move(job);
    queue_.push_back(entry);
    changed_.notify_all();
}

bool JobRunner::cancel(const JobKey& key) {
    std::shared_ptr<Entry> entry;
    {
        const std::lock_guard lock(mutex_);
        const auto found = entries_.find(key);
        if (found == entries_.end()) return false;
        entry = found->second;
        entry->cancelled = true;
    }
    // Outside the lock: this runs the callbacks of the job's own stop_callbacks.
    entry->stop.request_stop();
    return true;
}

bool JobRunner::isActive(const JobKey& key) const {
    const std::lock_guard lock(mutex_);
    return entries_.contains(key);
}

std::vector<JobKey> JobRunner::active() const {
    const std::lock_guard lock(mutex_);
    std::vector<JobKey> keys;
    for (const auto& [key, entry] : entries_)
        keys.push_back(key);
    return keys;
}

bool JobRunner::waitFor(const JobKey& key, std::chrono::milliseconds limit) const {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, limit, [&] { return !entries_.contains(key); });
}

void JobRunner::shutdown() {
    std::vector<std::shared_ptr<Entry>> running;
    {
        const std::lock_guard lock(mutex_);
        shut_down_ = true;
        for (const auto& waiting : queue_)
            entries_.erase(waiting->key);
        queue_.clear();
        for (const auto& [key, entry] : entries_)
            running.push_back(entry);
    }
    for (const auto& entry : running)
        entry->stop.request_stop();
    for (std::jthread& worker : workers_)
        worker.request_stop();
    changed_.notify_all();
    workers_.clear();  // joins
}

void JobRunner::work(std::stop_token stop) {
    while (const auto entry = next(stop)) {
        nameRunnerThread(entry->key);
        runOne(*entry);
        entry->job.reset();
        pthread_setname_np(pthread_self(), "job-idle");
        const std::lock_guard lock(mutex_);
        entries_.erase(entry->key);
        changed_.notify_all();
    }
}

std::shared_ptr<JobRunner::Entry> JobRunner::next(std::stop_token stop) {
    std::unique_lock lock(mutex_);
    if (!changed_.wait(lock, stop, [&] { return !queue_.empty(); })) return nullptr;
    auto entry = std::move(queue_.front());
    queue_.pop_front();
    return entry;
}

void JobRunner::runOne(Entry& entry) {
    const auto stop = entry.stop.get_token();
    const catalog::Outcome outcome =
        stop.stop_requested() ? catalog::Outcome::of(Error(ErrorCode::Cancelled, "cancelled before it began"))
                              : outcomeOf(*entry.job, stop);
    bool interrupted = false;
    {
        const std::lock_guard lock(mutex_);
        interrupted = shut_down_ && !entry.cancelled && outcome.state != catalog::Outcome::State::Completed;
    }
    if (interrupted) {
        log_->info("{} interrupted by the end of the daemon", runnerNameOf(entry.key));
        return;
    }
    record(entry, outcome);
}

void JobRunner::record(Entry& entry, const catalog::Outcome& outcome) {
    if (outcome.state == catalog::Outcome::State::Failed)
        log_->error("{} failed: {}", runnerNameOf(entry.key), outcome.comment);
    for (auto pause = options_.finish_retry;; pause = std::min(2 * pause, kFinishRetryLongest)) {
        if (tryRecord(entry, outcome)) return;
        std::unique_lock lock(mutex_);
        if (changed_.wait_for(lock, pause, [&] { return shut_down_; })) return;
    }
}

/// False: to be tried again. A row that nobody finishes shows a job that does not exist, and stands in the way of the
/// next; so every failure may pass, but that the row is not there, or is finished.
bool JobRunner::tryRecord(Entry& entry, const catalog::Outcome& outcome) {
    const auto warn = [&](const char* why) {
        log_->warn("{}: its end could not be recorded: {}", runnerNameOf(entry.key), why);
    };
    try {
        entry.job->finish(outcome);
        return true;
    } catch (const Error& error) {
        warn(error.what());
        return error.code() == ErrorCode::NotFound || error.code() == ErrorCode::Conflict;
    } catch (const std::exception& error) {
        warn(error.what());
        return false;
    }
}

}  // namespace tidemark::job
