#pragma once

#include <functional>
#include <stop_token>

#include "block/worker_pool.h"
#include "restore/data_restore.h"
#include "restore/restore_plan.h"
#include "tenant/throwaway_server.h"

namespace tidemark::restore {

/// What a trial is at, in this order: a failure says something else in each.
enum class TrialStep {
    Files,    ///< of the set are written
    Prepare,  ///< their redo log is applied
    Start,    ///< the server starts on them
    Log,      ///< the log is replayed
    Restart,  ///< all of it goes into the files, and the server starts again
};

/// Restores a plan as a RestoreJob does, with the same steps, into a server that is no tenant's. It leaves
/// roomForTenants() of the file system free, before it begins and while the log makes files grow.
class TrialRestore {
public:
    /// What a server that replays is started with if its source had these settings (carried_settings.h).
    using SettingsOf = std::function<tenant::TenantSettings(const std::map<std::string, std::string>&)>;

    /// References outlive it.
    TrialRestore(const RestorePlan& plan, tenant::TenantServer& server, SettingsOf settings_of)
        : plan_(plan), server_(server), settings_of_(std::move(settings_of)) {}

    /// The files, and the redo log that was copied with them. `data`: the plan's, perhaps throttled. Throws as
    /// restoreFiles() and prepareFiles() do.
    void restoreData(storage::Storage& data, block::Lane& lane, DataRestoreProgress& progress, std::stop_token stop);
    /// Starts the server and replays the log, if the plan has any. Then everything is in the files, as after a clean
    /// shutdown, and the server runs: whatever ends it later, another start has all of it again. Returns the position
    /// that it has reached. `progress` is told the bytes of the log. Throws as replayPlan() and TenantServer do, and
    /// NoSpace.
    mysql::GtidPosition replay(const std::stop_token& stop, const std::function<void(std::uint64_t)>& progress);

    TrialStep step() const { return step_; }

private:
    void requireStillRoom() const;
    void take(const std::map<std::string, std::string>& settings);

    const RestorePlan& plan_;
    tenant::TenantServer& server_;
    const SettingsOf settings_of_;
    TrialStep step_ = TrialStep::Files;
};

}  // namespace tidemark::restore
