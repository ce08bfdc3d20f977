#pragma once

#include <thread>

#include "backup_set/mount_files.h"
#include "base/log.h"
#include "base/mutex.h"
#include "block/memory_budget.h"
#include "opened/opened_set.h"
#include "storage/bandwidth.h"

namespace tidemark::mount {

/// Makes local what is missing of a set, beside whoever reads and writes it, once it is told to; and tells how far that
/// is. Two threads, which end with it.
class Fetching {
public:
    /// The set outlives it.
    Fetching(opened::OpenedSet& set, const block::BlockReader& reader, const backup_set::MountFiles& files);

private:
    void fetch(const std::stop_token& stop);
    void tell(const std::stop_token& stop);
    void takeLimit();
    void setProblem(const std::string& problem);

    opened::OpenedSet& set_;
    const block::BlockReader& reader_;
    const backup_set::MountFiles files_;
    const Logger log_;
    block::MemoryBudget memory_;
    storage::Bandwidth bandwidth_;
    std::uint64_t limit_ = 0;  ///< of the telling thread: the one that bandwidth_ has
    Mutex mutex_;
    std::string problem_ GUARDED_BY(mutex_);
    std::jthread fetching_;
    std::jthread telling_;
};

}  // namespace tidemark::mount
