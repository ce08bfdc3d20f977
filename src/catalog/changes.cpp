#include "catalog/changes.h"

#include <utility>

#include "base/mutex.h"

namespace tidemark::catalog {

void Changes::add(const std::vector<Change>& changes) {
    if (changes.empty()) return;
    const MutexLock lock(mutex_);
    for (const Change& change : changes) {
        const auto [place, fresh] = pending_.emplace(change.tenant, change.topic);
        if (!fresh) place->second = place->second | change.topic;
        ++counts_[change.tenant];
    }
    changed_.notifyAll();
}

std::map<TenantId, Topic> Changes::take(std::stop_token stop, std::chrono::nanoseconds limit) {
    MutexLock lock(mutex_);
    changed_.waitFor(lock, stop, limit, [&]() REQUIRES(mutex_) { return !pending_.empty(); });
    return std::exchange(pending_, {});
}

std::uint64_t Changes::count(TenantId tenant) const {
    const MutexLock lock(mutex_);
    const auto found = counts_.find(tenant);
    return found == counts_.end() ? 0 : found->second;
}

}  // namespace tidemark::catalog
