#pragma once

#include <deque>
#include <map>
#include <memory>
#include <thread>
#include <vector>

#include "base/log.h"
#include "base/mutex.h"
#include "job/job.h"
#include "job/lease_watch.h"
#include "job/owned_job.h"
#include "job/work_kind.h"
#include "job/work_threads.h"

namespace tidemark::job {

struct WorkEngineOptions {
    std::size_t slots = 8;      ///< heavy steps at once; others wait in order
    std::size_t threads = 256;  ///< at most; a thread lives as long as it is needed
    std::chrono::milliseconds lease{30'000};
    std::chrono::milliseconds look_interval{3000};  ///< for what other nodes left; what is added here comes at once
    std::chrono::milliseconds stalled{5000};        ///< after which a heavy step that does not move lends its slot
    std::chrono::milliseconds answer{250};          ///< likewise one whose destination has not answered at its begin
    std::chrono::milliseconds retry{1000};          ///< first pause between attempts to record an end; doubles
};

/// Takes, runs, and ends the work of this node. Knows no kind of work. See docs/decisions/work.md. Thread-safe.
class WorkEngine {
public:
    explicit WorkEngine(catalog::WorkStore& store, WorkEngineOptions options = {});
    /// shutdown().
    ~WorkEngine();
    WorkEngine(const WorkEngine&) = delete;
    WorkEngine& operator=(const WorkEngine&) = delete;

    /// Before start().
    void add(WorkKind kind);
    /// From now on work is taken, first of all what an earlier daemon of this node has left.
    void start(std::int64_t node);

    /// There is a new record.
    void wake();
    /// Ends the pause of this tenant's jobs of the kind.
    void wake(const std::string& kind, catalog::TenantId tenant);

    /// After cancelWork(): asks a job to stop; one that has no thread ends at once. False if this node has no such job:
    /// then its owner learns it from the record.
    bool cancel(const JobKey& key);

    /// True if the work has ended within the limit, wherever it is done.
    bool waitFor(const JobKey& key, std::chrono::milliseconds limit);

    /// Stops all jobs, waits for their threads, and gives their work back as it stands. The engine does nothing more.
    void shutdown();

private:
    struct Entry;
    using EntryPtr = std::shared_ptr<Entry>;
    using Time = std::chrono::steady_clock::time_point;

    /// Something has changed.
    void tell() REQUIRES(mutex_);

    // The keeper's thread: asks sys.
    void keep(std::stop_token stop);
    void renew();
    void look();
    void takeUp(const catalog::WorkRow& seen);
    bool mayTake(const catalog::WorkRow& row) const;

    // The dispatcher's thread: never asks anyone.
    void dispatch(std::stop_token stop);
    Time startDue() REQUIRES(mutex_);
    Time keepsSlotUntil(Entry& entry, Time now) REQUIRES(mutex_);
    bool hasSlot(Time now, Time& next) REQUIRES(mutex_);

    // A job's thread.
    void step(const EntryPtr& entry);
    bool takesSlot(Entry& entry);

    catalog::WorkStore& store_;
    const WorkEngineOptions options_;
    const Logger log_;
    std::map<std::string, WorkKind> kinds_;  // constant after start()
    catalog::WorkOwner owner_;               // likewise
    LeaseWatch watch_;                       // the keeper's own

    Mutex mutex_;
    ConditionVariable changed_;
    std::map<JobKey, EntryPtr> entries_ GUARDED_BY(mutex_);  // with what the entries say of their state
    std::deque<EntryPtr> queue_ GUARDED_BY(mutex_);          // to be run, in order
    Time look_at_ GUARDED_BY(mutex_){};
    Time renew_at_ GUARDED_BY(mutex_){};
    bool told_ GUARDED_BY(mutex_) = false;  // something changed since the dispatcher looked
    bool shut_down_ GUARDED_BY(mutex_) = false;

    // Last: they use all of the above.
    WorkThreads threads_;
    std::jthread keeper_;
    std::jthread dispatcher_;
};

}  // namespace tidemark::job
