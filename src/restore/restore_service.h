#pragma once

#include <optional>
#include <string>

#include "base/log.h"
#include "job/job_runner.h"
#include "restore/ended_restores.h"
#include "restore/restore_job.h"
#include "restore/restore_options.h"

namespace tidemark::restore {

/// ALTER SYSTEM RESTORE as it was written.
struct RestoreRequest {
    std::string tenant;
    std::string from;  ///< URIs, comma-separated
    std::optional<Scn> until_scn;
    std::optional<std::string> until_time;
    std::string options;
    std::string description;
};

/// RESTORE, CANCEL RESTORE and what an end of the daemon left of them. Thread-safe.
class RestoreService {
public:
    RestoreService(const RestoreJobParts& parts, job::JobRunner& runner)
        : parts_(parts),
          stores_(parts.stores),
          tenants_(parts.tenants),
          runner_(runner),
          log_(makeLogger("restore")),
          ended_(parts.stores.restores) {}

    /// Plans, creates the tenant in status RESTORE and starts the job. What can be found wrong is thrown here, before
    /// anything exists.
    void start(const RestoreRequest& request);

    /// Ends a restore that is running and drops its tenant. Throws Ob::EntryNotExist if none of this name runs.
    void cancel(const std::string& tenant);

    /// At the daemon's start: restores that its end interrupted become FAIL, and their tenants are removed.
    void failInterrupted();

private:
    void createTenant(catalog::RestoreJobRow& row, const tenant::TenantItems& items, const RestorePlan& plan);
    void finish(const catalog::RestoreJobRow& row, const catalog::Outcome& outcome);
    void removeOrphans();
    void requireRestorable(const RestorePlan& plan);
    void requireSettings(const std::string& name, tenant::TenantItems& items, const RestorePlan& plan);
    catalog::RestoreJobRow rowFor(const RestoreRequest& request, const RestorePlan& plan) const;

    const RestoreJobParts parts_;
    catalog::Stores& stores_;
    tenant::StandbyService& tenants_;
    job::JobRunner& runner_;
    const Logger log_;
    EndedRestores ended_;
};

}  // namespace tidemark::restore
