#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/log.h"
#include "catalog/stores.h"
#include "clean/delete_job.h"
#include "clean/preview.h"
#include "job/work_engine.h"

namespace tidemark::clean {

/// What ADD DELETE BACKUP POLICY says, as it was written.
struct PolicyRequest {
    std::optional<std::string> recovery_window;
    std::optional<std::string> redundancy;
    std::optional<std::string> backup_copies;
};

/// The statements about the removal of backups: checks them and writes the jobs, which the engine then does.
/// Thread-safe.
class CleanService {
public:
    /// Tells the engine how backups are removed, by a statement, by a policy, and after a backup.
    CleanService(DeleteParts parts, job::WorkEngine& engine);

    /// Throws Ob::NotSupported for what OceanBase refuses, Ob::EntryExist.
    void addPolicy(const catalog::Tenant& tenant, const PolicyRequest& request);
    /// Throws Ob::EntryNotExist.
    void dropPolicy(const catalog::Tenant& tenant);
    /// The parameter backup_clean_interval has changed.
    void intervalChanged();

    /// What the policy says, now. Throws Ob::EntryNotExist without one, Ob::BackupDeleteInProgress.
    void deleteObsolete(const catalog::Tenant& tenant, catalog::TenantId initiator);
    /// These sets, all or none. Throws Ob::InvalidBackupSetId; Ob::DeleteSetNotAllowed, naming the reason, if one has to
    /// stay; Ob::BackupDeleteInProgress.
    void deleteSets(const catalog::Tenant& tenant, const std::vector<std::int64_t>& ids, catalog::TenantId initiator);

    /// Likewise of pieces of the log: those that no good set needs, whatever a policy says. Throws
    /// Ob::DeletePieceNotAllowed.
    void deletePieces(const catalog::Tenant& tenant, const std::vector<std::int64_t>& ids,
                      catalog::TenantId initiator);

    // What these would do. They change nothing, and throw what the others throw, but for a deletion that runs; what has
    // to stay is a row.
    std::vector<PreviewRow> explainObsolete(const catalog::Tenant& tenant);
    std::vector<PreviewRow> explainSets(const catalog::Tenant& tenant, const std::vector<std::int64_t>& ids);
    std::vector<PreviewRow> explainPieces(const catalog::Tenant& tenant, const std::vector<std::int64_t>& ids);

    /// A set that stays until then (in the tenant's time zone), or for ever.
    void keep(const catalog::Tenant& tenant, std::int64_t id, const std::optional<std::string>& until);
    void dropKeep(const catalog::Tenant& tenant, std::int64_t id);

    /// Nothing running is no error.
    void cancel(const std::vector<catalog::Tenant>& tenants);

private:
    catalog::DeleteRequest obsolete(const catalog::DeletePolicy& policy) const;
    catalog::DeletePolicy policyOf(const catalog::Tenant& tenant);
    void start(const catalog::DeleteRequest& request);
    std::chrono::milliseconds interval();
    std::unique_ptr<job::Job> makeDelete(job::WorkContext& context);

    const DeleteParts parts_;
    catalog::Stores& stores_;
    job::WorkEngine& engine_;
    const Logger log_;
};

}  // namespace tidemark::clean
