#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <thread>

#include "source/stage_log.h"

namespace tidemark::source {

struct StageLimits {
    std::chrono::milliseconds beginning{60'000};  ///< as long as a copy may wait for LOCK TABLES and DDL to end
    std::chrono::milliseconds commits{10'000};    ///< as long as commits may be held up
    std::chrono::milliseconds stalled{60'000};    ///< as long as DDL may be held up while no byte of the copy arrives
};

/// Watches a running mariadb-backup by its log. Before it begins it waits for sessions with LOCK TABLES and for DDL,
/// and new DDL waits behind it. Towards its end it holds up DDL and writes to MyISAM and Aria tables while it copies
/// what such tables there are, and then every commit while it copies the rest of the logs: the latter for milliseconds
/// normally, but both for as long as it takes if what it writes to takes no more. When that is too long, it has to end:
/// its connection closes, and the tenant goes on.
class StageGuard {
public:
    /// Calls `end` once, on a thread of its own, when a limit is reached. `arrived` counts the bytes of the copy.
    StageGuard(const std::filesystem::path& log, const StageLimits& limits, const std::atomic<std::uint64_t>& arrived,
               std::function<void()> end);
    ~StageGuard() { stop(); }
    StageGuard(const StageGuard&) = delete;
    StageGuard& operator=(const StageGuard&) = delete;

    /// Whether DDL or commits are held up at this moment. Any thread.
    bool holdsUp() const { return holds_up_; }
    /// Ends the watch. Returns in which stage `end` was called; Stage::Harmless if it was not.
    Stage stop();

private:
    void watch(const std::stop_token& stop);

    StageLog log_;
    const StageLimits limits_;
    const std::atomic<std::uint64_t>& arrived_;
    const std::function<void()> end_;
    std::atomic<bool> holds_up_ = false;
    Stage struck_ = Stage::Harmless;  ///< the thread's, until it is joined
    std::jthread thread_;             // the last member: it uses the others
};

}  // namespace tidemark::source
