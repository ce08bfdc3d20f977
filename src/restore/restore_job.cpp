#include "restore/restore_job.h"

#include <fmt/format.h>
#include <pthread.h>

#include <algorithm>
#include <thread>

#include "base/crash_point.h"
#include "base/random.h"
#include "base/stop_sleep.h"
#include "block/block_reader.h"
#include "restore/data_restore.h"
#include "restore/log_replay.h"
#include "restore/server_upgrade.h"

namespace tidemark::restore {

using catalog::RestoreTenantStatus;

namespace {

constexpr std::chrono::milliseconds kRecordInterval{200};

/// What COMMENT of a restore that succeeded tells; empty if there is nothing.
std::string leftOut(const MissingRows& rows) {
    std::string text;
    for (const auto& [table, count] : rows)
        text += fmt::format("{}{}: {}", text.empty() ? "" : ", ", table, count);
    if (text.empty()) return text;
    return "a physical backup has no rows of MEMORY tables; changes left out for want of their rows: " + text;
}

}  // namespace

void removeTenant(const RestoreJobParts& parts, const catalog::RestoreJobRow& row) {
    const auto tenant = parts.stores.tenants.find(row.tenant_name);
    if (tenant && tenant->id == row.tenant) parts.tenants.dropTenant(row.tenant_name);
}

RestoreJob::RestoreJob(const RestoreJobParts& parts, EndedRestores& ended, catalog::RestoreJobRow row, RestorePlan plan,
                       unsigned workers)
    : parts_(parts),
      ended_(ended),
      row_(std::move(row)),
      plan_(std::move(plan)),
      workers_(workers),
      log_(makeLogger(fmt::format("restore tenant={} job={}", row_.tenant_name, row_.job_id))),
      gate_(parts.clock, Nanos{std::chrono::nanoseconds(kRecordInterval).count()}) {}

void RestoreJob::run(std::stop_token stop) {
    log_->info("begins from set {} to {}", plan_.set.id.number, row_.restore_scn);
    restoreData(stop);
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
    record(*row_.total_bytes);
    becomeStandby();
    crashPoint("restore.standby");
    upgrade();
    crashPoint("restore.upgraded");
    // Nobody may write into it before: a failure until here removes the tenant.
    parts_.tenants.openRestored(row_.tenant);
    crashPoint("restore.opened");
}

void RestoreJob::restoreData(std::stop_token stop) {
    const auto server = parts_.tenants.server(row_.tenant);
    const auto data = server->paths().data();
    const auto reader = backup_set::openBlocks(*plan_.data, plan_.set);
    DataRestoreProgress progress;
    std::jthread ticker([&](std::stop_token done) {
        pthread_setname_np(pthread_self(), "restore-progress");
        while (sleepFor(done, kRecordInterval)) {
            const auto tablets = static_cast<std::int64_t>(progress.finished_tablets.load());
            row_.finish_tablet_count = std::min(tablets, row_.tablet_count);
            record(progress.finished_bytes);
        }
    });
    restoreFiles(*reader, {.directory = data, .workers = workers_}, progress, stop);
    ticker.request_stop();
    ticker.join();
    data_bytes_ = progress.finished_bytes;
    crashPoint("restore.files-written");
    log_->info("restored {} bytes of files", data_bytes_);
    row_.finish_tablet_count = row_.tablet_count;
    record(data_bytes_);
    const auto settings = parts_.tenants.settings(parts_.stores.tenants.get(row_.tenant), tenant::Profile::Replay);
    prepareFiles(data, settings.memory_bytes / 2, stop);
    log_->info("applied the redo log that was copied with them");
}

/// In steps between which the settings change as the source's did.
void RestoreJob::replayLog(std::stop_token stop) {
    reached_ = mysql::GtidPosition::parse(plan_.set.gtid);
    for (const auto& change : plan_.changes) {
        if (change.after > plan_.set.min_restore_scn) replayTo(change.after, stop);
        parts_.tenants.takeSettings(row_.tenant, change.settings);
    }
    replayTo(plan_.target, stop);
    log_->info("replayed {} transactions up to {}", plan_.log.transactions, reached_.text());
}

void RestoreJob::replayTo(Scn target, std::stop_token stop) {
    LogReplayOptions options;
    options.server = parts_.tenants.server(row_.tenant)->endpoint();
    options.start = reached_;
    options.target = target;
    options.primary_server_id = randomU32() | 1;
    options.error_log = parts_.tenants.server(row_.tenant)->paths().log();
    LogReplay replay(*plan_.reader, options);
    mysql::SqlClient watcher(options.server);
    replay.run(stop, [&](const ReplayProgress& progress) {
        if (!gate_.due()) return;
        const auto position = mysql::GtidPosition::parse(watcher.scalar("SELECT @@gtid_slave_pos").value_or(""));
        if (const auto covered = plan_.reader->scnOf(plan_.round, position))
            row_.recover_scn = std::max(row_.recover_scn, covered->scn);
        record(data_bytes_ + replayed_bytes_ + progress.bytes);
        crashPoint("restore.replaying");
    });
    replayed_bytes_ += plan_.reader->extent(plan_.round, options.start, target).bytes;
    for (const auto& [table, rows] : replay.missingRows())
        missing_rows_[table] += rows;
    reached_ =
        mysql::GtidPosition::parse(mysql::SqlClient(options.server).scalar("SELECT @@gtid_slave_pos").value_or(""));
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

void RestoreJob::show(RestoreTenantStatus status) {
    stage_.awaitShown();
    parts_.stores.restores.setTenantStatus(row_.job_id, status);
    stage_ = {};
}

/// What was sent to a server that is restarted, or that asked again, is counted twice: not more than there is, and
/// never back.
void RestoreJob::record(std::uint64_t finished_bytes) {
    row_.finish_bytes = std::max(row_.finish_bytes, std::min(finished_bytes, *row_.total_bytes));
    try {
        parts_.stores.restores.progress(row_);
    } catch (const Error& error) {
        log_->warn("progress could not be recorded: {}", error.what());
    }
}

void RestoreJob::finish(const catalog::Outcome& outcome) {
    if (outcome.state == catalog::Outcome::State::Completed) {
        log_->info("complete: {} bytes", *row_.total_bytes);
    } else {
        log_->warn("failed: {}", outcome.comment);
        // The tenant first: as long as the job is not over, a crash in between is made up for at the next start.
        removeTenant(parts_, row_);
        crashPoint("restore.tenant-removed");
    }
    stage_.awaitShown();
    catalog::Outcome told = outcome;
    if (outcome.state == catalog::Outcome::State::Completed) told.comment = leftOut(missing_rows_);
    parts_.stores.restores.finish(row_.job_id, told);
    crashPoint("restore.end-recorded");
    ended_.add(row_.job_id);
}

}  // namespace tidemark::restore
