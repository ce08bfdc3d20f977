#include "restore/ended_restores.h"

#include <pthread.h>

#include "base/crash_point.h"
#include "base/error.h"

namespace tidemark::restore {

using Steady = std::chrono::steady_clock;

EndedRestores::EndedRestores(catalog::RestoreStore& store)
    : store_(store), log_(makeLogger("restore")), thread_([this](std::stop_token stop) {
          pthread_setname_np(pthread_self(), "restore-history");
          run(std::move(stop));
      }) {}

EndedRestores::~EndedRestores() {
    thread_.request_stop();
    changed_.notify_all();
}

void EndedRestores::add(catalog::JobId job) {
    const std::lock_guard lock(mutex_);
    waiting_.push_back({job, Steady::now() + kShown});
    changed_.notify_all();
}

void EndedRestores::run(std::stop_token stop) {
    std::unique_lock lock(mutex_);
    while (changed_.wait(lock, stop, [&] { return !waiting_.empty(); })) {
        const Ended next = waiting_.front();
        changed_.wait_until(lock, stop, next.due, [] { return false; });
        if (stop.stop_requested()) return;
        lock.unlock();
        const bool moved = move(next.job);
        lock.lock();
        waiting_.pop_front();
        if (!moved) waiting_.push_back({next.job, Steady::now() + kShown});
    }
}

bool EndedRestores::move(catalog::JobId job) const {
    try {
        store_.moveToHistory(job);
        crashPoint("restore.in-history");
        return true;
    } catch (const Error& error) {
        log_->warn("job={} has ended and could not be moved to the history: {}", job, error.what());
        return false;
    }
}

}  // namespace tidemark::restore
