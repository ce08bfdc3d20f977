#include "source/stage_guard.h"

#include <pthread.h>

#include <algorithm>

#include "base/stop_sleep.h"

namespace tidemark::source {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds kLongestPause{50};

StageGuard::StageGuard(const std::filesystem::path& log, const StageLimits& limits,
                       const std::atomic<std::uint64_t>& arrived, std::function<void()> end)
    : log_(log), limits_(limits), arrived_(arrived), end_(std::move(end)), thread_([this](const std::stop_token& stop) {
          watch(stop);
      }) {}

void StageGuard::watch(const std::stop_token& stop) {
    pthread_setname_np(pthread_self(), "stage-guard");
    // Often enough that a bandwidth that is limited holds up nobody's commits for long: see holdsUp.
    const auto pause = std::min({limits_.beginning / 20, limits_.commits / 20, limits_.stalled / 20, kLongestPause});
    Stage stage = Stage::Harmless;
    std::uint64_t arrived = 0;
    Clock::time_point entered, moved;
    while (sleepFor(stop, pause)) {
        const auto now = Clock::now();
        if (const Stage next = log_.update(); next != stage) {
            stage = next;
            holds_up_ = stage == Stage::HoldsDdl || stage == Stage::HoldsCommits;
            entered = moved = now;
        }
        if (const std::uint64_t bytes = arrived_; bytes != arrived) {
            arrived = bytes;
            moved = now;
        }
        const bool begins = stage == Stage::WaitsToBegin && now - entered >= limits_.beginning;
        const bool commits = stage == Stage::HoldsCommits && now - entered >= limits_.commits;
        const bool stalled = stage == Stage::HoldsDdl && now - moved >= limits_.stalled;
        if (!begins && !commits && !stalled) continue;
        struck_ = stage;
        return end_();
    }
}

Stage StageGuard::stop() {
    thread_.request_stop();
    if (thread_.joinable()) thread_.join();
    return struck_;
}

}  // namespace tidemark::source
