#include "restore/restore_job.h"

#include <fmt/format.h>
#include <pthread.h>

#include <algorithm>
#include <thread>

#include "backup_set/kept_key.h"
#include "base/crash_point.h"
#include "base/file.h"
#include "base/stop_sleep.h"
#include "block/block_reader.h"
#include "restore/data_restore.h"
#include "restore/healing.h"
#include "restore/plan_replay.h"
#include "restore/restore_options.h"
#include "restore/server_upgrade.h"
#include "storage/throttled_storage.h"

namespace tidemark::restore {

using catalog::RestoreTenantStatus;

namespace {

constexpr std::chrono::milliseconds kRecordInterval{200};

std::chrono::microseconds since(std::chrono::steady_clock::time_point begin) {
    return std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now() - begin);
}

/// What COMMENT of a restore that succeeded tells; empty if there is nothing.
std::string leftOut(const MissingRows& rows) {
    std::string text;
    for (const auto& [table, count] : rows)
        text += fmt::format("{}{}: {}", text.empty() ? "" : ", ", table, count);
    if (text.empty()) return text;
    return "a physical backup has no rows of MEMORY tables; changes left out for want of their rows: " + text;
}

}  // namespace

RestoreJob::RestoreJob(const RestoreJobParts& parts, catalog::RestoreJobRow row, job::WorkContext& context)
    : parts_(parts),
      row_(std::move(row)),
      context_(context),
      notes_(RestoreNotes::from(context.progress())),
      concurrency_(parseRestoreOptions(row_.option).concurrency),
      log_(makeLogger(fmt::format("restore tenant={} job={}", row_.tenant_name, row_.job_id))),
      gate_(parts.clock, Nanos{std::chrono::nanoseconds(kRecordInterval).count()}) {}

std::optional<job::Pause> RestoreJob::run(std::stop_token stop) {
    if (!planned_) return plan();
    restore(std::move(stop));
    return std::nullopt;
}

std::optional<job::Pause> RestoreJob::plan() {
    try {
        // What an earlier attempt has ended only has to be recorded.
        if (notes_.failure || opened()) return std::nullopt;
        if (notes_.choice.uris.empty()) {
            throw Error(ErrorCode::Conflict, "an earlier version of the daemon ended while the restore ran",
                        "start it again");
        }
        plan_ = planAgain(notes_.choice, backup_set::keptKey(notes_.key, parts_.node_key));
    } catch (const Error& error) {
        if (!isAway(error)) throw;
        return waitFor(error);
    }
    planned_ = true;
    expected_ = expectedPace(parts_.stores.restores.paces(parts_.server));
    waits_since_.reset();
    return job::Pause{};
}

std::optional<job::Pause> RestoreJob::ask() {
    try {
        requireDestinations();
    } catch (const Error& error) {
        if (!isAway(error)) throw;
        return waitFor(error);
    }
    waits_since_.reset();
    return std::nullopt;
}

/// A machine that has just started may have mounted nothing yet.
job::Pause RestoreJob::waitFor(const Error& away) {
    const auto now = std::chrono::steady_clock::now();
    if (now - waits_since_.value_or(now) >= parts_.patience) {
        const auto minutes = std::chrono::duration_cast<std::chrono::minutes>(parts_.patience).count();
        throw away.in(fmt::format("the restore has waited {} minutes for its destinations", minutes));
    }
    if (!waits_since_) waits_since_ = now;
    return job::pauseFor(wait_, away.what());
}

/// Soon at first, for what was killed; after that somebody has to do something.
std::optional<std::chrono::milliseconds> RestoreJob::retryAfter(const Error& error) {
    constexpr std::chrono::seconds kFirst{2};
    constexpr std::chrono::seconds kLater{60};
    const bool began = planned_ && !waits_since_;  // else it has waited long enough
    const bool again = began && context_.attempt() < kRestoreAttempts && (mayHeal(error) || isDestinationAway());
    if (!again) return std::nullopt;
    try {
        if (opened()) return std::nullopt;
        leaveNothing();
    } catch (const Error& failure) {
        log_->warn("what a failed attempt has made is not removed yet: {}", failure.what());
    }
    return context_.attempt() == 1 ? kFirst : kLater;
}

void RestoreJob::requireDestinations() const {
    storage::requireAnswer(*plan_.data);
    if (plan_.archive) storage::requireAnswer(*plan_.archive);
}

/// Then whatever was missing there is not known to be damaged.
bool RestoreJob::isDestinationAway() const {
    return storage::isAway(*plan_.data) || (plan_.archive && storage::isAway(*plan_.archive));
}

