#pragma once

#include <functional>
#include <memory>
#include <string>

#include "job/job.h"
#include "job/work_context.h"

namespace tidemark::job {

/// A kind of work: how its records become jobs.
struct WorkKind {
    std::string name;
    /// The job of a record. May ask the catalog; throws NotFound if the kind's own row is gone, which ends the record.
    /// What else it throws is logged, and it is asked again.
    std::function<std::unique_ptr<Job>(WorkContext& context)> make;
    /// Whether this node may do it (it has the tenant's replica, say).
    std::function<bool(const catalog::WorkRow& row)> here = [](const catalog::WorkRow&) { return true; };
    /// How often it may be begun: what a dead daemon left behind is begun again, in a new attempt, or has failed.
    int attempts = 1;
    /// Why it has failed then.
    std::string interrupted = "the daemon ended while it ran";
    std::string hint = "start it again";
};

}  // namespace tidemark::job
