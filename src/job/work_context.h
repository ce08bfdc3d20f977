#pragma once

#include <atomic>
#include <functional>
#include <stop_token>
#include <string>
#include <utility>

#include "catalog/work_store.h"
#include "job/job.h"

namespace tidemark::job {

/// What a job knows of its record of work. It outlives the job. Thread-safe.
class WorkContext {
public:
    WorkContext(catalog::WorkStore& store, catalog::WorkRow row, std::function<void()> wake, std::stop_token stop = {})
        : store_(store), row_(std::move(row)), claim_(row_.claim()), wake_(std::move(wake)), stop_(std::move(stop)) {}
    WorkContext(const WorkContext&) = delete;
    WorkContext& operator=(const WorkContext&) = delete;

    JobKey key() const { return {.kind = row_.kind, .tenant = row_.tenant, .id = row_.job_id}; }
    /// For every write of the job to the catalog.
    const catalog::WorkClaim& claim() const { return claim_; }
    /// 1 for the first.
    int attempt() const { return row_.attempt; }
    /// What the attempts before have noted; empty if nothing.
    const std::string& progress() const { return row_.progress; }
    /// Durable when it returns. Throws Conflict if the work is lost.
    void saveProgress(const std::string& json) { store_.setProgress(claim_, json); }

    /// To be called whenever something went on: a heavy step that does not move for some seconds (a mount that hangs)
    /// lends its slot to others until it moves again.
    void moved() { moves_.fetch_add(1, std::memory_order_relaxed); }
    std::uint64_t moves() const { return moves_.load(std::memory_order_relaxed); }

    /// The job is to end: the same as what run() is given, for what is waited for elsewhere.
    const std::stop_token& stop() const { return stop_; }

    /// Ends the job's pause, or the next one if it has none now.
    void wake() { wake_(); }

private:
    catalog::WorkStore& store_;
    const catalog::WorkRow row_;
    const catalog::WorkClaim claim_;
    const std::function<void()> wake_;
    const std::stop_token stop_;
    std::atomic<std::uint64_t> moves_{0};
};

}  // namespace tidemark::job
