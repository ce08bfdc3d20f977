#include "archive/archive_service.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "archive/archive_dest.h"
#include "base/crash_point.h"
#include "base/random.h"
#include "oceanbase/ob_error.h"
#include "storage/open_storage.h"

namespace tidemark::archive {

using catalog::LogMode;
using catalog::RoundStatus;

constexpr std::chrono::milliseconds kUnsetLagTarget{1000};

ArchiveService::ArchiveService(ArchiveServiceOptions options, catalog::Stores& stores, const Clock& clock)
    : options_(std::move(options)),
      stores_(stores),
      clock_(clock),
      log_(makeLogger("archive")),
      recorder_(stores, clock, options_.settings),
      purger_({.endpoint = options_.endpoint, .unarchived_binlog = options_.unarchived_binlog}, stores) {}

storage::DestinationIdentity ArchiveService::identity(const catalog::Tenant& tenant, std::int64_t dest_id) {
    const catalog::Cluster cluster = stores_.cluster.cluster();
    return {.cluster_name = cluster.name,
            .cluster_id = static_cast<std::uint64_t>(cluster.id),
            .tenant_name = tenant.name,
            .tenant_id = static_cast<std::uint64_t>(tenant.id),
            .dest_id = static_cast<std::uint64_t>(dest_id)};
}

/// While it is held, mode, round, destination and follower of these tenants are changed by nobody else. In the order of
/// ids, so that two of them cannot wait for each other.
ArchiveService::Held ArchiveService::hold(std::vector<catalog::TenantId> tenants) {
    std::sort(tenants.begin(), tenants.end());
    tenants.erase(std::unique(tenants.begin(), tenants.end()), tenants.end());
    Held held;
    for (const catalog::TenantId tenant : tenants) {
        MutexLock lock(mutex_);
        Mutex& changing = changing_[tenant];
        lock.unlock();
        held.emplace_back(changing);
    }
    return held;
}

ArchiveService::Held ArchiveService::hold(const std::vector<catalog::Tenant>& tenants) {
    std::vector<catalog::TenantId> ids;
    for (const catalog::Tenant& tenant : tenants)
        ids.push_back(tenant.id);
    return hold(std::move(ids));
}

void ArchiveService::setDestination(const catalog::Tenant& tenant, const std::string& value) {
    const Held held = hold(std::vector{tenant.id});
    const auto current = stores_.destinations.archive(tenant.id);
    const bool running = stores_.tenants.get(tenant.id).log_mode == LogMode::Archivelog;
    const std::string location = value.empty() ? "" : storage::plainUri(parseArchiveDest(value).location);
    if (running && (!current || location != storage::plainUri(current->path))) {
        throw obError(Ob::NotSupported, "change archive dest when archive is running is",
                      "ALTER SYSTEM NOARCHIVELOG first and wait until the round is STOP");
    }
    if (value.empty()) return stores_.destinations.clearArchive(tenant.id);
    const ArchiveDest dest = parseArchiveDest(value);
    storage::requireOutside(location, options_.own_directory);
    const auto dest_id = stores_.destinations.idOf(tenant.id, catalog::DestinationUse::ArchiveLog, location);
    storage::openDestination(location, identity(tenant, dest_id), storage::DestinationKind::Archive, clock_);
    stores_.destinations.setArchive(tenant.id, location, dest.binding, dest.piece_switch_days);
}

void ArchiveService::enable(const std::vector<catalog::Tenant>& tenants) {
    for (;;) {
        // The destinations without holding anybody: one that hangs must not hold up the other tenants' statements.
        Ready ready;
        for (const catalog::Tenant& asked : tenants) {
            const catalog::Tenant tenant = stores_.tenants.get(asked.id);
            requireStartable(tenant);
            ready.emplace(tenant.id, destinationOf(tenant));
        }
        const Held held = hold(tenants);
        if (begin(tenants, ready)) return;
    }
}

/// False if a destination is another one by now.
bool ArchiveService::begin(const std::vector<catalog::Tenant>& tenants, const Ready& ready) {
    for (const catalog::Tenant& asked : tenants) {
        settleHeld(asked.id);
        requireStartable(stores_.tenants.get(asked.id));
        const auto now = stores_.destinations.archive(asked.id);
        if (!now || now->dest_id != ready.at(asked.id).dest_id) return false;
    }
    for (const catalog::Tenant& asked : tenants) {
        // With what is set now: the interval may be another.
        const catalog::ArchiveRound round = stores_.archive.beginRound(*stores_.destinations.archive(asked.id));
        crashPoint("archive.round-written");
        stores_.archive.setRoundStatus(round.tenant, round.round_id, RoundStatus::Beginning);
        crashPoint("archive.round-beginning");
        start(round);
    }
    return true;
}

void ArchiveService::requireStartable(const catalog::Tenant& tenant) {
    if (tenant.log_mode == LogMode::Archivelog) throw obError(Ob::AlreadyInArchiveMode, {}, "tenant " + tenant.name);
    if (tenant.status != catalog::TenantStatus::Normal || tenant.role != catalog::TenantRole::Primary) {
        throw obError(
            Ob::CannotStartLogArchive,
            "tenant " + tenant.name + " is " + catalog::text(tenant.status) + ", " + catalog::text(tenant.role),
            "only a NORMAL PRIMARY can be archived");
    }
}

/// Where to archive to, found usable.
catalog::ArchiveDestination ArchiveService::destinationOf(const catalog::Tenant& tenant) {
    const auto destination = stores_.destinations.archive(tenant.id);
    if (!destination) {
        throw obError(Ob::CannotStartLogArchive, "log_archive_dest of " + tenant.name + " is not set",
                      "ALTER SYSTEM SET LOG_ARCHIVE_DEST = 'LOCATION=file:///path' TENANT = " + tenant.name);
    }
    storage::requireDestination(destination->path, identity(tenant, destination->dest_id),
                                storage::DestinationKind::Archive);
    return *destination;
}

/// Unless it was set, the archive does better than OceanBase's default of two minutes.
std::chrono::milliseconds ArchiveService::lagTarget(catalog::TenantId tenant) {
    constexpr const char* kName = "archive_lag_target";
    if (!stores_.parameters.isSet(tenant, kName)) return kUnsetLagTarget;
    return std::chrono::duration_cast<std::chrono::milliseconds>(stores_.parameters.time(tenant, kName));
}

void ArchiveService::lagTargetChanged(catalog::TenantId tenant) {
    const Held held = hold(std::vector{tenant});
    const auto lag_target = lagTarget(tenant);
    std::shared_ptr<RoundFollower> follower;
    {
        const MutexLock lock(mutex_);
        if (const auto found = followers_.find(tenant); found != followers_.end()) follower = found->second;
    }
    if (follower) follower->setLagTarget(lag_target);
}

std::shared_ptr<RoundFollower> ArchiveService::follow(const catalog::ArchiveRound& round, bool only_to_end) {
    const catalog::Tenant tenant = stores_.tenants.get(round.tenant);
    ArchiverOptions options;
    options.tenant = options_.endpoint(round.tenant);
    options.server_id = randomU32() | 1;
    options.tenant_name = tenant.name;
    options.known_checkpoint = round.checkpoint_scn;
    options.known_covered = round.covered_scn;
    options.round = {
        .key = {.dest = static_cast<std::uint64_t>(round.dest_id), .round = static_cast<std::uint64_t>(round.round_id)},
        .tenant_id = static_cast<std::uint64_t>(round.tenant),
        .base_piece_id = static_cast<std::uint64_t>(round.base_piece_id),
        .piece_interval = round.piece_switch_days * 24 * 3600 * kSecond};
    if (options_.piece_interval > 0) options.round.piece_interval = options_.piece_interval;
    options.lag_target = lagTarget(round.tenant);
    options.end_limit = options_.end_limit;
    options.only_to_end = only_to_end;
    return std::make_shared<RoundFollower>(round, std::move(options), storage::openStorage(round.path), recorder_,
                                           purger_, clock_);
}

void ArchiveService::start(const catalog::ArchiveRound& round) {
    take(round.tenant).reset();
    auto follower = follow(round, false);
    const MutexLock lock(mutex_);
    if (!over_) followers_[round.tenant] = std::move(follower);
}

std::shared_ptr<RoundFollower> ArchiveService::take(catalog::TenantId tenant) {
    const MutexLock lock(mutex_);
    auto node = followers_.extract(tenant);
    return node.empty() ? nullptr : std::move(node.mapped());
}

void ArchiveService::disable(const std::vector<catalog::Tenant>& tenants) {
    const Held held = hold(tenants);
    for (const catalog::Tenant& tenant : tenants) {
        settleHeld(tenant.id);
        if (stores_.tenants.get(tenant.id).log_mode == LogMode::NoArchivelog)
            throw obError(Ob::AlreadyInNoArchiveMode, {}, "tenant " + tenant.name);
    }
    std::vector<std::pair<catalog::ArchiveRound, std::shared_ptr<RoundFollower>>> ending;
    for (const catalog::Tenant& tenant : tenants) {
        const auto round = stores_.archive.lastRound(tenant.id);
        if (!round) continue;  // cannot be: they are made together
        stores_.archive.stopRound(tenant.id, round->round_id);
        crashPoint("archive.round-stopping");
        ending.emplace_back(*round, take(tenant.id));
        // All at once: of those that hang, each takes the time of the others.
        if (ending.back().second) ending.back().second->beginClose();
    }
    for (auto& [round, follower] : ending)
        finish(round, std::move(follower));
}

void ArchiveService::finish(const catalog::ArchiveRound& round, std::shared_ptr<RoundFollower> follower) {
    // Why it was interrupted is still of interest; a trouble that passed with it is not.
    std::string comment = round.status == RoundStatus::Doing ? std::string() : round.comment;
    try {
        if (follower) follower->close();
    } catch (const Error& error) {
        // The round has to end all the same, or a lost destination could never be replaced. What is durable there is
        // whole; only its end marker is missing.
        comment = std::string("the end of the round could not be written: ") + error.what();
        log_->warn("tenant {}: {}", round.tenant, comment);
    }
    recorder_.end(round.tenant);
    follower.reset();
    stores_.archive.endRound(round.tenant, round.round_id, comment);
    crashPoint("archive.round-stopped");
}

/// Round and log mode are two records, and a daemon of an older version may have ended between them: ARCHIVELOG that
/// had begun a round is completed, and NOARCHIVELOG that had set the mode too. False if the round has to end.
bool ArchiveService::settleLogMode(const catalog::ArchiveRound& round) {
    if (stores_.tenants.get(round.tenant).log_mode == LogMode::Archivelog) return true;
    if (round.status != RoundStatus::Prepare) return false;
    stores_.tenants.setLogMode(round.tenant, LogMode::Archivelog);
    return true;
}

/// Whatever a failure half-way left: the catalog decides. A round that a daemon was ending when it died is ended at its
/// destination, too, and what it came to is written.
void ArchiveService::settleHeld(catalog::TenantId tenant) {
    const auto round = stores_.archive.lastRound(tenant);
    if (!round || round->status == RoundStatus::Stop) return take(tenant).reset();
    if (round->status == RoundStatus::Stopping || !settleLogMode(*round)) {
        auto follower = take(tenant);
        return finish(*round, follower ? std::move(follower) : follow(*round, true));
    }
    if (round->status != RoundStatus::Interrupted && !find(tenant, round->round_id)) start(*round);
}

void ArchiveService::settle(catalog::TenantId tenant) {
    const Held held = hold(std::vector{tenant});
    settleHeld(tenant);
}

void ArchiveService::resumeAll() {
    for (const catalog::ArchiveRound& round : stores_.archive.unfinishedRounds()) {
        try {
            settle(round.tenant);
        } catch (const Error& error) {
            log_->error("the archive of tenant {} cannot go on: {}", round.tenant, error.what());
        }
    }
}

void ArchiveService::forget(catalog::TenantId tenant) {
    const Held held = hold(std::vector{tenant});
    take(tenant).reset();
}

void ArchiveService::suspendAll() {
    std::map<catalog::TenantId, std::shared_ptr<RoundFollower>> followers;
    {
        const MutexLock lock(mutex_);
        over_ = true;
        followers.swap(followers_);
    }
    // All at once: a destination that hangs takes the time of the others' ends, not more.
    for (auto& [tenant, follower] : followers)
        follower->beginSuspend();
    for (auto& [tenant, follower] : followers)
        follower->suspend();
    if (!recorder_.drain(std::chrono::seconds(5)))
        log_->warn("sys does not answer: what was archived last is not in the catalog, the next start finds it");
}

// --- those who wait ---

std::shared_ptr<RoundFollower> ArchiveService::find(catalog::TenantId tenant, std::int64_t round_id) {
    const MutexLock lock(mutex_);
    const auto found = followers_.find(tenant);
    return found == followers_.end() || found->second->roundId() != round_id ? nullptr : found->second;
}

void ArchiveService::whenArchived(catalog::TenantId tenant, std::int64_t round_id, const mysql::GtidPosition& position,
                                  std::function<void()> then) {
    const auto follower = find(tenant, round_id);
    follower ? follower->whenArchived(position, std::move(then)) : then();
}

void ArchiveService::makeDurable(const std::vector<std::string>& uris, std::chrono::milliseconds limit) {
    std::set<std::string> paths;
    for (const std::string& uri : uris)
        paths.insert(storage::plainUri(uri));
    std::vector<std::shared_ptr<RoundFollower>> writing;
    {
        const MutexLock lock(mutex_);
        for (const auto& [tenant, follower] : followers_) {
            if (paths.contains(follower->path())) writing.push_back(follower);
        }
    }
    const auto until = std::chrono::steady_clock::now() + limit;
    std::vector<Scn> wanted;
    for (const auto& follower : writing)
        wanted.push_back(follower->beginCheckpoint());
    for (std::size_t i = 0; i < writing.size(); ++i)
        writing[i]->awaitCheckpoint(wanted[i], until);
}

}  // namespace tidemark::archive
