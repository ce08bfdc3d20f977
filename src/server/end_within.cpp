#include "server/end_within.h"

#include <condition_variable>
#include <memory>
#include <mutex>
#include <set>
#include <thread>

namespace tidemark::server {
namespace {

/// Outlives endWithin() with the threads that are still running then.
struct Running {
    std::mutex mutex;
    std::condition_variable ended;
    std::set<std::string> left;  // guarded by mutex
};

void runStep(const Logger& log, const EndStep& step) {
    try {
        step.run();
    } catch (const std::exception& failure) {
        log->error("the end of {} failed: {}", step.what, failure.what());
    }
}

}  // namespace

bool endWithin(const Logger& log, std::vector<EndStep> steps, std::chrono::milliseconds limit) {
    const auto running = std::make_shared<Running>();
    for (const EndStep& step : steps)
        running->left.insert(step.what);
    for (EndStep& step : steps) {
        std::thread([running, log, step = std::move(step)] {
            runStep(log, step);
            const std::lock_guard lock(running->mutex);
            running->left.erase(step.what);
            running->ended.notify_all();
        }).detach();
    }
    std::unique_lock lock(running->mutex);
    if (running->ended.wait_for(lock, limit, [&] { return running->left.empty(); })) return true;
    for (const std::string& what : running->left) {
        log->warn(
            "the end of the {} is not waited for any longer: a destination or a database hangs; the next start "
            "goes on as after a crash",
            what);
    }
    return false;
}

}  // namespace tidemark::server
