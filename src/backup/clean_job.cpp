#include "backup/clean_job.h"

#include <fmt/format.h>

#include <algorithm>

#include "backup/finished_set.h"
#include "storage/destination.h"

namespace tidemark::backup {

using std::chrono::milliseconds;

CleanJob::CleanJob(catalog::Stores& stores, job::WorkContext& context)
    : stores_(stores),
      context_(context),
      leftovers_(Leftovers::from(context.progress())),
      log_(makeLogger(fmt::format("clean tenant={} set={}", context.key().tenant, leftovers_.backup_set_id))) {}

std::optional<job::Pause> CleanJob::run(std::stop_token) {
    clean();
    return std::nullopt;
}

void CleanJob::clean() {
    // The tenant may be gone by now; that it is its destination is what the marker says.
    const storage::Destination destination = storage::readDestination(leftovers_.path);
    const storage::DestinationIdentity& owner = destination.marker.identity;
    const catalog::Cluster cluster = stores_.cluster.cluster();
    if (owner.cluster_id != static_cast<std::uint64_t>(cluster.id) ||
        owner.tenant_id != static_cast<std::uint64_t>(context_.key().tenant)) {
        log_->warn("{} belongs to tenant {} of cluster {} by now; nothing is removed there", leftovers_.path,
                   owner.tenant_name, owner.cluster_name);
        return;
    }
    const auto number = static_cast<std::uint32_t>(leftovers_.backup_set_id);
    if (const auto id = backup_set::findComplete(*destination.storage, number)) {
        adopt(*destination.storage, *id);
        backup_set::removeOtherTurns(*destination.storage, backup_set::readBackupSet(*destination.storage, *id));
        log_->info("only the complete copy is left");
    } else {
        backup_set::removeUnfinishedSet(*destination.storage, number);
        log_->info("removed what was left of it");
    }
}

void CleanJob::adopt(storage::Storage& storage, backup_set::SetId id) {
    const auto known = stores_.backups.set(context_.key().tenant, leftovers_.backup_set_id);
    if (!known || known->status != catalog::BackupSetStatus::Failed) return;
    try {
        stores_.backups.adopt(context_.claim(), finishedSet(storage, context_.key().tenant, id).value());
        log_->info("it is whole, and a success");
    } catch (const Error& error) {
        if (error.code() != ErrorCode::Corrupt && error.code() != ErrorCode::NotFound) throw;
        log_->warn("it is complete, but cannot be restored, and stays a failure: {}", error.what());
    }
}

/// Whatever it was, the destination may be another one tomorrow: it is mounted again, writable, has its marker.
std::optional<milliseconds> CleanJob::retryAfter(const Error&) {
    constexpr milliseconds kFirst{1000};
    constexpr milliseconds kLongest{600'000};
    const int doublings = std::min(context_.attempt() - 1, 16);
    return std::min(kFirst * (1 << doublings), kLongest);
}

void CleanJob::finish(const catalog::Outcome&) {
    stores_.work.end(context_.claim());
}

}  // namespace tidemark::backup
