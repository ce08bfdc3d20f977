#pragma once

#include <chrono>
#include <optional>
#include <stop_token>
#include <string>

#include "base/log.h"
#include "base/node_key.h"
#include "catalog/stores.h"
#include "job/capacity.h"
#include "job/job.h"
#include "job/progress_gate.h"
#include "job/shown_stage.h"
#include "job/time_left.h"
#include "job/work_context.h"
#include "restore/data_restore.h"
#include "restore/memory_rows.h"
#include "restore/opened_data.h"
#include "restore/restore_notes.h"
#include "restore/restore_pace.h"
#include "restore/restore_plan.h"
#include "restore/write_back.h"
#include "tenant/standby_service.h"

namespace tidemark::restore {

/// What a restore works with; references outlive it.
struct RestoreJobParts {
    catalog::Stores& stores;
    tenant::StandbyService& tenants;
    const Clock& clock;
    job::Capacity& capacity;
    const NodeKey& node_key;
    OpenedData& opened;
    /// Called before destinations (URIs) are read: archivers here that write to them shall first write what they have.
    std::function<void(const std::vector<std::string>&)> before_reading = [](const auto&) {};
    /// For so long a restore that goes on waits for a destination that is away; its tenant exists meanwhile.
    std::chrono::milliseconds patience = std::chrono::hours(1);
    std::int64_t server = 1;  ///< this node, as in catalog::Server
};

/// How often a restore may be begun. One more would not tell more: what fails three times fails again.
constexpr int kRestoreAttempts = 3;

/// One restore: the files of a backup set become a data directory, the log is replayed exactly up to the target, and
/// the tenant ends as a read-only standby. Whatever fails, no half-made tenant stays. See docs/architecture.md.
///
/// With method=quick the files stay where they are until the tenant is open; then HydrationJob goes on.
///
/// A later attempt restores the same set to the same point, from an empty directory on: a replay is not durable. There
/// is one when the daemon has ended, and when an attempt failed of something that may heal (healing.h). Once the tenant
/// has been opened the restore is a success, whatever comes after that.
class RestoreJob : public job::Job {
public:
    /// The rows of `row` exist, and tenant `row.tenant`, in status RESTORE.
    RestoreJob(const RestoreJobParts& parts, catalog::RestoreJobRow row, job::WorkContext& context);

    bool heavy() const override { return planned_; }
    std::optional<job::Pause> ask() override;
    std::optional<job::Pause> run(std::stop_token stop) override;
    std::optional<std::chrono::milliseconds> retryAfter(const Error& error) override;
    void finish(const catalog::Outcome& outcome) override;

private:
    std::optional<job::Pause> plan();
    job::Pause waitFor(const Error& away);
    void requireDestinations() const;
    bool isDestinationAway() const;
    void leaveNothing();
    bool opened() const;
    void restore(std::stop_token stop);
    void notePace(std::chrono::microseconds whole);
    void makeTenant();
    bool isQuick() const { return row_.type == catalog::RestoreType::Quick; }
    bool openData(const std::stop_token& stop);
    void prepare(const std::stop_token& stop);
    void restoreData(std::stop_token stop);
    void replayLog(std::stop_token stop);
    void becomeStandby();
    void requireStillAt(mysql::SqlClient& server) const;
    void upgrade();
    void makeDurable(const std::stop_token& stop);
    void show(catalog::RestoreTenantStatus status);
    void record(std::uint64_t finished_bytes);
    void estimate();
    catalog::Outcome settled(const catalog::Outcome& outcome);
    void removeTenant();

    const RestoreJobParts parts_;
    catalog::RestoreJobRow row_;
    job::WorkContext& context_;
    RestoreNotes notes_;
    RestorePlan plan_;
    bool planned_ = false;
    GrowingPause wait_ = job::waitingPause();
    std::optional<std::chrono::steady_clock::time_point> waits_since_;  ///< for a destination
    const unsigned concurrency_;                                        ///< workers at once; 0: all
    const Logger log_;
    job::ShownStage stage_;
    job::ProgressGate gate_;
    ExpectedPace expected_;  ///< by earlier restores here
    job::TimeLeft time_left_;
    std::optional<WriteBack> write_back_;
    std::uint64_t data_bytes_ = 0;
    std::chrono::microseconds data_time_{};
    std::chrono::microseconds log_time_{};
    mysql::GtidPosition reached_;  ///< by set and replay
    MissingRows missing_rows_;
    std::optional<catalog::RestorePace> pace_;  ///< once all of it is measured
};

}  // namespace tidemark::restore
