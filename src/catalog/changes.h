#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <stop_token>
#include <vector>

#include "base/mutex.h"
#include "catalog/types.h"

namespace tidemark::catalog {

/// What a change touches; a copy of the catalog needs to look at these rows only. Bits.
enum class Topic : std::uint32_t {
    Tenant = 1,     ///< tenant row, units, pools
    Parameter = 2,  ///< parameters and destinations
    Archive = 4,    ///< rounds and pieces
    Backup = 8,     ///< jobs, tasks, sets
    Restore = 16,   ///< restore jobs
    Cluster = 32,   ///< zones, servers, cluster parameters: everybody's
    Covered = 64,   ///< up to when an idle tenant's archive is complete: that alone moves while nothing happens
    // Of what is in the making only: a row of history, however many there are, is not looked at.
    ArchiveProgress = 128,  ///< the open round and piece
    BackupProgress = 256,   ///< running jobs and tasks, and their sets
    Validate = 512,         ///< validations and what they found
    ValidateProgress = 1024,
    Everything = 2047
};

constexpr Topic operator|(Topic a, Topic b) {
    return static_cast<Topic>(static_cast<std::uint32_t>(a) | static_cast<std::uint32_t>(b));
}
constexpr bool contains(Topic set, Topic topic) {
    return (static_cast<std::uint32_t>(set) & static_cast<std::uint32_t>(topic)) != 0;
}

/// Says that rows of a tenant have changed.
struct Change {
    TenantId tenant = kSysTenantId;
    Topic topic = Topic::Everything;
};

/// Who changed since last asked, so that copies of the catalog follow it without polling. Filled by Catalog after each
/// commit; one consumer takes. Thread-safe. Lives in this process only: it carries no more than "look again", so a
/// change lost with the process costs nothing that a first look at start does not repair.
class Changes {
public:
    void add(const std::vector<Change>& changes);

    /// Waits until something changed, the limit passed or stop was requested, and hands over what gathered, one entry
    /// per tenant. A Cluster topic comes under kSysTenantId and concerns everybody.
    std::map<TenantId, Topic> take(std::stop_token stop, std::chrono::nanoseconds limit);

    /// How many changes were ever reported of this tenant.
    std::uint64_t count(TenantId tenant) const;

private:
    mutable Mutex mutex_;
    ConditionVariable changed_;
    std::map<TenantId, Topic> pending_ GUARDED_BY(mutex_);
    std::map<TenantId, std::uint64_t> counts_ GUARDED_BY(mutex_);
};

}  // namespace tidemark::catalog
