#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <thread>

namespace tidemark::source {

/// Watches a running mariadb-backup by its log. In its last stage, BLOCK_COMMIT, it holds up every commit of the server
/// while it copies the rest of the logs; normally for milliseconds, but for as long as it takes if what it writes to
/// takes no more. Then it has to end: its connection closes, and commits go on.
class CommitGuard {
public:
    /// Calls `end` once, on a thread of its own, when commits have been held up for `longest`.
    CommitGuard(std::filesystem::path log, std::chrono::milliseconds longest, std::function<void()> end);
    ~CommitGuard() { stop(); }
    CommitGuard(const CommitGuard&) = delete;
    CommitGuard& operator=(const CommitGuard&) = delete;

    /// Ends the watch. Returns whether `end` was called.
    bool stop();

private:
    void watch(const std::stop_token& stop);

    const std::filesystem::path log_;
    const std::chrono::milliseconds longest_;
    const std::function<void()> end_;
    bool struck_ = false;  ///< the thread's, until it is joined
    std::jthread thread_;  // the last member: it uses the others
};

}  // namespace tidemark::source
