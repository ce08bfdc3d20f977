#pragma once

#include <filesystem>
#include <memory>

#include "base/log.h"
#include "base/node_key.h"
#include "job/capacity.h"
#include "job/job.h"
#include "job/work_context.h"
#include "validate/checking.h"
#include "validate/finding.h"
#include "validate/validate_plan.h"

namespace tidemark::validate {

/// What validations work with; references outlive them.
struct ValidateJobParts {
    catalog::Stores& stores;
    job::Capacity& capacity;
    std::filesystem::path own_directory;  ///< the node's, for scratch files
    const NodeKey& node_key;
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
    void checkNext(std::stop_token stop);
    block::ChainKeyPtr keyOf(const backup_set::SetId& id) const;
    std::vector<Finding> check(const PlannedUnit& unit, storage::Storage& storage, CheckProgress& progress,
                               std::stop_token stop);
    void confirm(storage::Storage& storage, const std::vector<Finding>& findings) const;
    void note(const PlannedUnit& unit, const std::vector<Finding>& findings, const CheckProgress& progress);
    void showProgress(const CheckProgress& progress);
    job::Pause goOnLater(const Error& error);
    catalog::Outcome found();

    const ValidateJobParts parts_;
    catalog::ValidateJobRow row_;
    job::WorkContext& context_;
    const Logger log_;
    ValidatePlan plan_;
    bool begun_ = false;
    int failures_ = 0;  ///< of the present unit, though its destination answers
    GrowingPause wait_ = job::waitingPause();
};

}  // namespace tidemark::validate