/// What failed does not run on, and does not fill a disk, until it is tried again. Under the claim: who has lost the
/// work must not touch what another attempt makes.
void RestoreJob::leaveNothing() {
    write_back_.reset();
    parts_.stores.restores.tenantCreated(context_.claim(), row_.job_id);
    parts_.tenants.makeEmpty(row_.tenant);
}

bool RestoreJob::opened() const {
    const auto tenant = parts_.stores.tenants.find(row_.tenant);
    return tenant && tenant->status == catalog::TenantStatus::Normal;
}

void RestoreJob::restore(std::stop_token stop) {
    const auto begin = std::chrono::steady_clock::now();
    log_->info("begins from set {} to {}, attempt {}", plan_.set.id.number, row_.restore_scn, context_.attempt());
    makeTenant();
    if (!isQuick() || !openData(stop)) restoreData(stop);
    prepare(stop);
    crashPoint("restore.prepared");
    if (plan_.log.transactions > 0) {
        parts_.tenants.startForReplay(row_.tenant);
        crashPoint("restore.replay-started");
        replayLog(stop);
        crashPoint("restore.replayed");
    } else if (!plan_.changes.empty()) {
        parts_.tenants.takeSettings(row_.tenant, plan_.changes.back().settings);
    }
    // Up to the target there is no more.
    row_.recover_scn = plan_.target;
    record(isQuick() ? plan_.log.bytes : *row_.total_bytes);
    {
        const WriteBack::Pause disk_is_the_servers(*write_back_);
        becomeStandby();
        crashPoint("restore.standby");
        upgrade();
        crashPoint("restore.upgraded");
        parts_.tenants.openForReading(row_.tenant);
        crashPoint("restore.readable");
    }
    log_->info("answers; what is not on the disk yet follows");
    makeDurable(stop);
    crashPoint("restore.durable");
    notes_.left_out = leftOut(missing_rows_);
    if (!notes_.left_out.empty()) context_.saveProgress(notes_.text());
    if (isQuick()) parts_.stores.tenants.setDataMode(row_.tenant, catalog::RestoreDataMode::Remote);
    // Nobody may write into it before, and a failure until here removes the tenant: its readers know that it is being
    // restored.
    parts_.tenants.openRestored(row_.tenant);
    crashPoint("restore.opened");
    if (!isQuick()) notePace(since(begin));
}

/// Not when it goes on after a crash: then nobody knows how long it took.
void RestoreJob::notePace(std::chrono::microseconds whole) {
    pace_ = {.job_id = row_.job_id,
             .server = parts_.server,
             .file_bytes = data_bytes_,
             .file_time = data_time_,
             .log_bytes = plan_.log.bytes,
             .log_time = log_time_,
             .rest_time = whole - data_time_ - log_time_};
}

void RestoreJob::makeTenant() {
    parts_.tenants.makeEmpty(row_.tenant, plan_.serverIds());
    // A later attempt begins with the settings of the set, too, and not with those that an earlier one had come to.
    parts_.tenants.takeSettings(row_.tenant, plan_.settings);
    stage_.awaitShown();
    parts_.stores.restores.tenantCreated(context_.claim(), row_.job_id);
    stage_ = {};
    row_.finish_bytes = 0;
    row_.finish_tablet_count = 0;
    row_.recover_scn = row_.recover_start_scn;
    crashPoint("restore.tenant-noted");
}

void RestoreJob::restoreData(std::stop_token stop) {
    const auto server = parts_.tenants.server(row_.tenant);
    const auto data = server->paths().data();
    job::Capacity& capacity = parts_.capacity;
    storage::ThrottledStorage storage(*plan_.data, capacity.destination_reading, capacity.destination_writing,
                                      {.stop = stop});
    job::Share share(capacity, job::restoreShare(row_.tenant, concurrency_));
    const auto reader = backup_set::openOrRebuildBlocks(storage, plan_.set, plan_.key, data.parent_path());
    if (reader->isRebuilt())
        log_->warn("the index of set {} is lost or damaged, and was made again from its data objects",
                   plan_.set.id.number);
    write_back_.emplace(server->paths().directory, capacity.unsynced_bytes);
    DataRestoreProgress progress;
    std::jthread ticker([&](std::stop_token done) {
        pthread_setname_np(pthread_self(), "restore-progress");
        while (sleepFor(done, kRecordInterval)) {
            const auto tablets = static_cast<std::int64_t>(progress.finished_tablets.load());
            row_.finish_tablet_count = std::min(tablets, row_.tablet_count);
            record(progress.finished_bytes);
        }
    });
    const auto begin = std::chrono::steady_clock::now();
    {
        const WriteBack::Pause disk_is_the_direct_writes(*write_back_);
        restoreFiles(*reader, share.lane(), {.directory = data, .write_back = &*write_back_}, progress, stop);
    }
    data_time_ = since(begin);
    ticker.request_stop();
    ticker.join();
    data_bytes_ = progress.finished_bytes;
    crashPoint("restore.files-written");
    log_->info("restored {} bytes of files, {} of them into the page cache", data_bytes_, progress.cached_bytes.load());
    row_.finish_tablet_count = row_.tablet_count;
    record(data_bytes_);
}

