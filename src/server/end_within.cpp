#include "server/end_within.h"

#include <memory>
#include <set>
#include <thread>

#include "base/mutex.h"

namespace tidemark::server {
namespace {

/// Outlives endWithin() with the threads that are still running then.
struct Running {
    Mutex mutex;
    ConditionVariable ended;
    std::set<std::string> left GUARDED_BY(mutex);
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
    {
        const MutexLock lock(running->mutex);
        for (const EndStep& step : steps)
            running->left.insert(step.what);
    }
    for (EndStep& step : steps) {
        std::thread([running, log, step = std::move(step)] {
            runStep(log, step);
            const MutexLock lock(running->mutex);
            running->left.erase(step.what);
            running->ended.notifyAll();
        }).detach();
    }
    MutexLock lock(running->mutex);
    if (running->ended.waitFor(lock, limit, [&]() REQUIRES(running->mutex) { return running->left.empty(); }))
        return true;
    for (const std::string& what : running->left) {
        log->warn(
            "the end of the {} is not waited for any longer: a destination or a database hangs; the next start "
            "goes on as after a crash",
            what);
    }
    return false;
}

}  // namespace tidemark::server
