#pragma once

#include <atomic>
#include <memory>

#include "base/growing_pause.h"
#include "job/time_left.h"
#include "restore/restore_job.h"

namespace tidemark::restore {

/// What comes after a restore with method=quick: its tenant is open, and tidemark-mount fetches what is missing of its
/// files. This looks how far that is, restarts the server when the mount has died below it, and moves the tenant to
/// plain files at the end. Goes on for as long as it takes, whatever dies meanwhile: docs/decisions/instant_restore.md.
class HydrationJob : public job::Job {
public:
    HydrationJob(const RestoreJobParts& parts, catalog::RestoreJobRow row, job::WorkContext& context);

    std::optional<job::Pause> run(std::stop_token stop) override;
    void finish(const catalog::Outcome& outcome) override;

private:
    void requireTenant() const;
    std::optional<job::Pause> look();
    void record(const backup_set::MountProgress& progress);

    const RestoreJobParts parts_;
    catalog::RestoreJobRow row_;
    job::WorkContext& context_;
    const Logger log_;
    GrowingPause move_{std::chrono::seconds(1), std::chrono::minutes(1)};
    job::TimeLeft time_left_;
    std::atomic<std::int64_t> limit_{0};  ///< restore_net_limit
    const std::unique_ptr<catalog::ParameterWatch::Following> following_;
};

}  // namespace tidemark::restore
