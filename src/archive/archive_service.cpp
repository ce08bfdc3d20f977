#include "archive/archive_service.h"

#include <fmt/format.h>
#include <pthread.h>

#include <algorithm>
#include <condition_variable>

#include "archive/archive_dest.h"
#include "base/crash_point.h"
#include "base/random.h"
#include "oceanbase/ob_error.h"
#include "storage/open_storage.h"

namespace tidemark::archive {

using catalog::LogMode;
using catalog::RoundStatus;

ArchiveService::ArchiveService(ArchiveServiceOptions options, catalog::Stores& stores, const Clock& clock)
    : options_(std::move(options)), stores_(stores), clock_(clock), log_(makeLogger("archive")) {
    expiry_ = std::jthread([this](std::stop_token stop) { expireBinlogs(stop); });
}

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
        std::unique_lock lock(mutex_);
        std::mutex& changing = changing_[tenant];
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
    crashPoint("destination.numbered");
    storage::openDestination(location, identity(tenant, dest_id), storage::DestinationKind::Archive, clock_);
    crashPoint("destination.checked");
    stores_.destinations.setArchive(tenant.id, location, dest.binding, dest.piece_switch_days);
    crashPoint("destination.recorded");
}

void ArchiveService::enable(const std::vector<catalog::Tenant>& tenants) {
    const Held held = hold(tenants);
    std::vector<catalog::ArchiveDestination> destinations;
    for (const catalog::Tenant& tenant : tenants)
        destinations.push_back(requireReady(stores_.tenants.get(tenant.id)));
    for (const catalog::ArchiveDestination& destination : destinations) {
        const catalog::ArchiveRound round = stores_.archive.beginRound(destination);
        crashPoint("archive.round-written");
        stores_.tenants.setLogMode(round.tenant, LogMode::Archivelog);
        crashPoint("archive.mode-set");
        stores_.archive.setRoundStatus(round.tenant, round.round_id, RoundStatus::Beginning);
        crashPoint("archive.round-beginning");
        start(round);
    }
}

/// Where to archive to. Throws if archiving cannot start.
catalog::ArchiveDestination ArchiveService::requireReady(const catalog::Tenant& tenant) {
    if (tenant.log_mode == LogMode::Archivelog) throw obError(Ob::AlreadyInArchiveMode, {}, "tenant " + tenant.name);
    if (tenant.status != catalog::TenantStatus::Normal || tenant.role != catalog::TenantRole::Primary) {
        throw obError(
            Ob::CannotStartLogArchive,
            "tenant " + tenant.name + " is " + catalog::text(tenant.status) + ", " + catalog::text(tenant.role),
            "only a NORMAL PRIMARY can be archived");
    }
    if (const auto last = stores_.archive.lastRound(tenant.id); last && last->status != RoundStatus::Stop) {
        throw obError(Ob::CannotStartLogArchive,
                      fmt::format("round {} of tenant {} is {}", last->round_id, tenant.name, text(last->status)),
                      "wait until CDB_OB_ARCHIVELOG_SUMMARY says STOP");
    }
    const auto destination = stores_.destinations.archive(tenant.id);
    if (!destination) {
        throw obError(Ob::CannotStartLogArchive, "log_archive_dest of " + tenant.name + " is not set",
                      "ALTER SYSTEM SET LOG_ARCHIVE_DEST = 'LOCATION=file:///path' TENANT = " + tenant.name);
    }
    storage::requireDestination(destination->path, identity(tenant, destination->dest_id),
                                storage::DestinationKind::Archive, clock_);
    return *destination;
}

void ArchiveService::start(const catalog::ArchiveRound& round) {
    const catalog::Tenant tenant = stores_.tenants.get(round.tenant);
    ArchiverOptions options;
    options.tenant = options_.endpoint(round.tenant);
    options.server_id = randomU32() | 1;
    options.tenant_name = tenant.name;
    options.known_checkpoint = round.checkpoint_scn;
    options.round = {
        .key = {.dest = static_cast<std::uint64_t>(round.dest_id), .round = static_cast<std::uint64_t>(round.round_id)},
        .tenant_id = static_cast<std::uint64_t>(round.tenant),
        .base_piece_id = static_cast<std::uint64_t>(round.base_piece_id),
        .piece_interval = round.piece_switch_days * 24 * 3600 * kSecond};
    if (options_.piece_interval > 0) options.round.piece_interval = options_.piece_interval;
    auto lag = std::chrono::duration_cast<std::chrono::milliseconds>(
        stores_.parameters.time(round.tenant, "archive_lag_target"));
    options.lag_target = std::min(lag, options.lag_target);
    const std::lock_guard lock(mutex_);
    followers_[round.tenant] = std::make_unique<RoundFollower>(
        round, std::move(options), storage::openStorage(round.path), stores_, clock_, options_.settings);
}

