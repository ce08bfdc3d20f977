#pragma once

#include <atomic>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>

#include "base/log.h"
#include "base/mutex.h"
#include "base/node_key.h"
#include "job/capacity.h"
#include "job/job.h"
#include "job/work_context.h"
#include "tenant/standby_service.h"
#include "validate/checking.h"
#include "validate/finding.h"
#include "validate/tenant_reading.h"
#include "validate/validate_plan.h"

namespace tidemark::validate {

/// What validations work with; references outlive them.
struct ValidateJobParts {
    catalog::Stores& stores;
    tenant::StandbyService& tenants;
    job::Capacity& capacity;
    std::filesystem::path own_directory;  ///< the node's, for scratch files
    std::filesystem::path servers;        ///< below it throw-away servers are made
    /// Has the archivers that write there write what they have.
    std::function<void(const std::string&)> write_archive;
    const NodeKey& node_key;
    /// Held by the one validation of the node that has a throw-away server: their memory is in no tenant's account.
    std::shared_ptr<std::atomic_flag> restoring = std::make_shared<std::atomic_flag>();
};

/// Re-reads backup sets and the log behind them and writes down what is wrong: docs/decisions/validate.md.
///
/// Unit by unit: a set, a piece. What a unit showed is noted in one transaction with how far the job is, so a later
/// attempt goes on with the next one. A destination that goes away is waited for, however long.
class ValidateJob : public job::Job {
public:
    /// `row` is active.
    ValidateJob(const ValidateJobParts& parts, catalog::ValidateJobRow row, job::WorkContext& context);

    bool heavy() const override { return begun_ && plan_.next < plan_.units.size(); }
    std::optional<job::Pause> ask() override;
    std::optional<job::Pause> run(std::stop_token stop) override;
    void finish(const catalog::Outcome& outcome) override;

private:
    void begin();
    void countTotals();
    std::optional<job::Pause> checkNext(std::stop_token stop);
    void show(const PlannedUnit& unit, catalog::ValidateStage stage, const CheckProgress& progress);
    block::ChainKeyPtr keyOf(const backup_set::SetId& id) const;
    std::vector<Finding> check(const PlannedUnit& unit, storage::Storage& storage, CheckProgress& progress,
                               std::stop_token stop);
    void confirm(storage::Storage& storage, const std::vector<Finding>& findings) const;
    void note(const PlannedUnit& unit, const std::vector<Finding>& findings, const CheckProgress& progress);
    void showProgress(const CheckProgress& progress) EXCLUDES(showing_);
    void writeProgress(const CheckProgress& progress) REQUIRES(showing_);
    job::Pause goOnLater(const Error& error);
    void endLeftReadings();
    catalog::Outcome found();

    const ValidateJobParts parts_;
    catalog::ValidateJobRow row_;
    job::WorkContext& context_;
    const Logger log_;
    ValidatePlan plan_;
    bool begun_ = false;
    bool readings_ended_ = false;
    Mutex showing_;  ///< row_, while a unit is checked
    std::optional<TableStates> present_;
    int failures_ = 0;  ///< of the present unit, though its destination answers
    GrowingPause wait_ = job::waitingPause();
};

}  // namespace tidemark::validate
