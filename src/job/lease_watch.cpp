#include "job/lease_watch.h"

namespace tidemark::job {

void LeaseWatch::see(const std::vector<catalog::WorkRow>& rows, Time now) {
    std::map<std::int64_t, Sign> present;
    for (const catalog::WorkRow& row : rows) {
        const auto known = signs_.find(row.work_id);
        const bool silent =
            known != signs_.end() && known->second.epoch == row.epoch && known->second.renewals == row.renewals;
        present[row.work_id] = silent ? known->second : Sign{row.epoch, row.renewals, now};
    }
    signs_ = std::move(present);
}

std::chrono::steady_clock::duration LeaseWatch::silence(const catalog::WorkRow& row, Time now) const {
    const auto known = signs_.find(row.work_id);
    return known == signs_.end() ? std::chrono::steady_clock::duration::zero() : now - known->second.since;
}

}  // namespace tidemark::job
