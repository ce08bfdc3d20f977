#pragma once

#include <stop_token>
#include <string>

#include "catalog/types.h"

namespace tidemark::job {

/// Which job; also how it is cancelled.
struct JobKey {
    std::string kind;  ///< "backup", "restore", …
    catalog::TenantId tenant = 0;
    catalog::JobId id = 0;

    auto operator<=>(const JobKey&) const = default;
};

/// A piece of work with a row in the catalog. Its kind writes that row; JobRunner only runs it.
class Job {
public:
    virtual ~Job() = default;

    /// Does the work, on a thread of its own. Throws Error for a failure, Error(Cancelled) once it has seen the stop.
    /// May block only in ways that end soon after `stop` is requested.
    virtual void run(std::stop_token stop) = 0;

    /// Records the end in the catalog, on the same thread after run(). Called again, until it returns, when it throws
    /// Unavailable. Not called when the runner itself is shut down while run() is busy: the row then stays as it is and
    /// the kind deals with it at the next start, as after a crash.
    virtual void finish(const catalog::Outcome& outcome) = 0;
};

}  // namespace tidemark::job