std::unique_ptr<RoundFollower> ArchiveService::take(catalog::TenantId tenant) {
    const std::lock_guard lock(mutex_);
    auto node = followers_.extract(tenant);
    return node.empty() ? nullptr : std::move(node.mapped());
}

void ArchiveService::disable(const std::vector<catalog::Tenant>& tenants) {
    const Held held = hold(tenants);
    for (const catalog::Tenant& tenant : tenants) {
        if (stores_.tenants.get(tenant.id).log_mode == LogMode::NoArchivelog)
            throw obError(Ob::AlreadyInNoArchiveMode, {}, "tenant " + tenant.name);
    }
    for (const catalog::Tenant& tenant : tenants) {
        const auto round = stores_.archive.lastRound(tenant.id);
        stores_.tenants.setLogMode(tenant.id, LogMode::NoArchivelog);
        crashPoint("archive.mode-unset");
        if (!round) continue;  // cannot be: the round is made before the mode is set
        stores_.archive.setRoundStatus(tenant.id, round->round_id, RoundStatus::Stopping, round->comment);
        crashPoint("archive.round-stopping");
        finish(*round, take(tenant.id));
    }
}

void ArchiveService::finish(const catalog::ArchiveRound& round, std::unique_ptr<RoundFollower> follower) {
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
    follower.reset();
    if (const auto piece = stores_.archive.lastPiece(round.tenant);
        piece && piece->round_id == round.round_id && piece->status == catalog::PieceStatus::Active) {
        stores_.archive.freezePiece(round.tenant, piece->piece_id, piece->checkpoint_scn);
    }
    stores_.archive.setRoundStatus(round.tenant, round.round_id, RoundStatus::Stop, comment);
    crashPoint("archive.round-stopped");
}

/// Round and log mode are two records, and the daemon may have ended between them: ARCHIVELOG that had begun a round is
/// completed, and NOARCHIVELOG that had set the mode too. False if the round has to end.
bool ArchiveService::settleLogMode(const catalog::ArchiveRound& round) {
    if (stores_.tenants.get(round.tenant).log_mode == LogMode::Archivelog) return true;
    if (round.status != RoundStatus::Prepare) return false;
    stores_.tenants.setLogMode(round.tenant, LogMode::Archivelog);
    return true;
}

void ArchiveService::resumeAll() {
    for (const catalog::ArchiveRound& round : stores_.archive.unfinishedRounds()) {
        try {
            if (round.status == RoundStatus::Stopping || !settleLogMode(round)) {
                finish(round, nullptr);
            } else if (round.status != RoundStatus::Interrupted) {
                start(round);
            }
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
    expiry_.request_stop();
    std::map<catalog::TenantId, std::unique_ptr<RoundFollower>> followers;
    {
        const std::lock_guard lock(mutex_);
        followers.swap(followers_);
    }
    for (auto& [tenant, follower] : followers)
        follower->suspend();
}

void ArchiveService::expireBinlogs(std::stop_token stop) {
    pthread_setname_np(pthread_self(), "binlog-expiry");
    std::mutex mutex;
    std::condition_variable_any wake;
    std::unique_lock lock(mutex);
    // An archived tenant's binlog is purged by its follower, and only behind the archive.
    while (!wake.wait_for(lock, stop, std::chrono::minutes(10), [&] { return stop.stop_requested(); })) {
        try {
            for (const catalog::Tenant& tenant : stores_.tenants.all())
                expireBinlogs(tenant);
        } catch (const std::exception& error) {
            log_->warn("old binlogs were not purged this time: {}", error.what());
        }
    }
}

/// One tenant that is down must not keep the others' disks filling.
void ArchiveService::expireBinlogs(const catalog::Tenant& tenant) {
    if (tenant.log_mode == LogMode::Archivelog || tenant.status != catalog::TenantStatus::Normal) return;
    try {
        mysql::Endpoint endpoint = options_.endpoint(tenant.id);
        endpoint.statement_timeout = std::chrono::seconds(10);
        mysql::SqlClient(endpoint).query("PURGE BINARY LOGS BEFORE NOW() - INTERVAL ? SECOND",
                                         {std::int64_t{options_.unarchived_binlog.count()}});
    } catch (const Error& error) {
        log_->warn("old binlogs of tenant {} were not purged this time: {}", tenant.name, error.what());
    }
}

}  // namespace tidemark::archive
