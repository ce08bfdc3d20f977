#pragma once

#include <optional>
#include <string>

#include "backup_set/tenant_key.h"
#include "base/log.h"
#include "job/work_engine.h"
#include "restore/restore_job.h"
#include "restore/restore_options.h"
#include "restore/restore_preview.h"

namespace tidemark::restore {

/// ALTER SYSTEM RESTORE as it was written.
struct RestoreRequest {
    std::string tenant;
    std::string from;  ///< URIs, comma-separated
    std::optional<Scn> until_scn;
    std::optional<std::string> until_time;
    std::string options;
    std::string description;
    std::span<const Secret> passwords;  ///< of SET DECRYPTION
    std::span<const backup_set::TenantKey> tenant_keys = {};
};

/// RESTORE, its preview, and CANCEL RESTORE. Thread-safe.
class RestoreService {
public:
    /// Adds its kinds of work to the engine, which is started later.
    RestoreService(const RestoreJobParts& parts, job::WorkEngine& engine);

    /// Plans, writes the job and its tenant, in status RESTORE, and has the engine do the rest. What can be found wrong
    /// is thrown here, before anything exists.
    void start(const RestoreRequest& request);

    /// What a restore from there would read, and how long it would take; nothing is changed. Throws what start() throws
    /// of destinations, point and set.
    std::vector<PreviewRow> preview(const RestoreTarget& target);

    /// Ends a restore that runs or waits, and drops its tenant. Throws Ob::EntryNotExist if there is none of this name.
    void cancel(const std::string& tenant);

private:
    RestorePlan planFrom(RestoreTarget target);
    void requireRestorable(const RestorePlan& plan);
    void requireSettings(const std::string& name, tenant::TenantItems& items, const RestorePlan& plan);
    bool isBroken(const storage::Destination& destination, const backup_set::SetId& id);
    catalog::RestoreJobRow rowFor(const RestoreRequest& request, const RestorePlan& plan) const;
    std::optional<catalog::BackupUse> useOf(const RestorePlan& plan);

    const RestoreJobParts parts_;
    catalog::Stores& stores_;
    tenant::StandbyService& tenants_;
    job::WorkEngine& engine_;
};

}  // namespace tidemark::restore
