#include "tenant/tenant_turns.h"

#include "base/letters.h"

namespace tidemark::tenant {

TenantTurns::Turn::Turn(TenantTurns& turns, std::string name) : turns_(turns), name_(std::move(name)) {
    MutexLock lock(turns_.mutex_);
    turns_.released_.wait(lock, [&]() REQUIRES(turns_.mutex_) { return !turns_.changing_.contains(name_); });
    turns_.changing_.insert(name_);
}

TenantTurns::Turn::~Turn() {
    {
        const MutexLock lock(turns_.mutex_);
        turns_.changing_.erase(name_);
    }
    turns_.released_.notifyAll();
}

TenantTurns::Turn TenantTurns::take(const std::string& name) {
    return {*this, lowerCase(name)};
}

}  // namespace tidemark::tenant
