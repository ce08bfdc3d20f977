#pragma once

#include <chrono>
#include <compare>
#include <optional>
#include <stop_token>
#include <string>

#include "base/growing_pause.h"
#include "catalog/types.h"

namespace tidemark::job {

/// Which job; also how it is cancelled.
struct JobKey {
    std::string kind;  ///< "backup", "restore", …
    catalog::TenantId tenant = 0;
    catalog::JobId id = 0;

    auto operator<=>(const JobKey&) const = default;
};

/// A job gives its place back until then, or until it is woken.
struct Pause {
    std::chrono::milliseconds at_most{0};
    std::string waiting_for;  ///< for people; empty: for nothing, the next step may follow at once
};

/// Of a job that looks again and again at what it waits for.
constexpr GrowingPause waitingPause() {
    return {std::chrono::milliseconds(20), std::chrono::milliseconds(1000)};
}

/// Its next pause. Who waits for long, until the pauses have grown to the longest, is said to be waiting for `reason`.
inline Pause pauseFor(GrowingPause& wait, const std::string& reason) {
    const auto pause = wait.next();
    return {.at_most = pause, .waiting_for = pause < wait.longest() ? "" : reason};
}

/// A piece of work with a record (catalog/work_store.h), in the hands of this node. Its kind writes its own rows, each
/// time under the claim; WorkEngine only runs it. All calls come one after the other, from changing threads.
class Job {
public:
    virtual ~Job() = default;

    /// Whether the next step reads, computes and writes much: such steps get one of few slots. A step that only asks
    /// the destination or the catalog needs none, so that it is never waited for, and nobody waits for it.
    virtual bool heavy() const { return false; }

    /// Right before each heavy step: asks whether the destinations that the step works with are there. nullopt: they
    /// are. A Pause: they are not; the slot is another one's, and this is asked again. Throws as run() does. It may
    /// hang as they do, and be asked again when it took long. Kinds without heavy steps need none.
    virtual std::optional<Pause> ask() {
        throw Error(ErrorCode::Internal, "a kind of job has heavy steps and does not say how to ask before them");
    }

    /// Does the next step, or all that is left. nullopt: the work is done. A Pause: call again later; until then the
    /// job has neither thread nor slot, and still owns its work. Throws Error for a failure, Error(Cancelled) once it
    /// has seen the stop. May block only in ways that end soon after `stop` is requested.
    virtual std::optional<Pause> run(std::stop_token stop) = 0;

    /// After `error`, which run() threw though nobody had told it to stop: when to begin again, as a new job in the
    /// next attempt. nullopt: the work has failed. Throws nothing.
    virtual std::optional<std::chrono::milliseconds> retryAfter(const Error& error) {
        static_cast<void>(error);
        return std::nullopt;
    }

    /// Records the end, and ends the record of work, in one transaction under the claim. Comes after run(), or without
    /// it: when the work was cancelled before it began, or was interrupted too often. Called again, until it returns,
    /// when it throws; a Conflict says that the work is not ours any more, and ends it here. Not called when the daemon
    /// ends while run() is busy: then the work is left, and taken up again.
    virtual void finish(const catalog::Outcome& outcome) = 0;
};

}  // namespace tidemark::job
