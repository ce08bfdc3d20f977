#include "backup/backup_job.h"

#include <fmt/format.h>

#include <algorithm>

#include "archive/archive_reader.h"
#include "backup/finished_set.h"
#include "backup/set_making.h"
#include "backup_set/kept_key.h"
#include "base/crash_point.h"
#include "job/shown_stage.h"
#include "mysql/gtid.h"
#include "oceanbase/ob_error.h"

namespace tidemark::backup {

using catalog::BackupTaskStatus;

storage::DestinationIdentity BackupJobParts::identity(const catalog::Tenant& tenant, std::int64_t dest_id) const {
    const catalog::Cluster cluster = stores.cluster.cluster();
    return {.cluster_name = cluster.name,
            .cluster_id = static_cast<std::uint64_t>(cluster.id),
            .tenant_name = tenant.name,
            .tenant_id = static_cast<std::uint64_t>(tenant.id),
            .dest_id = static_cast<std::uint64_t>(dest_id)};
}

BackupJob::BackupJob(const BackupJobParts& parts, const catalog::BackupJobRow& row, job::WorkContext& context)
    : parts_(parts),
      row_(row),
      context_(context),
      log_(makeLogger(fmt::format("backup tenant={} job={}", row.tenant, row.job_id))),
      course_({.node_key = parts.node_key,
               .log = log_,
               .save = [&context](const std::string& text) { context.saveProgress(text); }},
              BackupProgress::from(context.progress()), context.attempt()) {}

std::optional<job::Pause> BackupJob::run(std::stop_token stop) {
    try {
        return step(stop);
    } catch (const Error& error) {
        if (!course_.waits(error, stop.stop_requested())) throw;
        return waiting(error.what());
    }
}

std::optional<job::Pause> BackupJob::ask() {
    try {
        storage::requireAnswer(course_.storage(), context_.stop());
        if (log_archive_) storage::requireAnswer(log_archive_, context_.stop());
    } catch (const Error& error) {
        if (error.code() != ErrorCode::Unavailable) throw;
        return waiting(error.what());
    }
    return std::nullopt;
}

std::optional<job::Pause> BackupJob::step(std::stop_token stop) {
    switch (course_.step()) {
        case Step::Begin:
            return begin(stop);
        case Step::Copy:
            return copy(std::move(stop));
        case Step::NoteCopy:
            return noteCopy();
        case Step::AwaitArchive:
            // Only the archive knows the SCN of the last transaction in the copy, and without it no restore can go on
            // from it.
            return awaitArchive();
        case Step::ChooseLog:
            return chooseLog();
        case Step::CopyLog:
            return copyLog(std::move(stop));
        case Step::Complete:
            break;
    }
    completeSet(stop);
    return std::nullopt;
}

/// Who is said to be waiting keeps no thread for the views.
job::Pause BackupJob::waiting(const std::string& reason) {
    const job::Pause pause = job::pauseFor(wait_, reason);
    if (pause.waiting_for.empty()) return pause;
    if (recorder_) recorder_->drain();
    recorder_.reset();
    return pause;
}

std::optional<job::Pause> BackupJob::begin(const std::stop_token& stop) {
    const bool resumed = row_.backup_set_id != 0;
    tenant_ = parts_.stores.tenants.get(row_.tenant);
    try {
        openDestination();
    } catch (const Error& error) {
        if (!resumed) throw;
        // It may hold a whole set, and then the backup has not failed.
        return waiting(error.what());
    }
    if (resumed) return resume(stop);
    beginSet(stop);
    return beginCopy();
}

void BackupJob::openDestination() {
    const catalog::Tenant tenant = parts_.stores.tenants.get(row_.tenant);
    course_.open(
        storage::requireDestination(row_.path, parts_.identity(tenant, row_.dest_id), storage::DestinationKind::Data)
            .storage);
}

void BackupJob::beginSet(const std::stop_token& stop) {
    const auto key_of = [this](const catalog::BackupSet& set) { return keyOf(set.backup_set_id); };
    const catalog::BackupSet wanted = course_.beginSet(
        {.type = row_.type, .round_id = currentRound().round_id}, parts_.stores.backups.sets(row_.tenant),
        {.dest_id = row_.dest_id, .encryption = row_.encryption, .key_of = key_of}, stop);
    const catalog::BegunBackup begun =
        parts_.stores.backups.begin(context_.claim(), row_.tenant, row_.job_id, wanted, leastSetId(*course_.storage()),
                                    course_.progress().text(), course_.progress().encryption.wrappedKey());
    crashPoint("backup.set-recorded");
    task_ = begun.task;
    set_ = begun.set;
    // Whatever fails from here on: it has begun, and goes on with this set.
    row_.backup_set_id = set_.backup_set_id;
    log_->info("tenant {}: set {} at {}", tenant_.name, set_.backup_set_id, set_.path);
}

/// Of a set that was made here.
backup_set::ChainKeyPtr BackupJob::keyOf(std::int64_t set) const {
    const auto wrapped = parts_.stores.backups.wrappedKeyOf(row_.tenant, set);
    if (!wrapped) {
        throw Error(
            ErrorCode::NotFound,
            fmt::format("the key of set {} is not in the catalog; CATALOG BACKUP, with its password, enters it", set));
    }
    return backup_set::keptKey(*wrapped, parts_.node_key);
}

std::optional<job::Pause> BackupJob::resume(const std::stop_token& stop) {
    const auto task = parts_.stores.backups.taskOf(row_.tenant, row_.job_id);
    const auto set = parts_.stores.backups.set(row_.tenant, row_.backup_set_id);
    if (!task || !set) throw Error(ErrorCode::NotFound, "the catalog has lost the task of the backup, or its set");
    task_ = *task;
    set_ = *set;
    switch (course_.resume(row_.tenant, idOf(set_), stop)) {
        case SetCourse::Resumed::Whole:
            set_ = *course_.finished();
            return std::nullopt;
        case SetCourse::Resumed::CopyAgain:
            task_.turn = course_.progress().turn;
            return beginCopy();
        case SetCourse::Resumed::Copied:
            break;
    }
    log_->info("set {} is copied and goes on to wait for the archive", set_.backup_set_id);
    task_.stats = statsOf(course_.description());
    if (course_.progress().log) return beginToCopyLog();
    return beginToWait();
}

/// The round that goes on all the time the backup takes. One that is the backup's already may be at its beginning
/// again: a daemon that has just started opens it anew.
catalog::ArchiveRound BackupJob::currentRound() {
    using catalog::RoundStatus;
    const auto round = parts_.stores.archive.lastRound(row_.tenant);
    const bool own = round && round->round_id == course_.progress().round_id;
    const bool begins = round && (round->status == RoundStatus::Prepare || round->status == RoundStatus::Beginning);
    const bool goes_on = round && round->status == RoundStatus::Doing && (own || course_.progress().round_id == 0);
    if (goes_on || (own && begins)) return *round;
    throw obError(Ob::LogArchiveNotRunning, "it stopped before it had passed the end of the backup",
                  "ALTER SYSTEM ARCHIVELOG, then back up again");
}

job::Pause BackupJob::beginToWait() {
    enter(BackupTaskStatus::BeforeBackupLog);
    course_.go(Step::AwaitArchive);
    wait_.reset();
    parts_.await_archive(row_.tenant, course_.progress().round_id,
                         mysql::GtidPosition::parse(course_.description().gtid));
    return {};
}

job::Pause BackupJob::awaitArchive() {
    if (!archivePassed()) return waiting("the log archive to pass the end of the copy");
    course_.go(row_.plus_archivelog ? Step::ChooseLog : Step::Complete);
    return {};
}

/// Also asks whether it still can.
bool BackupJob::archivePassed() {
    const catalog::ArchiveRound round = currentRound();
    const auto log = storage::openStorage(round.path);
    const archive::RoundKey key{static_cast<std::uint64_t>(round.dest_id), static_cast<std::uint64_t>(round.round_id)};
    std::optional<archive::ArchiveReader::Covered> covered;
    try {
        covered = archive::ArchiveReader(*log, key).scnOf(key, mysql::GtidPosition::parse(course_.description().gtid));
    } catch (const Error&) {
        storage::requireMounted(*log);  // what goes meanwhile looks like damage
        throw;
    }
    if (!covered || !covered->complete) {
        storage::requireMounted(*log);
        return false;
    }
    set_.min_restore_scn = set_.consistent_scn = set_.start_replay_scn = covered->scn;
    return true;
}

void BackupJob::completeSet(const std::stop_token& stop) {
    backup_set::BackupSetDescription& description = course_.description();
    description.start_replay_scn = set_.start_replay_scn;
    description.consistent_scn = set_.consistent_scn;
    description.min_restore_scn = set_.min_restore_scn;
    course_.complete(parts_.clock.now(), stop);

    task_.stats = statsOfCopy();
    set_.stats = task_.stats;
    set_.log_end_scn = description.log_end_scn;
    set_.end_time = description.end_time;
    recorder().show(task_);
    recorder().drain();
    log_->info("set {} complete: {} macro blocks, {} of {} bytes, restores from SCN {} on", set_.backup_set_id,
               task_.stats.macro_block_count, task_.stats.output_bytes, task_.stats.input_bytes, set_.min_restore_scn);
}

/// What the views show of the copy, and of what log has come to it.
catalog::BackupStats BackupJob::statsOfCopy() const {
    const catalog::BackupStats described = statsOf(course_.description());
    if (!counters_) return described;
    catalog::BackupStats stats = countersOf(*counters_);
    stats.output_bytes = described.output_bytes;
    stats.file_count = described.file_count;
    stats.log_file_count = described.log_file_count;
    stats.finish_log_file_count = described.finish_log_file_count;
    return stats;
}

void BackupJob::enter(BackupTaskStatus status) {
    task_.status = status;
    recorder().show(task_);
}

TaskRecorder& BackupJob::recorder() {
    if (!recorder_) recorder_ = std::make_unique<TaskRecorder>(parts_.stores.backups, context_, time_left_, log_);
    return *recorder_;
}

/// Of the tenant itself: they were copied as they are. Returns what COMMENT of the backup says of them.
std::string BackupJob::noteWrongPages() {
    const auto& copied = course_.progress().copied;
    if (!copied || copied->wrong_page_count == 0) return {};
    const catalog::ValidateUnit unit{.dest_id = set_.dest_id, .backup_set_id = set_.backup_set_id};
    std::vector<catalog::FindingRow> found;
    for (const auto& [file, pages] : copied->wrong_pages) {
        found.push_back({.unit = unit,
                         .kind = catalog::FindingKind::SourcePage,
                         .object = file,
                         .what = backup_set::wrongPagesText(pages)});
    }
    parts_.stores.validations.noteSource(context_.claim(), row_.tenant, unit, found);
    std::vector<std::string> files;
    for (const catalog::FindingRow& one : found)
        files.push_back(one.object);
    log_->warn("{} pages have a wrong checksum in the tenant itself: {}", copied->wrong_page_count,
               fmt::join(files, ", "));
    return fmt::format("{} pages have a wrong checksum in the tenant itself: see CDB_TM_VALIDATE_FINDINGS",
                       copied->wrong_page_count);
}

void BackupJob::finish(const catalog::Outcome& outcome) {
    recorder_.reset();  // nothing of it may come after the end
    catalog::Outcome ended = outcome;
    const bool failed = outcome.state != catalog::Outcome::State::Completed;
    if (failed && counters_) set_.stats = countersOf(*counters_);
    if (const auto whole = failed ? wholeSet() : std::nullopt) {
        ended = catalog::Outcome::completed();
        set_ = *whole;
    }
    if (ended.state == catalog::Outcome::State::Completed) {
        ended.comment = course_.progress().full_because;
        if (const std::string wrong = noteWrongPages(); !wrong.empty())
            ended.comment += (ended.comment.empty() ? "" : "; ") + wrong;
    }
    const auto left = leftovers(ended.state == catalog::Outcome::State::Completed);
    // CANCELING is a stage, too: who looks often enough sees it, however soon the work has stopped.
    if (ended.state == catalog::Outcome::State::Canceled) job::ShownStage().awaitShown();
    parts_.stores.backups.finish(context_.claim(), row_.tenant, row_.job_id, ended,
                                 set_.backup_set_id == 0 ? nullptr : &set_,
                                 left ? std::optional(left->text()) : std::nullopt);
    crashPoint("backup.end-recorded");
}

std::optional<catalog::BackupSet> BackupJob::wholeSet() {
    return course_.wholeSet(row_.tenant, row_.backup_set_id, [this]() -> std::optional<backup_set::SetId> {
        if (!course_.storage()) openDestination();
        const auto set = parts_.stores.backups.set(row_.tenant, row_.backup_set_id);
        return set ? std::optional(idOf(*set)) : std::nullopt;
    });
}

/// What the cleaner is to do after the end.
std::optional<Leftovers> BackupJob::leftovers(bool completed) const {
    if (row_.backup_set_id == 0 || !course_.leavesSomething(completed)) return std::nullopt;
    return Leftovers{.path = row_.path, .backup_set_id = row_.backup_set_id};
}

}  // namespace tidemark::backup
