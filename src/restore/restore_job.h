#pragma once

#include <stop_token>
#include <string>

#include "base/log.h"
#include "catalog/stores.h"
#include "job/job_runner.h"
#include "job/progress_gate.h"
#include "job/shown_stage.h"
#include "restore/data_restore.h"
#include "restore/ended_restores.h"
#include "restore/memory_rows.h"
#include "restore/restore_plan.h"
#include "tenant/standby_service.h"

namespace tidemark::restore {

/// What a restore works with; references outlive it.
struct RestoreJobParts {
    catalog::Stores& stores;
    tenant::StandbyService& tenants;
    const Clock& clock;
    /// Called before destinations (URIs) are read: archivers here that write to them shall first write what they have.
    std::function<void(const std::vector<std::string>&)> before_reading = [](const auto&) {};
};

/// Drops the tenant that the job has made, unless it is gone and another one bears its name.
void removeTenant(const RestoreJobParts& parts, const catalog::RestoreJobRow& row);

/// One restore: the files of a backup set become a data directory, the log is replayed exactly up to the target, and
/// the tenant ends as a read-only standby. Whatever fails, no half-made tenant stays. See docs/architecture.md.
class RestoreJob : public job::RunnerJob {
public:
    /// The rows of `row` exist, and tenant `row.tenant`, in status RESTORE with an empty data directory.
    RestoreJob(const RestoreJobParts& parts, EndedRestores& ended, catalog::RestoreJobRow row, RestorePlan plan,
               unsigned workers);

    void run(std::stop_token stop) override;
    void finish(const catalog::Outcome& outcome) override;

private:
    void restoreData(std::stop_token stop);
    void replayLog(std::stop_token stop);
    void replayTo(Scn target, std::stop_token stop);
    void becomeStandby();
    void requireStillAt(mysql::SqlClient& server) const;
    void upgrade();
    void show(catalog::RestoreTenantStatus status);
    void record(std::uint64_t finished_bytes);

    const RestoreJobParts parts_;
    EndedRestores& ended_;
    catalog::RestoreJobRow row_;
    const RestorePlan plan_;
    const unsigned workers_;
    const Logger log_;
    job::ShownStage stage_;
    job::ProgressGate gate_;
    std::uint64_t data_bytes_ = 0;
    mysql::GtidPosition reached_;       ///< by set and replay
    std::uint64_t replayed_bytes_ = 0;  ///< by its steps that are over
    MissingRows missing_rows_;
};

}  // namespace tidemark::restore
