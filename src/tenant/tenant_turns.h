#pragma once

#include <set>
#include <string>

#include "base/mutex.h"

namespace tidemark::tenant {

/// Who changes the tenant of a name: one at a time, the next waits. Other names are not concerned. Thread-safe.
class TenantTurns {
public:
    /// Held while a call changes the tenant.
    class Turn {
    public:
        Turn(TenantTurns& turns, std::string name);
        ~Turn();
        Turn(const Turn&) = delete;
        Turn& operator=(const Turn&) = delete;

    private:
        TenantTurns& turns_;
        const std::string name_;
    };

    /// Waits until nobody else changes the tenant of that name, in any case.
    Turn take(const std::string& name);

private:
    Mutex mutex_;
    ConditionVariable released_;
    std::set<std::string> changing_ GUARDED_BY(mutex_);  // lower-case names
};

}  // namespace tidemark::tenant
