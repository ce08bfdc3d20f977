#include "archive/round_follower.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"

namespace tidemark::archive {
namespace {

/// While somebody waits for a transaction, the archive_lag_target is not waited for.
constexpr std::chrono::milliseconds kLagWhileAwaited{100};

}  // namespace

RoundFollower::RoundFollower(const catalog::ArchiveRound& round, ArchiverOptions options,
                             std::shared_ptr<storage::Storage> destination, ProgressRecorder& recorder,
                             BinlogPurger& purger, const Clock& clock)
    : tenant_(round.tenant),
      round_id_(round.round_id),
      path_(round.path),
      recorder_(recorder),
      purger_(purger),
      clock_(clock),
      log_(makeLogger(fmt::format("archive tenant={} round={}", options.tenant_name, round.round_id))),
      lag_target_(options.lag_target),
      archiver_(std::move(options), std::move(destination), clock, *this) {
    recorder_.begin(round, [this] { archiver_.attend(); });
    archiver_.start();
}

RoundFollower::~RoundFollower() {
    recorder_.drop(tenant_);
    archiver_.drop();
    purger_.forget(tenant_);
    callAll();
}

// --- what the archiver tells, on its thread ---

void RoundFollower::opened(const OpenedRound& round) {
    recorder_.opened(tenant_, round);
}

void RoundFollower::progress(const ArchiveProgress& progress) {
    recorder_.progress(tenant_, progress);
    std::vector<Waiting> reached;
    {
        const MutexLock lock(mutex_);
        begun_ = true;
        durable_ = progress.position;
        checkpoint_ = progress.round.checkpoint_scn;
        const auto split = std::partition(waiting_.begin(), waiting_.end(), [&](const Waiting& waiting) {
            return !progress.position.contains(waiting.position);
        });
        std::move(split, waiting_.end(), std::back_inserter(reached));
        waiting_.erase(split, waiting_.end());
        if (!progress.purge_before.empty() && progress.purge_before != purged_before_) {
            purged_before_ = progress.purge_before;
            purger_.purge(tenant_, purged_before_);
        }
        applyLagTarget();
        changed_.notifyAll();
    }
    for (const Waiting& waiting : reached)
        waiting.then();
}

void RoundFollower::interrupted(const std::string& reason) {
    log_->error("interrupted: {} (hint: NOARCHIVELOG, ARCHIVELOG, then a new backup)", reason);
    recorder_.status(tenant_, catalog::RoundStatus::Interrupted, reason);
    callAll();
}

void RoundFollower::trouble(const std::string& text) {
    log_->warn("{}; trying again", text);
    recorder_.trouble(tenant_, text);
}

void RoundFollower::recovered() {
    log_->info("goes on");
    recorder_.status(tenant_, catalog::RoundStatus::Doing, {});
}

std::vector<SettingsRecord> RoundFollower::settingsToStore() {
    return recorder_.settingsToStore(tenant_);
}

void RoundFollower::settingsStored() {
    recorder_.settingsStored(tenant_);
}

// --- those who wait ---

void RoundFollower::applyLagTarget() {
    archiver_.setLagTarget(waiting_.empty() ? lag_target_ : std::min(lag_target_, kLagWhileAwaited));
}

void RoundFollower::setLagTarget(std::chrono::milliseconds lag_target) {
    const MutexLock lock(mutex_);
    lag_target_ = lag_target;
    applyLagTarget();
}

void RoundFollower::whenArchived(const mysql::GtidPosition& position, std::function<void()> then) {
    {
        const MutexLock lock(mutex_);
        if (!over_ && !(begun_ && durable_.contains(position))) {
            waiting_.push_back({position, std::move(then)});
            applyLagTarget();
            return;
        }
    }
    then();
}

/// Nothing comes any more.
void RoundFollower::callAll() {
    std::vector<Waiting> all;
    {
        const MutexLock lock(mutex_);
        over_ = true;
        all.swap(waiting_);
        changed_.notifyAll();
    }
    for (const Waiting& waiting : all)
        waiting.then();
}

Scn RoundFollower::beginCheckpoint() {
    const auto now = static_cast<Scn>(clock_.now());
    archiver_.hurry();
    return now;
}

bool RoundFollower::awaitCheckpoint(Scn scn, std::chrono::steady_clock::time_point until) {
    MutexLock lock(mutex_);
    changed_.waitUntil(lock, until, [&]() REQUIRES(mutex_) { return over_ || checkpoint_ >= scn; });
    return checkpoint_ >= scn;
}

}  // namespace tidemark::archive
