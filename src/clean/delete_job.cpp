#include "clean/delete_job.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/crash_point.h"
#include "base/require_going.h"
#include "clean/retention.h"
#include "oceanbase/ob_error.h"

namespace tidemark::clean {

using catalog::DeleteTask;
using std::chrono::milliseconds;

namespace {

constexpr Nanos kRecordInterval = 200 * kMillisecond;

std::string nameOf(const catalog::DeletedThing& thing) {
    return fmt::format("{} {}", thing.object == catalog::DeletedObject::BackupSet ? "set" : "piece", thing.id);
}

/// An empty directory, below which nothing is mounted, has no format file.
bool isAway(const Error& error) {
    return error.code() == ErrorCode::Unavailable || is(error, Ob::FormatFileNotExist);
}

}  // namespace

DeleteJob::DeleteJob(const DeleteParts& parts, catalog::DeleteJobRow row, job::WorkContext& context)
    : parts_(parts),
      row_(std::move(row)),
      context_(context),
      log_(makeLogger(fmt::format("delete tenant={} job={}", row_.tenant, row_.job_id))),
      gate_(parts.clock, kRecordInterval) {}

std::optional<job::Pause> DeleteJob::run(std::stop_token stop) {
    if (!begun_) begin();
    std::optional<Error> away;
    for (DeleteTask& task : tasks_) {
        if (task.over()) continue;
        try {
            doTask(task, stop);
        } catch (const Error& error) {
            requireGoing(stop);
            // Others may lie elsewhere: a destination that is away holds up its own only.
            if (isAway(error)) {
                away = error;
            } else {
                fail(task, error);
            }
        }
    }
    if (away) return waitFor(*away);
    if (failure_) {
        throw Error(ErrorCode::Conflict,
                    fmt::format("{} of {} were not removed: {}", failed_, tasks_.size(), failure_->comment));
    }
    return std::nullopt;
}

void DeleteJob::begin() {
    stage_.awaitShown();
    parts_.stores.deletions.begin(context_.claim(), row_.tenant, row_.job_id);
    stage_ = {};
    tasks_ = parts_.stores.deletions.tasks(row_.tenant, row_.job_id);
    for (const DeleteTask& task : tasks_) {
        if (task.status != catalog::BackupJobStatus::Failed) continue;
        ++failed_;
        if (!failure_) failure_ = {catalog::Outcome::State::Failed, task.result, task.comment};
    }
    begun_ = true;
}

void DeleteJob::doTask(DeleteTask& task, std::stop_token stop) {
    Cleaner cleaner(parts_.stores, row_.tenant, Target::of(task));
    if (!task.begun && !beginTask(task, cleaner)) return;
    waits_since_.reset();
    cleaner.remove(stop, [&](const Extent& left) {
        context_.moved();
        // A later attempt finds less than was measured, and goes on counting from there.
        task.deleted_bytes = std::max(task.deleted_bytes, task.total_bytes - std::min(task.total_bytes, left.bytes));
        task.deleted_files = std::max(task.deleted_files, task.total_files - std::min(task.total_files, left.files));
        if (gate_.due()) parts_.stores.deletions.progress(context_.claim(), task);
    });
    task.deleted_bytes = task.total_bytes;
    task.deleted_files = task.total_files;
    stage_.awaitShown();
    crashPoint("clean.removed");
    parts_.stores.deletions.completeTask(context_.claim(), task);
    task.status = catalog::BackupJobStatus::Completed;
    crashPoint("clean.task-ended");
    log_->info("{} is removed: {} files, {} bytes", nameOf({task.object, task.id}), task.total_files,
               task.total_bytes);
}

bool DeleteJob::beginTask(DeleteTask& task, Cleaner& cleaner) {
    const Extent extent = cleaner.measure();
    task.total_bytes = extent.bytes;
    task.total_files = extent.files;
    stage_.awaitShown();
    const auto held_by = [&](const catalog::BackupInventory& inventory) { return heldBy(task, inventory); };
    task.begun = parts_.stores.deletions.beginTask(context_.claim(), task, held_by);
    stage_ = {};
    crashPoint("clean.task-begun");
    if (!task.begun) {
        task.status = catalog::BackupJobStatus::Canceled;
        log_->info("{} stays: it is needed by now", nameOf({task.object, task.id}));
    }
    return task.begun;
}

/// Since it was decided a restore may have begun, or a backup that leans on it.
std::string DeleteJob::heldBy(const DeleteTask& task, const catalog::BackupInventory& inventory) const {
    const auto now = static_cast<Scn>(parts_.clock.now());
    Judgement judgement;
    if (row_.expiry) {
        judgement = judgeObsolete(inventory, static_cast<Scn>(std::max<Nanos>(*row_.expiry, 0)), now);
        const catalog::DeletedThing thing{task.object, task.id};
        const auto& may_go = judgement.remove;
        if (std::find(may_go.begin(), may_go.end(), thing) == may_go.end())
            judgement.held.try_emplace(thing, "it is needed by now");
    } else if (task.object == catalog::DeletedObject::BackupSet) {
        judgement = judgeSets(inventory, {task.id}, now);
    } else {
        judgement = judgePieces(inventory, {task.id});
    }
    const auto held = judgement.held.find({task.object, task.id});
    return held == judgement.held.end() ? std::string() : held->second;
}

void DeleteJob::fail(DeleteTask& task, const Error& error) {
    const catalog::Outcome outcome = catalog::Outcome::of(error);
    parts_.stores.deletions.failTask(context_.claim(), task, outcome, isUntouched(task));
    task.status = catalog::BackupJobStatus::Failed;
    ++failed_;
    if (!failure_) failure_ = outcome;
    log_->warn("{} could not be removed: {}", nameOf({task.object, task.id}), outcome.comment);
}

/// The object that makes it visible goes first: while it is there, nothing is gone. Where nobody answers nobody knows.
bool DeleteJob::isUntouched(const DeleteTask& task) {
    if (!task.begun) return true;
    try {
        return Cleaner(parts_.stores, row_.tenant, Target::of(task)).isOffered();
    } catch (const Error&) {
        return false;
    }
}

job::Pause DeleteJob::waitFor(const Error& away) {
    const auto now = std::chrono::steady_clock::now();
    if (!waits_since_) waits_since_ = now;
    if (now - *waits_since_ < parts_.patience) return job::pauseFor(wait_, away.what());
    for (DeleteTask& task : tasks_) {
        if (!task.over()) fail(task, away);
    }
    throw Error(ErrorCode::Unavailable,
                fmt::format("{} of {} were not removed: {}", failed_, tasks_.size(), failure_->comment));
}

void DeleteJob::finish(const catalog::Outcome& outcome) {
    stage_.awaitShown();
    catalog::Outcome ended = outcome;
    const auto stay = std::count_if(tasks_.begin(), tasks_.end(), [](const DeleteTask& task) {
        return task.status == catalog::BackupJobStatus::Canceled;
    });
    if (ended.state == catalog::Outcome::State::Completed && stay > 0)
        ended.comment = fmt::format("{} of {} stay, which are needed by now: see the tasks", stay, tasks_.size());
    parts_.stores.deletions.finish(context_.claim(), row_.tenant, row_.job_id, ended,
                                   [](const DeleteTask& task) { return Target::of(task).text(); });
    crashPoint("clean.end-recorded");
}

RestJob::RestJob(catalog::Stores& stores, job::WorkContext& context)
    : stores_(stores),
      context_(context),
      target_(Target::from(context.progress())),
      log_(makeLogger(fmt::format("delete tenant={} {}", context.key().tenant, nameOf(target_.thing)))) {}

std::optional<job::Pause> RestJob::run(std::stop_token stop) {
    Cleaner(stores_, context_.key().tenant, target_).remove(stop, [&](const Extent&) { context_.moved(); });
    log_->info("the rest is removed");
    return std::nullopt;
}

std::optional<milliseconds> RestJob::retryAfter(const Error&) {
    return longerEachTime(context_.attempt());
}

void RestJob::finish(const catalog::Outcome&) {
    stores_.deletions.finishRest(context_.claim(), context_.key().tenant, target_.thing);
}

}  // namespace tidemark::clean
