#include "restore/trial_restore.h"

#include "base/crash_point.h"
#include "base/error.h"
#include "restore/disk_room.h"
#include "restore/plan_replay.h"
#include "tenant/server_settings.h"

namespace tidemark::restore {

void TrialRestore::restoreData(storage::Storage& data, block::Lane& lane, DataRestoreProgress& progress,
                               std::stop_token stop) {
    const auto reader = backup_set::openOrRebuildBlocks(data, plan_.set, plan_.key, server_.paths().directory);
    const std::uint64_t kept = roomForTenants(roomOf(server_.paths().directory));
    restoreFiles(*reader, lane, {.directory = server_.paths().data(), .kept_free = kept}, progress, stop);
    step_ = TrialStep::Prepare;
    prepareFiles(server_.paths().data(), settings_of_(plan_.settings).memory_bytes / 2, stop,
                 plan_.set.wrong_page_count > 0 ? WrongPages::Keep : WrongPages::Refuse);
    crashPoint("validate.restored");
}

mysql::GtidPosition TrialRestore::replay(const std::stop_token& stop,
                                         const std::function<void(std::uint64_t)>& progress) {
    step_ = TrialStep::Start;
    requireStillRoom();
    server_.configure(settings_of_(plan_.settings));
    server_.start();
    crashPoint("validate.server-started");
    step_ = TrialStep::Log;
    auto reached = mysql::GtidPosition::parse(plan_.set.gtid);
    if (plan_.log.transactions > 0) {
        reached = replayPlan(plan_,
                             {.server = server_.endpoint(),
                              .error_log = server_.paths().log(),
                              .take_settings = [&](const auto& settings) { take(settings); },
                              .progress =
                                  [&](std::uint64_t bytes, const auto&) {
                                      requireStillRoom();
                                      progress(bytes);
                                  }},
                             stop)
                      .reached;
    }
    step_ = TrialStep::Restart;
    if (!server_.stop(tenant::TenantServer::kFlushLimit)) {
        throw Error(ErrorCode::Unavailable, "mariadbd did not end cleanly after the replay",
                    "restore the set into a tenant: its error log stays there");
    }
    server_.start();
    crashPoint("validate.replayed");
    return reached;
}

/// The log may make the files many times as large as those of the set.
void TrialRestore::requireStillRoom() const {
    const DiskRoom disk = roomOf(server_.paths().directory);
    requireRoom(server_.paths().directory, 0, roomForTenants(disk), "replaying the log");
}

void TrialRestore::take(const std::map<std::string, std::string>& settings) {
    auto now = settings_of_(settings).variables;
    std::erase_if(now, [](const auto& setting) { return tenant::isFixedInReplay(setting.first); });
    mysql::SqlClient sql(server_.endpoint());
    tenant::setServerSettings(sql, now);
}

}  // namespace tidemark::restore
