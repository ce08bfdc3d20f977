#pragma once

#include <chrono>
#include <map>
#include <vector>

#include "catalog/work_store.h"

namespace tidemark::job {

/// Knows for how long a foreign owner has given no sign of life, by this node's own monotonic clock: sys's clock alone
/// may jump, or differ from the one by which the lease was written. Not thread-safe.
class LeaseWatch {
public:
    using Time = std::chrono::steady_clock::time_point;

    /// All records of others, as they are at `now`; those that are gone are forgotten.
    void see(const std::vector<catalog::WorkRow>& rows, Time now);
    /// How long nothing has happened to this record, as far as was seen.
    std::chrono::steady_clock::duration silence(const catalog::WorkRow& row, Time now) const;

private:
    struct Sign {
        std::uint64_t epoch = 0;
        std::uint64_t renewals = 0;
        Time since;
    };

    std::map<std::int64_t, Sign> signs_;  // by work_id
};

}  // namespace tidemark::job
