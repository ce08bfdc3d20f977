#include "job/owned_job.h"

#include <fmt/format.h>

namespace tidemark::job {
namespace {

constexpr std::chrono::milliseconds kLongestRetry{30'000};

Error defect(const std::exception& error) {
    return Error(ErrorCode::Internal, error.what(), "this is a defect; please report it with the log");
}

}  // namespace

std::string nameOf(const JobKey& key) {
    return fmt::format("{} tenant={} job={}", key.kind, key.tenant, key.id);
}

OwnedJob::OwnedJob(catalog::WorkStore& store, const WorkKind& kind, catalog::WorkRow row, std::function<void()> wake,
                   std::chrono::milliseconds retry, Logger log)
    : store_(store),
      kind_(kind),
      key_{.kind = row.kind, .tenant = row.tenant, .id = row.job_id},
      context_(store, std::move(row), std::move(wake), stop_.get_token()),
      log_(std::move(log)),
      retry_(retry, kLongestRetry) {}

void OwnedJob::cancel() {
    cancelled_ = true;
    stop_.request_stop();
}

void OwnedJob::lose() {
    lost_ = true;
    stop_.request_stop();
}

void OwnedJob::leave() {
    left_ = true;
    stop_.request_stop();
}

std::optional<Pause> OwnedJob::advance(const std::function<bool()>& takes_slot) {
    if (dropped()) {
        over_ = lost_.load();
        return std::nullopt;
    }
    if (!job_) {
        make();
        if (!job_) return over_ ? std::nullopt : std::optional(afterFailure());
        return Pause{};  // for a slot, if it needs one
    }
    if (!ending()) {
        if (const auto pause = run(takes_slot)) return pause;
        if (!ending()) return std::nullopt;
    }
    return record();
}

void OwnedJob::make() {
    try {
        job_ = kind_.make(context_);
        if (!cancelled_ && context_.attempt() > kind_.attempts)
            end(Error(ErrorCode::Unavailable, kind_.interrupted, kind_.hint));
    } catch (const Error& error) {
        log_->error("{} cannot be begun: {}", nameOf(key_), error.what());
        if (error.code() != ErrorCode::NotFound) return;
        try {
            store_.end(context_.claim());
        } catch (const Error& failure) {
            if (failure.code() != ErrorCode::Conflict) return;
        }
        over_ = true;
    } catch (const std::exception& error) {
        log_->error("{} cannot be begun: {}", nameOf(key_), error.what());
    }
}

/// nullopt: the work has ended one way or the other, or is dropped.
std::optional<Pause> OwnedJob::run(const std::function<bool()>& takes_slot) {
    if (stopping()) {
        end(Error(ErrorCode::Cancelled, "cancelled"));
        return std::nullopt;
    }
    try {
        if (auto pause = step(takes_slot)) {
            if (!pause->waiting_for.empty()) noteWaiting(pause->waiting_for);
            return pause;
        }
        outcome_ = catalog::Outcome::completed();
    } catch (const Error& error) {
        if (!stopping()) {
            if (const auto pause = job_->retryAfter(error)) {
                again_ = Again{.pause = *pause, .why = error.what()};
                return std::nullopt;
            }
        }
        end(error);
    } catch (const std::exception& error) {
        end(defect(error));
    }
    return std::nullopt;
}

std::optional<Pause> OwnedJob::step(const std::function<bool()>& takes_slot) {
    if (job_->heavy()) {
        if (auto pause = job_->ask()) return pause;
        if (!takes_slot()) return Pause{};
        noteRunning();
    }
    return job_->run(stop_.get_token());
}

/// Unless the job ended because it was told to, by nobody who wanted it to end.
void OwnedJob::end(const Error& error) {
    if (dropped()) {
        if (left_) log_->info("{} is interrupted by the end of the daemon", nameOf(key_));
        over_ = lost_.load();
        return;
    }
    outcome_ = catalog::Outcome::of(error);
    if (outcome_->state == catalog::Outcome::State::Failed)
        log_->error("{} failed: {}", nameOf(key_), outcome_->comment);
}

/// A record that nobody ends shows work that does not exist, and stands in the way of the next; so whatever fails is
/// tried again, unless the record is not ours.
std::optional<Pause> OwnedJob::record() {
    try {
        if (again_) {
            log_->warn("{} is tried again in {} s: {}", nameOf(key_), again_->pause.count() / 1000, again_->why);
            store_.retryLater(context_.claim(), again_->pause, again_->why);
        } else {
            job_->finish(*outcome_);
        }
        over_ = true;
    } catch (const std::exception& failure) {
        log_->warn("{}: its end could not be recorded: {}", nameOf(key_), failure.what());
        const auto* error = dynamic_cast<const Error*>(&failure);
        over_ = error != nullptr && (error->code() == ErrorCode::NotFound || error->code() == ErrorCode::Conflict);
    }
    if (!over_) return afterFailure();
    job_.reset();
    return std::nullopt;
}

Pause OwnedJob::afterFailure() {
    return {.at_most = retry_.next()};
}

// What the record says of its state is for people, and for counting attempts; the job does not depend on it.

void OwnedJob::noteRunning() {
    if (shown_wait_.empty()) return;
    try {
        store_.setRunning(context_.claim());
        shown_wait_.clear();
    } catch (const Error& error) {
        log_->warn("{}: that it goes on could not be recorded: {}", nameOf(key_), error.what());
    }
}

void OwnedJob::noteWaiting(const std::string& waiting_for) {
    if (waiting_for == shown_wait_) return;
    try {
        store_.setWaiting(context_.claim(), waiting_for);
        shown_wait_ = waiting_for;
    } catch (const Error& error) {
        log_->warn("{}: that it waits could not be recorded: {}", nameOf(key_), error.what());
    }
}

}  // namespace tidemark::job
