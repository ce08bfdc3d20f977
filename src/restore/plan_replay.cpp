#include "restore/plan_replay.h"

#include "base/random.h"
#include "restore/log_replay.h"

namespace tidemark::restore {
namespace {

mysql::GtidPosition positionOf(mysql::SqlClient& server) {
    return mysql::GtidPosition::parse(server.scalar("SELECT @@gtid_slave_pos").value_or(""));
}

}  // namespace

PlanReplayed replayPlan(const RestorePlan& plan, const PlanReplayOptions& options, const std::stop_token& stop) {
    PlanReplayed replayed{.reached = mysql::GtidPosition::parse(plan.set.gtid), .missing = {}};
    std::uint64_t bytes_before = 0;
    const auto replay_to = [&](Scn target) {
        LogReplayOptions replaying;
        replaying.server = options.server;
        replaying.start = replayed.reached;
        replaying.target = target;
        replaying.primary_server_id = randomU32() | 1;
        replaying.error_log = options.error_log;
        LogReplay replay(*plan.reader, replaying);
        mysql::SqlClient watcher(options.server);
        replay.run(stop, [&](const ReplayProgress& progress) {
            options.progress(bytes_before + progress.bytes, [&] { return positionOf(watcher); });
        });
        bytes_before += plan.reader->extent(plan.round, replaying.start, target).bytes;
        for (const auto& [table, rows] : replay.missingRows())
            replayed.missing[table] += rows;
        replayed.reached = positionOf(watcher);
    };
    for (const auto& change : plan.changes) {
        if (change.after > plan.set.min_restore_scn) replay_to(change.after);
        options.take_settings(change.settings);
    }
    replay_to(plan.target);
    return replayed;
}

}  // namespace tidemark::restore
