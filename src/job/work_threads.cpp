#include "job/work_threads.h"

#include <pthread.h>

#include "base/mutex.h"

namespace tidemark::job {

bool WorkThreads::run(std::function<void()> task) {
    const MutexLock lock(mutex_);
    // What has ended has let go of the mutex for good.
    for (std::thread& thread : ended_)
        thread.join();
    ended_.clear();
    const bool idle = tasks_.size() < idle_;
    if (stopped_ || (!idle && threads_.size() >= most_)) return false;
    tasks_.push_back(std::move(task));
    if (idle) {
        changed_.notifyAll();
    } else {
        const auto self = threads_.emplace(threads_.end());
        *self = std::thread([this, self] { work(self); });
    }
    return true;
}

void WorkThreads::stop() {
    MutexLock lock(mutex_);
    stopped_ = true;
    changed_.notifyAll();
    changed_.wait(lock, [&]() REQUIRES(mutex_) { return threads_.empty(); });
    for (std::thread& thread : ended_)
        thread.join();
    ended_.clear();
}

void WorkThreads::work(Threads::iterator self) {
    MutexLock lock(mutex_);
    for (;;) {
        ++idle_;
        changed_.waitFor(lock, idle_limit_, [&]() REQUIRES(mutex_) { return !tasks_.empty() || stopped_; });
        --idle_;
        if (tasks_.empty()) break;
        auto task = std::move(tasks_.front());
        tasks_.pop_front();
        lock.unlock();
        task();
        task = nullptr;
        pthread_setname_np(pthread_self(), "job-idle");
        lock.lock();
    }
    ended_.splice(ended_.end(), threads_, self);
    changed_.notifyAll();
}

}  // namespace tidemark::job
