#pragma once

#include <chrono>
#include <optional>
#include <stop_token>

#include "base/log.h"
#include "base/node_key.h"
#include "catalog/stores.h"
#include "clean/cleaner.h"
#include "job/job.h"
#include "job/progress_gate.h"
#include "job/shown_stage.h"
#include "job/work_context.h"

namespace tidemark::clean {

/// What deletions work with; references outlive it.
struct DeleteParts {
    catalog::Stores& stores;
    const Clock& clock;
    const NodeKey& node_key;
    /// For so long a deletion waits for destinations that are away; then it has failed, and the next begins anew.
    std::chrono::milliseconds patience = std::chrono::minutes(1);
};

/// One tenant's deletion of sets and pieces, one after the other. What it is about was decided when it was written, and
/// is asked again right before each of them goes.
///
/// Whatever interrupts it, each set and piece is whole and offered, or gone from sight and DELETING; the rest of such a
/// one is removed by the next attempt or, when the job has failed or was cancelled, by a RestJob.
class DeleteJob : public job::Job {
public:
    /// `row` is active.
    DeleteJob(const DeleteParts& parts, catalog::DeleteJobRow row, job::WorkContext& context);

    std::optional<job::Pause> run(std::stop_token stop) override;
    void finish(const catalog::Outcome& outcome) override;

private:
    void begin();
    void doTask(catalog::DeleteTask& task, std::stop_token stop);
    bool beginTask(catalog::DeleteTask& task, Cleaner& cleaner);
    void fail(catalog::DeleteTask& task, const Error& error);
    bool isUntouched(const catalog::DeleteTask& task);
    job::Pause waitFor(const Error& away);
    std::string heldBy(const catalog::DeleteTask& task, const catalog::BackupInventory& inventory) const;

    const DeleteParts parts_;
    const catalog::DeleteJobRow row_;
    job::WorkContext& context_;
    const Logger log_;
    bool begun_ = false;
    std::vector<catalog::DeleteTask> tasks_;
    GrowingPause wait_ = job::waitingPause();
    std::optional<std::chrono::steady_clock::time_point> waits_since_;
    job::ShownStage stage_;
    job::ProgressGate gate_;
    std::optional<catalog::Outcome> failure_;  ///< of the first task that failed
    std::int64_t failed_ = 0;
};

/// Removes the rest of what an ended deletion had begun to remove. Tried again, less and less often, for ever.
class RestJob : public job::Job {
public:
    RestJob(catalog::Stores& stores, job::WorkContext& context);

    std::optional<job::Pause> run(std::stop_token stop) override;
    std::optional<std::chrono::milliseconds> retryAfter(const Error& error) override;
    void finish(const catalog::Outcome& outcome) override;

private:
    catalog::Stores& stores_;
    job::WorkContext& context_;
    const Target target_;
    const Logger log_;
};

}  // namespace tidemark::clean
