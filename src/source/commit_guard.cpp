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
        if (!blocksCommits(log_)) {
            since.reset();
        } else if (!since) {
            since = Clock::now();
        } else if (Clock::now() - *since >= longest_) {
            struck_ = true;
            return end_();
        }
    }
}

}  // namespace tidemark::source