/// False if nothing can be mounted here: then the files are copied, and the views say so.
bool RestoreJob::openData(const std::stop_token& stop) {
    const auto paths = parts_.tenants.server(row_.tenant)->paths();
    const auto why_not =
        parts_.opened.open(paths, {.data_uri = plan_.data_uri, .set = plan_.set.id, .key = plan_.key}, stop);
    if (why_not) {
        row_.type = catalog::RestoreType::Full;
        row_.comment = "the files were copied, as by method=full: " + *why_not;
        log_->warn("{}", row_.comment);
        parts_.stores.restores.becomeFull(context_.claim(), row_.job_id, row_.comment);
        return false;
    }
    write_back_.emplace(paths.directory, parts_.capacity.unsynced_bytes);
    crashPoint("quick.opened");
    log_->info("opened {} bytes of files where they are", plan_.set.input_bytes);
    return true;
}

void RestoreJob::prepare(const std::stop_token& stop) {
    const auto settings = parts_.tenants.settings(parts_.stores.tenants.get(row_.tenant), tenant::Profile::Replay);
    prepareFiles(parts_.tenants.server(row_.tenant)->paths().data(), settings.memory_bytes / 2, stop,
                 plan_.set.wrong_page_count > 0 ? WrongPages::Keep : WrongPages::Refuse);
    log_->info("applied the redo log that was copied with them");
}

void RestoreJob::replayLog(std::stop_token stop) {
    const auto begin = std::chrono::steady_clock::now();
    const auto server = parts_.tenants.server(row_.tenant);
    const auto progress = [&](std::uint64_t bytes, const auto& position) {
        if (!gate_.due()) return;
        if (const auto covered = plan_.reader->scnOf(plan_.round, position()))
            row_.recover_scn = std::max(row_.recover_scn, covered->scn);
        record(data_bytes_ + bytes);
        crashPoint("restore.replaying");
    };
    PlanReplayed replayed =
        replayPlan(plan_,
                   {.server = server->endpoint(),
                    .error_log = server->paths().log(),
                    .take_settings = [&](const auto& settings) { parts_.tenants.takeSettings(row_.tenant, settings); },
                    .progress = progress},
                   stop);
    reached_ = replayed.reached;
    missing_rows_ = std::move(replayed.missing);
    log_time_ = since(begin);
    log_->info("replayed {} transactions up to {}", plan_.log.transactions, reached_.text());
}

void RestoreJob::becomeStandby() {
    show(RestoreTenantStatus::PostCheck);
    const bool replayed = plan_.log.transactions > 0;
    parts_.tenants.finishRestore(row_.tenant, replayed);
    mysql::SqlClient server(parts_.tenants.server(row_.tenant)->endpoint());
    if (replayed) {
        requireStillAt(server);
    } else {
        // After a replay the server knows its position; a mere copy has to be told where the log would go on.
        server.query("SET GLOBAL gtid_slave_pos = ?", {plan_.set.gtid});
        reached_ = mysql::GtidPosition::parse(plan_.set.gtid);
    }
    parts_.stores.tenants.advanceScn(row_.tenant, plan_.target, plan_.target);
}

/// Replay and upgrade are not durable: what was reached must have survived the restart.
void RestoreJob::requireStillAt(mysql::SqlClient& server) const {
    const auto position = mysql::GtidPosition::parse(server.scalar("SELECT @@gtid_slave_pos").value_or(""));
    if (position == reached_) return;
    throw Error(ErrorCode::Internal,
                fmt::format("after its restart the server is at {}, it had reached {}: transactions are lost",
                            position.text(), reached_.text()),
                "restore again; the error log of mariadbd may say why");
}

/// A start more than a restore under the same version: the daemon's own account has too few rights for this.
void RestoreJob::upgrade() {
    show(RestoreTenantStatus::Upgrade);
    const auto server = parts_.tenants.server(row_.tenant);
    const std::string to = mysql::SqlClient(server->endpoint()).scalar("SELECT VERSION()").value_or("");
    if (!needsUpgrade(plan_.set.server_version, to)) return;
    parts_.tenants.startForUpgrade(row_.tenant);
    upgradeServer(server->endpoint(), plan_.set.server_version, server->paths().directory);
    parts_.tenants.finishRestore(row_.tenant, true);
    mysql::SqlClient upgraded(server->endpoint());
    requireStillAt(upgraded);
    log_->info("upgraded from MariaDB {} to {}", plan_.set.server_version, to);
}

