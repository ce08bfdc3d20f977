#include "block/worker_pool.h"

#include <pthread.h>

#include <algorithm>
#include <ctime>

namespace tidemark::block {
namespace {

unsigned threadCount(unsigned wanted) {
    return std::clamp(wanted != 0 ? wanted : std::thread::hardware_concurrency(), 1U, WorkerPool::kMostThreads);
}

}  // namespace

double WorkerPool::cpuNanoseconds() {
    timespec time{};
    ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return static_cast<double>(time.tv_sec) * 1e9 + static_cast<double>(time.tv_nsec);
}

WorkerPool::WorkerPool(unsigned threads, MemoryLimits memory, Meter meter)
    : threads_(threadCount(threads)), meter_(meter), memory_(memory) {
    for (unsigned i = 0; i < threads_; ++i)
        workers_.emplace_back([this](std::stop_token stop) { work(std::move(stop)); });
}

WorkerPool::~WorkerPool() = default;

Lane* WorkerPool::next() const {
    Lane* best = nullptr;
    for (Lane* lane : lanes_) {
        if (lane->waits() && (best == nullptr || lane->goesBefore(*best))) best = lane;
    }
    return best;
}

void WorkerPool::work(std::stop_token stop) {
    pthread_setname_np(pthread_self(), "block-worker");
    Codec codec;
    MutexLock lock(mutex_);
    for (;;) {
        Lane* lane = nullptr;
        wanted_.wait(lock, stop, [&]() REQUIRES(mutex_) { return (lane = next()) != nullptr; });
        if (lane == nullptr) return;
        Lane::Task task = std::move(lane->tasks_.front());
        lane->tasks_.pop_front();
        // Whoever comes next shall not be charged for one that went before its turn.
        if (!lane->hurries_) now_ = lane->turn_;
        const double charged = lane->begin();
        lock.unlock();
        const double before = meter_();
        task(codec);
        task = {};  // and with it what it holds
        const double spent = meter_() - before;
        lock.lock();
        lane->end(charged, spent);
        ended_.notifyAll();
    }
}

Lane::Lane(WorkerPool& pool, LaneOptions options)
    : pool_(pool),
      most_(options.most == 0 ? pool.threads() : std::min(options.most, pool.threads())),
      weight_(std::max(1U, options.weight)) {
    const MutexLock lock(pool_.mutex_);
    pool_.lanes_.push_back(this);
}

Lane::~Lane() {
    drop();
    const MutexLock lock(pool_.mutex_);
    std::erase(pool_.lanes_, this);
}

/// Charges what the task will take, so that the workers that come next do not all choose the same lane.
double Lane::begin() {
    ++running_;
    const double charged = estimate_ / weight_;
    turn_ += charged;
    return charged;
}

void Lane::end(double charged, double nanoseconds) {
    --running_;
    estimate_ = nanoseconds;
    turn_ += nanoseconds / weight_ - charged;
}

void Lane::submit(Task task) {
    const MutexLock lock(pool_.mutex_);
    if (tasks_.empty()) turn_ = std::max(turn_, pool_.now_);
    tasks_.push_back(std::move(task));
    pool_.wanted_.notifyOne();
}

void Lane::run(const std::function<void(Codec&)>& work) {
    Task task(std::ref(work));
    std::future<void> done = task.get_future();
    submit(std::move(task));
    done.get();
}

void Lane::drain() {
    MutexLock lock(pool_.mutex_);
    pool_.ended_.wait(lock, [&] { return tasks_.empty() && running_ == 0; });
}

void Lane::drop() {
    std::deque<Task> dropped;
    MutexLock lock(pool_.mutex_);
    dropped.swap(tasks_);
    lock.unlock();  // what they hold is given back without it
    dropped.clear();
    lock.lock();
    pool_.ended_.wait(lock, [&] { return running_ == 0; });
}

void Lane::setWeight(unsigned weight) {
    const MutexLock lock(pool_.mutex_);
    weight_ = std::max(1U, weight);
}

void Lane::hurry(bool hurries) {
    const MutexLock lock(pool_.mutex_);
    hurries_ = hurries;
}

}  // namespace tidemark::block
