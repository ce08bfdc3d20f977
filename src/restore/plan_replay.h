#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <stop_token>
#include <string>

#include "mysql/sql_client.h"
#include "restore/memory_rows.h"
#include "restore/restore_plan.h"

namespace tidemark::restore {

struct PlanReplayOptions {
    mysql::Endpoint server;           ///< as LogReplay wants it
    std::filesystem::path error_log;  ///< the server's
    /// The settings change as the source's did.
    std::function<void(const std::map<std::string, std::string>&)> take_settings;
    /// A few times a second: bytes of the log sent so far; and how far the server is, if that is asked for.
    std::function<void(std::uint64_t, const std::function<mysql::GtidPosition()>&)> progress;
};

struct PlanReplayed {
    mysql::GtidPosition reached;
    MissingRows missing;
};

/// Replays the log of a plan into the server that the plan's set was restored into, in steps between which the settings
/// change. Throws as LogReplay::run() does.
PlanReplayed replayPlan(const RestorePlan& plan, const PlanReplayOptions& options, const std::stop_token& stop);

}  // namespace tidemark::restore
