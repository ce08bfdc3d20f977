#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>

#include "base/log.h"
#include "job/work_kind.h"

namespace tidemark::job {

/// "backup tenant=1002 job=7", for logs.
std::string nameOf(const JobKey& key);

/// A record of work that this node has taken, and the job that does it, step by step until the end is recorded.
///
/// advance() and heavy() come one after the other; everything else at any time.
class OwnedJob {
public:
    /// `wake` is called, from any thread, when the job is to go on. `retry` is the first pause between attempts to
    /// record something; it doubles.
    OwnedJob(catalog::WorkStore& store, const WorkKind& kind, catalog::WorkRow row, std::function<void()> wake,
             std::chrono::milliseconds retry, Logger log);

    const JobKey& key() const { return key_; }
    const WorkContext& context() const { return context_; }

    // Each asks the job to stop, and says what is to be recorded.
    void cancel();  ///< somebody wants it: CANCELED
    void lose();    ///< another one has the work: nothing
    void leave();   ///< the engine ends: nothing, the work is to be taken up again
    bool stopping() const { return stop_.stop_requested(); }

    /// Does the next step. nullopt: nothing more is to be done here. Throws nothing. Before a heavy step its
    /// destinations are asked; after their answer, `takes_slot` says whether there still is a slot for it.
    std::optional<Pause> advance(const std::function<bool()>& takes_slot);
    /// Whether the next step needs a slot.
    bool heavy() const { return job_ && !ending() && job_->heavy(); }
    /// The record is gone, or another one's. If advance() returns nullopt without it, the work is to be given back.
    bool over() const { return over_; }

private:
    bool ending() const { return outcome_ || again_; }
    bool dropped() const { return lost_ || (left_ && !cancelled_); }
    void make();
    std::optional<Pause> run(const std::function<bool()>& takes_slot);
    std::optional<Pause> step(const std::function<bool()>& takes_slot);
    void end(const Error& error);
    std::optional<Pause> record();
    Pause afterFailure();
    void noteRunning();
    void noteWaiting(const std::string& waiting_for);

    catalog::WorkStore& store_;
    const WorkKind& kind_;
    const JobKey key_;
    std::stop_source stop_;
    WorkContext context_;
    const Logger log_;
    std::atomic<bool> cancelled_ = false;
    std::atomic<bool> lost_ = false;
    std::atomic<bool> left_ = false;
    std::atomic<bool> over_ = false;

    // Of advance() alone.
    struct Again {
        std::chrono::milliseconds pause;
        std::string why;
    };
    std::unique_ptr<Job> job_;
    std::optional<catalog::Outcome> outcome_;  ///< run() is over; to be recorded
    std::optional<Again> again_;               ///< likewise: to be given back for another attempt
    std::string shown_wait_;                   ///< what the record says it waits for
    GrowingPause retry_;                       ///< after failures
};

}  // namespace tidemark::job
