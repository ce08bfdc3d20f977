#pragma once

#include <condition_variable>
#include <mutex>
#include <set>
#include <string>

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
    std::mutex mutex_;
    std::condition_variable released_;
    std::set<std::string> changing_;  // guarded by mutex_; lower-case names
};

}  // namespace tidemark::tenant
