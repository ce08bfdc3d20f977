#include "front/session_registry.h"

#include <vector>

namespace tidemark::front {

std::optional<std::uint32_t> SessionRegistry::enter() {
    const MutexLock lock(mutex_);
    if (closed_ || entries_.size() >= max_sessions_) return std::nullopt;
    do {
        last_id_ = last_id_ == kLastId ? kFirstId : last_id_ + 1;
    } while (entries_.contains(last_id_));
    entries_[last_id_] = {};
    ++total_;
    return last_id_;
}

bool SessionRegistry::setEnder(std::uint32_t id, Ender ender) {
    const MutexLock lock(mutex_);
    entries_.at(id).ender = std::move(ender);
    return !closed_;
}

void SessionRegistry::leave(std::uint32_t id) {
    const MutexLock lock(mutex_);
    const auto entry = entries_.find(id);
    if (entry == entries_.end()) return;
    if (const auto count = per_tenant_.find(entry->second.tenant); count != per_tenant_.end() && --count->second == 0) {
        per_tenant_.erase(count);
    }
    entries_.erase(entry);
    left_.notifyAll();
}

bool SessionRegistry::joinTenant(std::uint32_t id, const std::string& tenant, std::uint32_t max_sessions) {
    const MutexLock lock(mutex_);
    const auto count = per_tenant_.find(tenant);
    if (max_sessions > 0 && count != per_tenant_.end() && count->second >= max_sessions) return false;
    ++per_tenant_[tenant];
    entries_.at(id).tenant = tenant;
    return true;
}

void SessionRegistry::setTenantThread(std::uint32_t id, std::uint32_t thread_id) {
    const MutexLock lock(mutex_);
    entries_.at(id).thread_id = thread_id;
}

std::optional<std::uint32_t> SessionRegistry::tenantThread(std::uint32_t id, const std::string& tenant) const {
    const MutexLock lock(mutex_);
    const auto entry = entries_.find(id);
    if (entry == entries_.end() || entry->second.tenant != tenant || entry->second.thread_id == 0) return std::nullopt;
    return entry->second.thread_id;
}

void SessionRegistry::close(End how) {
    std::vector<Ender> enders;
    {
        const MutexLock lock(mutex_);
        closed_ = true;
        for (const auto& [id, entry] : entries_) {
            if (entry.ender) enders.push_back(entry.ender);
        }
    }
    for (const Ender& ender : enders)
        ender(how);
}

bool SessionRegistry::closed() const {
    const MutexLock lock(mutex_);
    return closed_;
}

bool SessionRegistry::waitEmpty(std::chrono::milliseconds limit) {
    MutexLock lock(mutex_);
    return left_.waitFor(lock, limit, [&]() REQUIRES(mutex_) { return entries_.empty(); });
}

std::uint64_t SessionRegistry::now() const {
    const MutexLock lock(mutex_);
    return entries_.size();
}

std::uint64_t SessionRegistry::total() const {
    const MutexLock lock(mutex_);
    return total_;
}

}  // namespace tidemark::front
