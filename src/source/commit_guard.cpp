#include "source/commit_guard.h"

#include <pthread.h>

#include <condition_variable>
#include <mutex>
#include <optional>

#include "source/backup_log.h"

namespace tidemark::source {

using Clock = std::chrono::steady_clock;

CommitGuard::CommitGuard(std::filesystem::path log, std::chrono::milliseconds longest, std::function<void()> end)
    : log_(std::move(log)),
      longest_(longest),
      end_(std::move(end)),
      thread_([this](const std::stop_token& stop) { watch(stop); }) {}

void CommitGuard::watch(const std::stop_token& stop) {
    pthread_setname_np(pthread_self(), "commit-guard");
    std::optional<Clock::time_point> since;
    std::mutex mutex;
    std::condition_variable_any never;
    std::unique_lock lock(mutex);
    while (!never.wait_for(lock, stop, longest_ / 20, [&] { return stop.stop_requested(); })) {
        try {
            if (!blocksCommits(log_)) {
                since.reset();
                continue;
            }
        } catch (const std::exception&) {
            // The log cannot be read just now: what held before is taken to hold still.
        }
        if (!since) since = Clock::now();
        if (Clock::now() - *since < longest_) continue;
        struck_ = true;
        return end_();
    }
}

bool CommitGuard::stop() {
    thread_.request_stop();
    if (thread_.joinable()) thread_.join();
    return struck_;
}

}  // namespace tidemark::source
