#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "backup/backup_job.h"
#include "backup/cataloging.h"
#include "backup/parent_set.h"
#include "base/log.h"
#include "catalog/stores.h"
#include "job/work_engine.h"

namespace tidemark::backup {

/// Names the file with the key of a tenant's backups, on this node.
constexpr const char* kKeyFileParameter = "backup_key_file";

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

    /// SET backup_key_file: makes the file, if it is not there; empty: for nothing is encrypted. Throws what is wrong with it.
    void setKeyFile(const catalog::Tenant& tenant, const std::string& file);
    /// BACKUP KEY: stores a copy of the tenant's key that a password opens. Throws 4018 if it has none.
    void backupKey(const catalog::Tenant& tenant, const std::string& uri, std::string_view password);
    /// Those that key files of tenants of this cluster hold, as far as they can be read here.
    std::vector<backup_set::TenantKey> tenantKeys();

    /// Nothing running is no error.
    void cancel(const std::vector<catalog::Tenant>& tenants);

private:
    using Deadline = std::chrono::steady_clock::time_point;

    catalog::BackupRequest request(const catalog::Tenant& tenant, const BackupOptions& options, Deadline until);
    std::optional<catalog::ArchiveRound> begunRound(catalog::TenantId tenant, Deadline until);
    catalog::BackupRequest checked(const catalog::Tenant& tenant, const BackupOptions& options, Deadline until);
    void startFromSys(const std::vector<catalog::Tenant>& tenants, catalog::JobLevel level,
                      const BackupOptions& options, Deadline until);
    std::optional<PasswordKey> ownKey(const catalog::Tenant& tenant);
    backup_set::TenantKey keyIn(const std::string& file) const;
    bool hasParent(catalog::TenantId tenant, const ParentChoice& choice);
    std::unique_ptr<job::Job> makeBackup(job::WorkContext& context);
    bool isHere(const catalog::WorkRow& row);

    const BackupJobParts parts_;
    catalog::Stores& stores_;
    job::WorkEngine& engine_;
    const Logger log_;
};

}  // namespace tidemark::backup
