#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "backup/backup_job.h"
#include "backup/cataloging.h"
#include "backup/key_files.h"
#include "backup/parent_set.h"
#include "base/log.h"
#include "catalog/stores.h"
#include "job/work_engine.h"

namespace tidemark::backup {

/// What a BACKUP statement says beside its tenants.
struct BackupOptions {
    bool incremental = false;      ///< a full set where there is none to lean on
    bool plus_archivelog = false;  ///< the set carries log of its own
    std::string description;
    const PasswordKey* encryption = nullptr;  ///< what the sets are encrypted with; null: nothing
};

/// DATA_BACKUP_DEST, BACKUP and CANCEL BACKUP: checks the preconditions and writes the jobs, which the engine then
/// does. Thread-safe.
class BackupService {
public:
    /// Tells the engine how backups are done. What they leave the cleaner removes (clean/leftover_job.h).
    BackupService(BackupJobParts parts, job::WorkEngine& engine);

    /// SET DATA_BACKUP_DEST; empty clears it. Throws Ob::BackupInProgress, and what is wrong with the destination.
    void setDestination(const catalog::Tenant& tenant, const std::string& uri);

    /// The tenant backs itself up. Throws Ob::BackupCanNotStart, Ob::BackupInProgress.
    void startOwn(const catalog::Tenant& tenant, const BackupOptions& options);
    /// sys backs up these tenants; all of them must be able to, or none is.
    void startNamed(const std::vector<catalog::Tenant>& tenants, const BackupOptions& options);
    /// sys backs up every tenant that can be. Throws Ob::BackupCanNotStart if none can.
    void startAll(const BackupOptions& options);

    /// CATALOG BACKUP, with the tenant's present destinations if none is named; see backup/cataloging.h. Throws 4018 if
    /// it has none.
    std::vector<CatalogRow> catalogBackups(const catalog::Tenant& tenant, std::vector<std::string> uris,
                                           const Cataloging::KeyOf& key_of);

    KeyFiles& keyFiles() { return key_files_; }

    /// Nothing running is no error.
    void cancel(const std::vector<catalog::Tenant>& tenants);

private:
    using Deadline = std::chrono::steady_clock::time_point;

    catalog::BackupRequest request(const catalog::Tenant& tenant, const BackupOptions& options, Deadline until);
    std::optional<catalog::ArchiveRound> begunRound(catalog::TenantId tenant, Deadline until);
    catalog::BackupRequest checked(const catalog::Tenant& tenant, const BackupOptions& options, Deadline until);
    catalog::BackupRequest wanted(const catalog::Tenant& tenant, const catalog::BackupDestination& destination,
                                  const BackupOptions& options);
    void startFromSys(const std::vector<catalog::Tenant>& tenants, catalog::JobLevel level,
                      const BackupOptions& options, Deadline until);
    std::unique_ptr<job::Job> makeBackup(job::WorkContext& context);
    bool isHere(const catalog::WorkRow& row);

    const BackupJobParts parts_;
    catalog::Stores& stores_;
    job::WorkEngine& engine_;
    KeyFiles key_files_;
    const Logger log_;
};

}  // namespace tidemark::backup
