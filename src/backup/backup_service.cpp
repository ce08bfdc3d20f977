#include "backup/backup_service.h"

#include <algorithm>
#include <thread>

#include "backup/finished_set.h"
#include "base/crash_point.h"
#include "oceanbase/ob_error.h"
#include "storage/destination.h"
#include "storage/open_storage.h"

namespace tidemark::backup {
namespace {

void checkOptions(const BackupOptions& options) {
    if (options.plus_archivelog) {
        throw obError(Ob::NotSupported, "PLUS ARCHIVELOG is",
                      "the archive destination is all a restore needs beside the set");
    }
}

/// How long one statement waits for rounds that begin, whatever number of tenants it is about.
std::chrono::steady_clock::time_point aMoment() {
    return std::chrono::steady_clock::now() + std::chrono::seconds(10);
}

/// What no tenant can do is no matter of their states, and they would be searched in vain.
[[noreturn]] void refuseAll(const std::vector<Error>& refusals) {
    const int not_supported = obError(Ob::NotSupported).sql()->number;
    const auto is_unsupported = [&](const Error& error) { return error.sql() && error.sql()->number == not_supported; };
    if (!refusals.empty() && std::all_of(refusals.begin(), refusals.end(), is_unsupported)) throw refusals.front();
    throw obError(Ob::BackupCanNotStart,
                  "no tenant meets the backup condition, please check the tenant status, log archive status, backup "
                  "data dest, and backup status for each tenant");
}

}  // namespace

void BackupService::setDestination(const catalog::Tenant& tenant, const std::string& uri) {
    const auto jobs = stores_.backups.activeJobs();
    if (std::any_of(jobs.begin(), jobs.end(), [&](const auto& job) { return job.tenant == tenant.id; })) {
        throw obError(Ob::BackupInProgress, {}, "tenant " + tenant.name);
    }
    if (uri.empty()) return stores_.destinations.clearBackup(tenant.id);
    const std::string plain = storage::plainUri(uri);
    storage::requireOutside(plain, parts_.own_directory);
    const auto dest_id = stores_.destinations.idOf(tenant.id, catalog::DestinationUse::BackupData, plain);
    crashPoint("destination.numbered");
    storage::openDestination(plain, parts_.identity(tenant, dest_id), storage::DestinationKind::Data, parts_.clock);
    crashPoint("destination.checked");
    stores_.destinations.setBackup(tenant.id, plain);
    crashPoint("destination.recorded");
}

/// A refusal is also an event, so that who backs up all tenants by a timer can see which were left out, and why.
catalog::BackupRequest BackupService::request(const catalog::Tenant& tenant, const BackupOptions& options,
                                              Deadline until) {
    try {
        return checked(tenant, options, until);
    } catch (const Error& error) {
        stores_.events.record("backup_data", "start_backup_data",
                              {{"tenant_id", std::to_string(tenant.id)}, {"result", std::to_string(obResult(error))}},
                              error.what());
        throw;
    }
}

/// The last round. One that begins, right after ARCHIVELOG, is given a moment: who starts a backup next in a script
/// should not have to wait by hand.
std::optional<catalog::ArchiveRound> BackupService::begunRound(catalog::TenantId tenant, Deadline until) {
    using catalog::RoundStatus;
    for (;;) {
        const auto round = stores_.archive.lastRound(tenant);
        const bool begins = round && (round->status == RoundStatus::Prepare || round->status == RoundStatus::Beginning);
        if (!begins || std::chrono::steady_clock::now() > until) return round;
        // A round is a row that its follower's thread writes; nothing wakes who waits for it.
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
}

/// The preconditions, in OceanBase's order.
catalog::BackupRequest BackupService::checked(const catalog::Tenant& tenant, const BackupOptions& options,
                                              Deadline until) {
    if (tenant.id == catalog::kSysTenantId) {
        throw obError(Ob::ErrUnexpected, "the sys tenant cannot be backed up", "name user tenants");
    }
    if (tenant.status != catalog::TenantStatus::Normal || tenant.role != catalog::TenantRole::Primary) {
        throw obError(Ob::BackupCanNotStart, "tenant status is not normal.",
                      tenant.name + " is " + catalog::text(tenant.status) + ", " + catalog::text(tenant.role));
    }
    const auto destination = stores_.destinations.backup(tenant.id);
    if (!destination) {
        throw obError(Ob::BackupCanNotStart, "backup dest is not set.",
                      "ALTER SYSTEM SET DATA_BACKUP_DEST = 'file:///path' TENANT = " + tenant.name);
    }
    const auto jobs = stores_.backups.activeJobs();
    if (std::any_of(jobs.begin(), jobs.end(), [&](const auto& job) { return job.tenant == tenant.id; })) {
        throw obError(Ob::BackupInProgress, {}, "tenant " + tenant.name);
    }
    const auto round = begunRound(tenant.id, until);
    if (!round || round->status != catalog::RoundStatus::Doing) {
        throw obError(
            Ob::BackupCanNotStart, "log archive status is not doing.",
            "ALTER SYSTEM ARCHIVELOG TENANT = " + tenant.name + ", and wait until CDB_OB_ARCHIVELOG says DOING");
    }
    const auto sets = stores_.backups.sets(tenant.id);
    const auto is_base = [&](const catalog::BackupSet& set) {
        return set.dest_id == destination->dest_id && set.status == catalog::BackupSetStatus::Success;
    };
    if (options.incremental && std::any_of(sets.begin(), sets.end(), is_base)) {
        throw obError(Ob::NotSupported, "BACKUP INCREMENTAL is", "ALTER SYSTEM BACKUP DATABASE makes a full set");
    }
    storage::requireDestination(destination->path, parts_.identity(tenant, destination->dest_id),
                                storage::DestinationKind::Data, parts_.clock);
    return {.tenant = tenant.id,
            .dest_id = destination->dest_id,
            .path = destination->path,
            .type = catalog::BackupType::Full,
            .plus_archivelog = false,
            .description = options.description};
}

void BackupService::startOwn(const catalog::Tenant& tenant, const BackupOptions& options) {
    checkOptions(options);
    submit(stores_.backups.start(request(tenant, options, aMoment())));
}

void BackupService::startFromSys(const std::vector<catalog::Tenant>& tenants, catalog::JobLevel level,
                                 const BackupOptions& options, Deadline until) {
    std::vector<catalog::BackupRequest> requests;
    for (const catalog::Tenant& tenant : tenants)
        requests.push_back(request(tenant, options, until));
    for (const auto& job : stores_.backups.startFromSys(requests, level, options.description).jobs)
        submit(job);
}

void BackupService::startNamed(const std::vector<catalog::Tenant>& tenants, const BackupOptions& options) {
    checkOptions(options);
    if (tenants.empty()) throw obError(Ob::NotSupported, "No tenant name specified");
    startFromSys(tenants, catalog::JobLevel::SysTenant, options, aMoment());
}

void BackupService::startAll(const BackupOptions& options) {
    checkOptions(options);
    const Deadline until = aMoment();
    std::vector<catalog::Tenant> able;
    std::vector<Error> refusals;
    for (const catalog::Tenant& tenant : stores_.tenants.all()) {
        if (tenant.id == catalog::kSysTenantId) continue;
        try {
            request(tenant, options, until);
            able.push_back(tenant);
        } catch (const Error& error) {
            log_->debug("tenant {} is not backed up now: {}", tenant.name, error.what());
            refusals.push_back(error);
        }
    }
    if (able.empty()) refuseAll(refusals);
    startFromSys(able, catalog::JobLevel::Cluster, options, until);
}

void BackupService::submit(const catalog::BackupJobRow& job) {
    const job::JobKey key{.kind = "backup", .tenant = job.tenant, .id = job.job_id};
    auto work = std::make_unique<BackupJob>(parts_, job);
    try {
        runner_.submit(key, std::move(work));
    } catch (const Error& error) {
        stores_.backups.finish(job.tenant, job.job_id, catalog::Outcome::of(error));
        throw;
    }
}

void BackupService::cancel(const std::vector<catalog::Tenant>& tenants) {
    for (const catalog::Tenant& tenant : tenants) {
        for (const catalog::BackupJobRow& job : stores_.backups.cancel(tenant.id)) {
            runner_.cancel({.kind = "backup", .tenant = job.tenant, .id = job.job_id});
        }
    }
}

void BackupService::endInterrupted() {
    const Error reason(ErrorCode::Unavailable, "the daemon ended while the backup ran",
                       "start it again; what it left at the destination is removed then");
    for (const catalog::BackupJobRow& job : stores_.backups.activeJobs()) {
        if (const auto whole = finishedBeforeTheEnd(job)) {
            log_->info("tenant {}: set {} of backup job {} is whole at the destination", job.tenant, job.backup_set_id,
                       job.job_id);
            stores_.backups.finish(job.tenant, job.job_id, catalog::Outcome::completed(), &*whole);
            continue;
        }
        log_->warn("tenant {}: backup job {} was interrupted by the end of the daemon", job.tenant, job.job_id);
        const bool cancelled = job.status == catalog::BackupJobStatus::Canceling;
        stores_.backups.finish(job.tenant, job.job_id,
                               catalog::Outcome::of(cancelled ? Error(ErrorCode::Cancelled, "cancelled") : reason));
    }
}

/// A destination that cannot be asked must not hold up the start, nor make a job a success.
std::optional<catalog::BackupSet> BackupService::finishedBeforeTheEnd(const catalog::BackupJobRow& job) {
    if (job.backup_set_id == 0) return std::nullopt;
    try {
        const auto destination =
            storage::requireDestination(job.path, parts_.identity(stores_.tenants.get(job.tenant), job.dest_id),
                                        storage::DestinationKind::Data, parts_.clock);
        return finishedSet(*destination.storage, job);
    } catch (const Error& error) {
        log_->warn("tenant {}: whether set {} is whole is not known: {}", job.tenant, job.backup_set_id, error.what());
        return std::nullopt;
    }
}

}  // namespace tidemark::backup
