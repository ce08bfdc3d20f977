#include "net/workers.h"

#include <pthread.h>

#include <algorithm>

namespace tidemark::net {
namespace {

/// An owner may take another thread only while more than so many times its calls are free: with few owners that hang
/// one has `most_of_one`, with many each has one, and some are always left for the next.
constexpr unsigned kFreePerCall = 16;

Error tryAgain(const std::string& why) {
    return {ErrorCode::Unavailable, SqlCode{4023, "HY000"},  // OB_EAGAIN
            "Try again: " + why,
            "something that they need does not answer: look at its destinations and its COMMENT in CDB_OB_ARCHIVELOG"};
}

Error tooMany(const std::string& owner, std::size_t waiting) {
    return tryAgain(std::to_string(waiting) + " statements about tenant '" + owner + "' wait already");
}

Error tooLate(const std::string& owner) {
    return tryAgain("this statement has not begun, since others about tenant '" + owner + "' have not ended");
}

Error ending() {
    return {ErrorCode::Unavailable, SqlCode{1053, "08S01"}, "Server shutdown in progress: this node ends"};
}

}  // namespace

Workers::Workers(WorkersOptions options) : options_(std::move(options)) {}

Workers::~Workers() {
    stop();
}

void Workers::post(const std::string& owner, Call call) {
    const MutexLock lock(mutex_);
    if (stopped_) throw ending();
    Owner& its = owners_[owner];
    if (its.waiting.empty() && mayRun(owner, its)) return start(owner, its, std::move(call));
    if (its.waiting.size() >= options_.most_waiting) throw tooMany(owner, its.waiting.size());
    its.waiting.push_back({std::move(call), std::chrono::steady_clock::now() + options_.longest_wait});
    if (!std::exchange(refuses_late_, true)) threads_.emplace_back([this] { refuseLate(); });
    first_waits_.notifyOne();
}

bool Workers::mayRun(const std::string& name, const Owner& owner) const {
    if (running_ >= options_.threads) return false;
    if (name == options_.first_owner) return owner.running < std::max(1U, options_.threads / 2);
    const unsigned for_others = options_.threads - std::min(options_.reserved, options_.threads - 1);
    if (running_of_others_ >= for_others) return false;
    const unsigned free = for_others - running_of_others_;
    return owner.running < std::clamp(free / kFreePerCall, 1U, std::max(1U, options_.most_of_one));
}

void Workers::start(const std::string& name, Owner& owner, Call call) {
    ++owner.running;
    ++running_;
    if (name != options_.first_owner) ++running_of_others_;
    last_started_ = name;
    ready_.emplace_back(name, std::move(call));
    if (idle_ >= ready_.size()) {
        changed_.notifyOne();
    } else {
        threads_.emplace_back([this] { work(); });
    }
}

/// Owners in turn, beginning behind the one that was last.
void Workers::startWaiting() {
    for (bool started = true; started && running_ < options_.threads;) {
        started = false;
        auto at = owners_.upper_bound(last_started_);
        for (std::size_t i = 0; i < owners_.size() && !started; ++i, ++at) {
            if (at == owners_.end()) at = owners_.begin();
            auto& [name, owner] = *at;
            if (owner.waiting.empty() || !mayRun(name, owner)) continue;
            Call call = std::move(owner.waiting.front().call);
            owner.waiting.pop_front();
            start(name, owner, std::move(call));
            started = true;
        }
    }
}

void Workers::finished(const std::string& name) {
    const auto owner = owners_.find(name);
    --running_;
    if (name != options_.first_owner) --running_of_others_;
    if (--owner->second.running == 0 && owner->second.waiting.empty()) owners_.erase(owner);
    if (!stopped_) startWaiting();
}

void Workers::work() {
    pthread_setname_np(pthread_self(), options_.name.substr(0, 15).c_str());  // the kernel's limit
    MutexLock lock(mutex_);
    for (++idle_;;) {
        changed_.wait(lock, [&]() REQUIRES(mutex_) { return stopped_ || !ready_.empty(); });
        --idle_;
        if (ready_.empty()) return;
        auto [name, call] = std::move(ready_.front());
        ready_.pop_front();
        lock.unlock();
        call(nullptr);
        call = nullptr;  // what it holds goes before others may run in its place
        lock.lock();
        ++idle_;  // before others are started, which may take this thread then
        finished(name);
    }
}

/// Each owner's calls wait in order, so that its first is its next.
std::optional<Workers::Time> Workers::nextRefusal() const {
    std::optional<Time> next;
    for (const auto& [name, owner] : owners_) {
        if (!owner.waiting.empty() && (!next || owner.waiting.front().until < *next))
            next = owner.waiting.front().until;
    }
    return next;
}

void Workers::refuseLate() {
    pthread_setname_np(pthread_self(), (options_.name.substr(0, 10) + "-late").c_str());
    MutexLock lock(mutex_);
    while (!stopped_) {
        const auto next = nextRefusal();
        if (!next) {
            first_waits_.wait(lock);
            continue;
        }
        const Time now = std::chrono::steady_clock::now();
        if (*next > now) {
            first_waits_.waitUntil(lock, *next);
            continue;
        }
        std::vector<std::pair<std::string, Call>> late;
        for (auto& [name, owner] : owners_) {
            for (auto& waiting = owner.waiting; !waiting.empty() && waiting.front().until <= now; waiting.pop_front())
                late.emplace_back(name, std::move(waiting.front().call));
        }
        std::erase_if(owners_, [](const auto& of) { return of.second.running == 0 && of.second.waiting.empty(); });
        lock.unlock();
        for (const auto& [name, call] : late) {
            const Error refusal = tooLate(name);
            call(&refusal);
        }
        late.clear();
        lock.lock();
    }
}

void Workers::stop() {
    Owners waiting;
    std::vector<std::jthread> threads;
    {
        const MutexLock lock(mutex_);
        stopped_ = true;
        for (auto& [name, owner] : owners_)
            waiting[name].waiting.swap(owner.waiting);
        threads.swap(threads_);
        changed_.notifyAll();
        first_waits_.notifyAll();
    }
    const Error refusal = ending();
    for (auto& [name, owner] : waiting) {
        for (const Waiting& one : owner.waiting)
            one.call(&refusal);
    }
}

}  // namespace tidemark::net
