#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>

#include "base/mutex.h"

namespace tidemark::front {

/// All sessions of the front: how many there are, which tenant each belongs to, and the number that its client knows it
/// by, which the tenant does not know (the greeting comes before the tenant is chosen). Thread-safe; not used while
/// bytes pass.
class SessionRegistry {
public:
    /// Ids that clients see start here: far above what a mariadbd hands out, and positive as a signed 32-bit number.
    static constexpr std::uint32_t kFirstId = 0x40000000;
    static constexpr std::uint32_t kLastId = 0x7fffffff;

    enum class End { WhenIdle, AtOnce };
    /// Asks a session to end; any thread may call it.
    using Ender = std::function<void(End)>;

    explicit SessionRegistry(std::uint32_t max_sessions) : max_sessions_(max_sessions) {}

    /// The new session's id, or nullopt if there are too many or the front is closing.
    std::optional<std::uint32_t> enter();
    /// False if the front is closing: the session must not begin.
    bool setEnder(std::uint32_t id, Ender ender);
    void leave(std::uint32_t id);

    /// False if the tenant has `max_sessions` already (0: no limit).
    bool joinTenant(std::uint32_t id, const std::string& tenant, std::uint32_t max_sessions);
    void setTenantThread(std::uint32_t id, std::uint32_t thread_id);
    /// The id under which the tenant knows session `id`; nullopt unless it is a session of the same tenant.
    std::optional<std::uint32_t> tenantThread(std::uint32_t id, const std::string& tenant) const;

    /// Lets nobody enter any more and asks everybody to end.
    void close(End how);
    bool closed() const;
    bool waitEmpty(std::chrono::milliseconds limit);

    std::uint64_t now() const;
    std::uint64_t total() const;

private:
    struct Entry {
        std::string tenant;
        std::uint32_t thread_id = 0;
        Ender ender;
    };

    const std::uint32_t max_sessions_;
    mutable Mutex mutex_;
    ConditionVariable left_;
    std::map<std::uint32_t, Entry> entries_ GUARDED_BY(mutex_);
    std::map<std::string, std::uint32_t> per_tenant_ GUARDED_BY(mutex_);
    std::uint32_t last_id_ GUARDED_BY(mutex_) = kFirstId;
    std::uint64_t total_ GUARDED_BY(mutex_) = 0;
    bool closed_ GUARDED_BY(mutex_) = false;
};

}  // namespace tidemark::front