/// Until here a crash of the machine may leave anything of the files: the restore then begins anew, since it is not
/// opened. So nothing else needs a sync before.
void RestoreJob::makeDurable(const std::stop_token& stop) {
    show(RestoreTenantStatus::WaitQuickRestoreFinish);
    // Of a mount that is everything that has been written through it: opened/mount.h.
    if (isQuick()) syncDirectory(parts_.tenants.server(row_.tenant)->paths().data());
    write_back_->finish(stop);
    write_back_.reset();
    log_->info("is durable");
}

void RestoreJob::show(RestoreTenantStatus status) {
    stage_.awaitShown();
    parts_.stores.restores.setTenantStatus(context_.claim(), row_.job_id, status);
    stage_ = {};
}

/// What was sent to a server that is restarted, or that asked again, is counted twice: not more than there is, and
/// never back.
void RestoreJob::record(std::uint64_t finished_bytes) {
    row_.finish_bytes = std::max(row_.finish_bytes, std::min(finished_bytes, *row_.total_bytes));
    context_.moved();
    estimate();
    try {
        parts_.stores.restores.progress(context_.claim(), row_);
    } catch (const Error& error) {
        log_->warn("progress could not be recorded: {}", error.what());
    }
}

/// The files, then the log, each by how fast it goes. What has not begun is expected to take what it took earlier
/// restores, and the rest of them half before the replay and half behind it.
void RestoreJob::estimate() {
    using Seconds = job::TimeLeft::Seconds;
    constexpr double kLog = 5e6;  // bytes per second, as long as nothing is known
    constexpr double kRest = 3;   // seconds
    const auto files = static_cast<double>(plan_.set.input_bytes);
    const auto log = static_cast<double>(plan_.log.bytes);
    const auto done = static_cast<double>(row_.finish_bytes);
    const double rest = expected_.rest.value_or(kRest);
    const auto now = std::chrono::steady_clock::now();
    // What is fetched behind it is HydrationJob's to estimate.
    const auto left = isQuick() ? time_left_.update(now, done, log, Seconds(rest / 2))
                      : done > files
                          ? time_left_.update(now, done - files, log, Seconds(rest / 2))
                          : time_left_.update(now, done, files, Seconds(log / expected_.log.value_or(kLog) + rest));
    if (left) row_.left = std::chrono::duration_cast<std::chrono::milliseconds>(*left);
}

/// What the outcome comes to. A failure is noted before its tenant is removed: who goes on after a crash in between
/// finds no tenant, and knows why.
catalog::Outcome RestoreJob::settled(const catalog::Outcome& outcome) {
    if (opened()) {
        catalog::Outcome success = catalog::Outcome::completed();
        success.comment = row_.comment;
        if (!notes_.left_out.empty()) success.comment += (success.comment.empty() ? "" : "; ") + notes_.left_out;
        return success;
    }
    if (!notes_.failure) {
        notes_.failure = outcome;
        context_.saveProgress(notes_.text());
        crashPoint("restore.failure-noted");
    }
    return *notes_.failure;
}

void RestoreJob::finish(const catalog::Outcome& outcome) {
    const catalog::Outcome end = settled(outcome);
    if (end.state == catalog::Outcome::State::Completed) {
        log_->info("complete: {} bytes", row_.finish_bytes);
    } else {
        log_->warn("failed: {}", end.comment);
        removeTenant();
        crashPoint("restore.tenant-removed");
    }
    stage_.awaitShown();
    if (isQuick() && end.state == catalog::Outcome::State::Completed) {
        parts_.stores.restores.goOnRemote(context_.claim(), row_.job_id);
    } else {
        parts_.stores.restores.finish(context_.claim(), row_.job_id, end, pace_);
    }
    crashPoint("restore.end-recorded");
}

/// Unless it is gone, and another one bears its name. What an earlier version began, knows it by name only.
void RestoreJob::removeTenant() {
    write_back_.reset();
    const auto tenant = parts_.stores.tenants.find(row_.tenant_name);
    if (!tenant) return;
    const bool nameless = row_.tenant == 0 && tenant->status == catalog::TenantStatus::Restore;
    if (tenant->id == row_.tenant || nameless) parts_.tenants.dropTenant(row_.tenant_name);
}

}  // namespace tidemark::restore
