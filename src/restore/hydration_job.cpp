#include "restore/hydration_job.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/crash_point.h"

namespace tidemark::restore {

namespace {

constexpr std::chrono::milliseconds kShownEach{300};

}  // namespace

HydrationJob::HydrationJob(const RestoreJobParts& parts, catalog::RestoreJobRow row, job::WorkContext& context)
    : parts_(parts),
      row_(std::move(row)),
      context_(context),
      log_(makeLogger(fmt::format("restore tenant={} job={}", row_.tenant_name, row_.job_id))),
      following_(parts.capacity.parameters.follow(catalog::kSysTenantId, "restore_net_limit",
                                                  [this](std::int64_t bytes) { limit_ = bytes; })) {}

void HydrationJob::requireTenant() const {
    const auto tenant = parts_.stores.tenants.find(row_.tenant);
    if (!tenant || tenant->status == catalog::TenantStatus::Dropping)
        throw Error(ErrorCode::NotFound,
                    "tenant " + row_.tenant_name + " was dropped before all of its files were here");
}

std::optional<job::Pause> HydrationJob::run(std::stop_token) {
    try {
        requireTenant();
        return look();
    } catch (const Error&) {
        requireTenant();  // it may have gone meanwhile, and is then why
        throw;
    }
}

std::optional<job::Pause> HydrationJob::look() {
    const auto server = parts_.tenants.server(row_.tenant);
    const tenant::TenantPaths paths = server->paths();
    if (!OpenedData::isOpened(paths)) {
        // A start of the server has made the move already.
        parts_.stores.tenants.setDataMode(row_.tenant, catalog::RestoreDataMode::Normal);
        crashPoint("quick.normal");
        return std::nullopt;
    }
    OpenedData::hydrate(paths, static_cast<std::uint64_t>(limit_.load()));
    const OpenedData::State state = OpenedData::look(paths);
    // An idle server would not notice. Whoever starts it again makes the mount again.
    if (state.mount == MountState::Dead && server->running()) {
        log_->warn("what serves the files has died: mariadbd is started anew");
        server->kill();
    }
    record(state.progress);
    if (!state.complete) return job::Pause{.at_most = kShownEach, .waiting_for = state.progress.problem};
    log_->info("all files are here: mariadbd is restarted on them");
    crashPoint("quick.hydrated");
    parts_.tenants.restart(row_.tenant);
    if (OpenedData::isOpened(paths))
        return job::Pause{.at_most = move_.next(), .waiting_for = "somebody uses the files of the tenant"};
    return job::Pause{};
}

/// Files that were removed need not be fetched; what there is grows to all there was.
void HydrationJob::record(const backup_set::MountProgress& progress) {
    if (progress.pages == 0 || !row_.total_bytes) return;
    const auto share = static_cast<double>(progress.pages - std::min(progress.pages, progress.missing)) /
                       static_cast<double>(progress.pages);
    const auto bytes = static_cast<std::uint64_t>(share * static_cast<double>(*row_.total_bytes));
    const std::uint64_t finished = std::max(row_.finish_bytes, std::min(bytes, *row_.total_bytes));
    const auto left = time_left_.update(std::chrono::steady_clock::now(), static_cast<double>(finished),
                                        static_cast<double>(*row_.total_bytes), {});
    if (finished == row_.finish_bytes) return;
    row_.finish_bytes = finished;
    row_.finish_tablet_count = static_cast<std::int64_t>(share * static_cast<double>(row_.tablet_count));
    if (left) row_.left = std::chrono::duration_cast<std::chrono::milliseconds>(*left);
    parts_.stores.restores.progress(context_.claim(), row_);
}

void HydrationJob::finish(const catalog::Outcome& outcome) {
    catalog::Outcome end = outcome;
    if (end.state == catalog::Outcome::State::Completed) end.comment = row_.comment;
    parts_.stores.restores.finish(context_.claim(), row_.job_id, end);
    crashPoint("restore.end-recorded");
}

}  // namespace tidemark::restore
