#pragma once

#include "base/crash_point.h"
#include "base/log.h"
#include "catalog/delete_store.h"
#include "job/job.h"
#include "job/work_context.h"

namespace tidemark::clean {

/// A tenant's schedule: each run begins a deletion of what is obsolete, if there is anything, and leaves a record for the
/// next. What is not begun now (another deletion runs) is begun then.
class PolicyJob : public job::Job {
public:
    struct Parts {
        catalog::DeleteStore& store;
        std::function<void(const catalog::DeletePolicy&)> begin;
        std::function<std::chrono::milliseconds()> interval;
    };
    PolicyJob(Parts parts, job::WorkContext& context)
        : parts_(std::move(parts)), context_(context), log_(makeLogger("clean")) {}

    std::optional<job::Pause> run(std::stop_token) override {
        const auto policy = parts_.store.policy(context_.key().tenant);
        if (!policy) return std::nullopt;
        try {
            parts_.begin(*policy);
        } catch (const Error& error) {
            log_->warn("tenant={} the policy could not be followed now: {}", policy->tenant, error.what());
        }
        return std::nullopt;
    }

    void finish(const catalog::Outcome&) override {
        parts_.store.policyRan(context_.claim(), context_.key().tenant, parts_.interval());
        crashPoint("clean.policy-ran");
    }

private:
    const Parts parts_;
    job::WorkContext& context_;
    const Logger log_;
};

}  // namespace tidemark::clean
