#include "backup/backup_service.h"

#include <fmt/format.h>

#include <algorithm>
#include <thread>

#include "backup/parent_set.h"
#include "base/crash_point.h"
#include "oceanbase/ob_error.h"
#include "storage/destination.h"
#include "storage/open_storage.h"

namespace tidemark::backup {
namespace {

/// Until then a statement waits for rounds that begin. One moment for the whole statement, however many tenants it
/// names.
std::chrono::steady_clock::time_point aMoment() {
    return std::chrono::steady_clock::now() + std::chrono::seconds(10);
}

}  // namespace

BackupService::BackupService(BackupJobParts parts, job::WorkEngine& engine)
    : parts_(std::move(parts)),
      stores_(parts_.stores),
      engine_(engine),
      key_files_(parts_),
      log_(makeLogger("backup")) {
    engine_.add({.name = catalog::kBackupWork,
                 .make = [this](job::WorkContext& context) { return makeBackup(context); },
                 .here = [this](const catalog::WorkRow& row) { return isHere(row); },
                 .attempts = 3,
                 .interrupted = "the daemon ended while the backup ran, each time it was begun",
                 .hint = "see the log for why it ended, then start the backup again"});
}

/// A backup is made where the tenant's replica runs. Of a tenant that was dropped there is none: then any node may end
/// it.
bool BackupService::isHere(const catalog::WorkRow& row) {
    return parts_.tenants.has(row.tenant) || stores_.resources.unitsOf(row.tenant).empty();
}

std::unique_ptr<job::Job> BackupService::makeBackup(job::WorkContext& context) {
    const job::JobKey key = context.key();
    const auto row = stores_.backups.job(key.tenant, key.id);
    if (!row || row->end_time)
        throw Error(ErrorCode::NotFound, fmt::format("tenant {} has no active backup job {}", key.tenant, key.id));
    return std::make_unique<BackupJob>(parts_, *row, context);
}

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

/// The tenant's request, or why it cannot be backed up. The refusal is also recorded as an event: an operator who backs
/// up all tenants by a timer sees there which of them were left out, and why.
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

/// The tenant's last round. A round that is just beginning is given a moment, so that a script may say BACKUP right
/// after ARCHIVELOG.
std::optional<catalog::ArchiveRound> BackupService::begunRound(catalog::TenantId tenant, Deadline until) {
    using catalog::RoundStatus;
    for (;;) {
        const auto round = stores_.archive.lastRound(tenant);
        const bool begins = round && (round->status == RoundStatus::Prepare || round->status == RoundStatus::Beginning);
        if (!begins || std::chrono::steady_clock::now() > until) return round;
        // The follower's thread writes the round's row; nothing tells this thread when.
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
}

/// Checks what OceanBase checks before a backup, in its order.
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
    storage::requireDestination(destination->path, parts_.identity(tenant, destination->dest_id),
                                storage::DestinationKind::Data);
    return wanted(tenant, *destination, options);
}

catalog::BackupRequest BackupService::wanted(const catalog::Tenant& tenant,
                                             const catalog::BackupDestination& destination,
                                             const BackupOptions& options) {
    const auto own_key = options.encryption != nullptr ? std::nullopt : key_files_.wrappingOf(tenant);
    const PasswordKey* encryption = own_key ? &*own_key : options.encryption;
    const auto method = own_key ? backup_set::KeyMethod::TenantKey : backup_set::KeyMethod::Password;
    catalog::BackupRequest request{.tenant = tenant.id,
                                   .dest_id = destination.dest_id,
                                   .path = destination.path,
                                   .plus_archivelog = options.plus_archivelog,
                                   .description = options.description};
    BackupProgress progress;
    if (encryption != nullptr) {
        request.encryption = {.mode = backup_set::encryptionMode(method), .passwd = encryption->id};
        progress.encryption = SetEncryption(*encryption, parts_.node_key, method);
    }
    if (options.incremental) {
        const std::string why_none = whyNoParent(stores_.backups.sets(tenant.id),
                                                 {.dest_id = destination.dest_id, .encryption = request.encryption});
        request.type = why_none.empty() ? catalog::BackupType::Inc : catalog::BackupType::Full;
        request.comment = progress.full_because = fullBecause(why_none);
    }
    request.work_progress = progress.text();
    return request;
}

void BackupService::startOwn(const catalog::Tenant& tenant, const BackupOptions& options) {
    stores_.backups.start(request(tenant, options, aMoment()));
    crashPoint("backup.job-written");
    engine_.wake();
}

void BackupService::startFromSys(const std::vector<catalog::Tenant>& tenants, catalog::JobLevel level,
                                 const BackupOptions& options, Deadline until) {
    std::vector<catalog::BackupRequest> requests;
    for (const catalog::Tenant& tenant : tenants)
        requests.push_back(request(tenant, options, until));
    stores_.backups.startFromSys(requests, level, options.description);
    crashPoint("backup.job-written");
    engine_.wake();
}

void BackupService::startNamed(const std::vector<catalog::Tenant>& tenants, const BackupOptions& options) {
    if (tenants.empty()) throw obError(Ob::NotSupported, "No tenant name specified");
    startFromSys(tenants, catalog::JobLevel::SysTenant, options, aMoment());
}

void BackupService::startAll(const BackupOptions& options) {
    const Deadline until = aMoment();
    std::vector<catalog::Tenant> able;
    for (const catalog::Tenant& tenant : stores_.tenants.all()) {
        if (tenant.id == catalog::kSysTenantId) continue;
        try {
            request(tenant, options, until);
            able.push_back(tenant);
        } catch (const Error& error) {
            log_->debug("tenant {} is not backed up now: {}", tenant.name, error.what());
        }
    }
    if (able.empty()) {
        throw obError(
            Ob::BackupCanNotStart,
            "no tenant meets the backup condition, please check the tenant status, log archive status, backup "
            "data dest, and backup status for each tenant");
    }
    startFromSys(able, catalog::JobLevel::Cluster, options, until);
}

std::vector<CatalogRow> BackupService::catalogBackups(const catalog::Tenant& tenant, std::vector<std::string> uris,
                                                      const Cataloging::KeyOf& key_of) {
    if (uris.empty()) {
        if (const auto data = stores_.destinations.backup(tenant.id)) uris.push_back(data->path);
        if (const auto log = stores_.destinations.archive(tenant.id)) uris.push_back(log->path);
        if (uris.empty())
            throw obError(Ob::EntryNotExist, {},
                          "tenant " + tenant.name + " has no destination: CATALOG BACKUP FROM 'uri'");
    }
    Cataloging cataloging(parts_, tenant, key_of);
    std::vector<CatalogRow> rows = cataloging.run(uris);
    log_->info("tenant {}: cataloged {} of {} things that lie at {} destinations", tenant.name,
               std::count_if(rows.begin(), rows.end(), [](const auto& row) { return row.result == "CATALOGED"; }),
               rows.size(), uris.size());
    return rows;
}

void BackupService::cancel(const std::vector<catalog::Tenant>& tenants) {
    for (const catalog::Tenant& tenant : tenants) {
        for (const catalog::BackupJobRow& job : stores_.backups.cancel(tenant.id)) {
            engine_.cancel({.kind = catalog::kBackupWork, .tenant = job.tenant, .id = job.job_id});
        }
    }
}

}  // namespace tidemark::backup
