#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "block/worker_pool.h"
#include "catalog/parameter_watch.h"
#include "storage/bandwidth.h"

namespace tidemark::job {

/// What the jobs of a node share so that together they take no more than the node can give: workers, memory, and the
/// bandwidths that are limited. One per node. Thread-safe.
struct Capacity {
    /// threads: see WorkerPool; look_interval: see ParameterWatch.
    explicit Capacity(catalog::ParameterStore& store, unsigned threads = 0,
                      std::chrono::milliseconds look_interval = std::chrono::seconds(1))
        : workers(threads), parameters(store, look_interval) {}

    block::WorkerPool workers;
    storage::Bandwidth tenant_reading;       ///< bytes of tenants' files: backup_io_limit
    storage::Bandwidth destination_writing;  ///< bytes of backup sets: backup_net_limit
    storage::Bandwidth destination_reading;  ///< the same, back: restore_net_limit
    /// Of restored files, in the page cache and perhaps not on the disk yet: they share what of them memory may hold.
    std::atomic<std::uint64_t> unsynced_bytes{0};
    catalog::ParameterWatch parameters;
};

/// One job's part of them, which follows the parameters while the job works.
class Share {
public:
    struct Options {
        catalog::TenantId tenant;
        std::string score;          ///< the tenant's parameter that is its weight…
        unsigned built_in_score;    ///< …unless that is 0
        unsigned most_workers = 0;  ///< at once; 0: all
    };
    /// Throws what the catalog throws.
    Share(Capacity& capacity, const Options& options);

    block::Lane& lane() { return lane_; }

private:
    block::Lane lane_;
    std::vector<std::unique_ptr<catalog::ParameterWatch::Following>> followings_;  // they use the lane
};

/// OceanBase's scores of low and high priority, where backups and restores belong.
Share::Options backupShare(catalog::TenantId tenant);
/// `concurrency` is that of RESTORE.
Share::Options restoreShare(catalog::TenantId tenant, unsigned concurrency);

}  // namespace tidemark::job
