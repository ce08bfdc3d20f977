#include "job/work_engine.h"

#include <fmt/format.h>
#include <pthread.h>

#include <algorithm>

#include "base/random.h"

namespace tidemark::job {

using Steady = std::chrono::steady_clock;
using std::chrono::milliseconds;

/// A job of this node, and whose turn it is. All but `job` is guarded by the engine's mutex.
struct WorkEngine::Entry {
    enum class Phase { Queued, Running, Pausing };

    std::unique_ptr<OwnedJob> job;
    Phase phase = Phase::Queued;
    bool heavy = false;  ///< the next step, or the present one
    bool woken = false;  ///< since the present step began, or the last one ended
    Time resume_at;
    std::uint64_t moves = 0;  ///< of the job, when it was seen to move last
    Time moved_at;
    bool asking = false;      ///< the present step is heavy, and whether its destinations are there is not known yet
    milliseconds patience{};  ///< with which they are asked
    bool late = false;        ///< they were there, and the slot was another one's by then
};

namespace {

JobKey keyOf(const catalog::WorkRow& row) {
    return {.kind = row.kind, .tenant = row.tenant, .id = row.job_id};
}

/// The kernel keeps 15 characters of a thread's name.
void nameThread(const std::string& name) {
    pthread_setname_np(pthread_self(), name.substr(0, 15).c_str());
}

}  // namespace

WorkEngine::WorkEngine(catalog::WorkStore& store, WorkEngineOptions options)
    : store_(store), options_(options), log_(makeLogger("work")), threads_(options.threads) {}

WorkEngine::~WorkEngine() {
    shutdown();
}

void WorkEngine::add(WorkKind kind) {
    const std::string name = kind.name;
    kinds_.emplace(name, std::move(kind));
}

void WorkEngine::start(std::int64_t node) {
    // A session is never 0, which says that nobody has the work.
    owner_ = {.node = node, .session = randomU63() | 1};
    keeper_ = std::jthread([this](std::stop_token stop) { keep(std::move(stop)); });
    dispatcher_ = std::jthread([this](std::stop_token stop) { dispatch(std::move(stop)); });
}

void WorkEngine::tell() {
    told_ = true;
    changed_.notifyAll();
}

void WorkEngine::wake() {
    const MutexLock lock(mutex_);
    look_at_ = {};
    tell();
}

void WorkEngine::wake(const std::string& kind, catalog::TenantId tenant) {
    const MutexLock lock(mutex_);
    for (const auto& [key, entry] : entries_) {
        if (key.kind == kind && key.tenant == tenant) entry->woken = true;
    }
    tell();
}

bool WorkEngine::cancel(const JobKey& key) {
    EntryPtr entry;
    {
        const MutexLock lock(mutex_);
        look_at_ = {};  // a record that nobody has is taken, to be ended
        tell();
        const auto found = entries_.find(key);
        if (found == entries_.end()) return false;
        entry = found->second;
    }
    // Outside the lock: this runs the callbacks of the job's own stop_callbacks.
    entry->job->cancel();
    const MutexLock lock(mutex_);
    entry->woken = true;
    tell();
    return true;
}

bool WorkEngine::waitFor(const JobKey& key, milliseconds limit) {
    const Time until = Steady::now() + limit;
    for (GrowingPause pauses(milliseconds(10), milliseconds(500));;) {
        {
            MutexLock lock(mutex_);
            if (!changed_.waitUntil(lock, until, [&]() REQUIRES(mutex_) { return !entries_.contains(key); }))
                return false;
        }
        if (!store_.find(key.kind, key.tenant, key.id)) return true;
        // Not taken yet, or another node's: nothing here tells when that ends.
        const milliseconds pause = pauses.next();
        if (Steady::now() + pause > until) return false;
        std::this_thread::sleep_for(pause);
    }
}

void WorkEngine::shutdown() {
    std::map<JobKey, EntryPtr> all;
    {
        const MutexLock lock(mutex_);
        if (shut_down_) return;
        shut_down_ = true;
        all = entries_;
    }
    for (const auto& [key, entry] : all)
        entry->job->leave();
    dispatcher_ = {};  // stops and joins
    keeper_ = {};
    threads_.stop();
    {
        const MutexLock lock(mutex_);
        all.swap(entries_);
        queue_.clear();
        tell();
    }
    try {
        if (!all.empty()) store_.giveBack(owner_);
    } catch (const std::exception& error) {
        log_->warn("work could not be given back, this node takes it up at its next start: {}", error.what());
    }
}

// The keeper: what sys has to be asked.

void WorkEngine::keep(std::stop_token stop) {
    nameThread("work-keeper");
    std::string last_failure;
    MutexLock lock(mutex_);
    while (!stop.stop_requested()) {
        const Time now = Steady::now();
        const bool renews = !entries_.empty() && now >= renew_at_;
        const bool looks = now >= look_at_;
        if (!renews && !looks) {
            const Time next = entries_.empty() ? look_at_ : std::min(look_at_, renew_at_);
            changed_.waitUntil(lock, stop, next, [&]() REQUIRES(mutex_) { return look_at_ < next; });
            continue;
        }
        if (renews) renew_at_ = now + options_.lease / 3;
        if (looks) look_at_ = now + options_.look_interval;
        lock.unlock();
        try {
            if (renews) renew();
            if (looks) look();
            last_failure.clear();
        } catch (const std::exception& error) {
            if (last_failure != error.what()) log_->warn("the records of work cannot be asked: {}", error.what());
            last_failure = error.what();
        }
        lock.lock();
    }
}

/// Jobs whose record says something else than this node thinks are told to stop.
void WorkEngine::renew() {
    std::map<JobKey, EntryPtr> before;
    {
        const MutexLock lock(mutex_);
        before = entries_;
    }
    std::map<std::int64_t, catalog::HeldWork> held;
    for (const catalog::HeldWork& work : store_.renew(owner_, options_.lease))
        held[work.claim.work_id] = work;
    for (const auto& [key, entry] : before) {
        const catalog::WorkClaim& claim = entry->job->context().claim();
        const auto found = held.find(claim.work_id);
        const bool has = found != held.end() && found->second.claim == claim;
        if (has && found->second.cancelled) entry->job->cancel();
        if (!has) entry->job->lose();
        if (found != held.end()) held.erase(found);
        const MutexLock lock(mutex_);
        entry->woken = entry->woken || entry->job->stopping();
        tell();
    }
    // Taken, but the answer was lost: only this thread takes.
    for (const auto& [id, work] : held)
        store_.giveBack(work.claim);
}

/// Takes what there is to be taken.
void WorkEngine::look() {
    const std::vector<catalog::WorkRow> rows = store_.othersThan(owner_);
    watch_.see(rows, Steady::now());
    for (const catalog::WorkRow& row : rows) {
        if (row.owner.node == 0 && row.due_in && row.due_in->count() > 0) {
            const MutexLock lock(mutex_);
            look_at_ = std::min(look_at_, Steady::now() + *row.due_in);
        } else if (mayTake(row)) {
            takeUp(row);
        }
    }
}

bool WorkEngine::mayTake(const catalog::WorkRow& row) const {
    const auto kind = kinds_.find(row.kind);
    if (kind == kinds_.end() || !kind->second.here(row)) return false;
    if (row.owner.node == 0 || row.owner.node == owner_.node) return true;
    return row.lease_over && watch_.silence(row, Steady::now()) >= options_.lease;
}

void WorkEngine::takeUp(const catalog::WorkRow& seen) {
    {
        const MutexLock lock(mutex_);
        if (shut_down_ || entries_.contains(keyOf(seen))) return;  // lost, and not stopped yet
    }
    const auto row = store_.take(seen, owner_, options_.lease);
    if (!row) return;
    if (seen.owner.node != 0) {
        log_->warn("{}: taken over from node {}, attempt {}", nameOf(keyOf(seen)), seen.owner.node, row->attempt);
    }
    const auto entry = std::make_shared<Entry>();
    const auto wake_entry = [this, weak = std::weak_ptr<Entry>(entry)] {
        const MutexLock lock(mutex_);
        if (const auto woken = weak.lock()) woken->woken = true;
        tell();
    };
    entry->job = std::make_unique<OwnedJob>(store_, kinds_.at(row->kind), *row, wake_entry, options_.retry, log_);
    if (row->cancelled) entry->job->cancel();
    const MutexLock lock(mutex_);
    if (shut_down_) entry->job->leave();
    if (entries_.empty()) renew_at_ = Steady::now() + options_.lease / 3;
    entries_.emplace(entry->job->key(), entry);
    queue_.push_back(entry);
    tell();
}

// The dispatcher: who may go on.

void WorkEngine::dispatch(std::stop_token stop) {
    nameThread("work-dispatch");
    MutexLock lock(mutex_);
    while (!stop.stop_requested()) {
        told_ = false;
        const Time next = startDue();
        changed_.waitUntil(lock, stop, next, [this]() REQUIRES(mutex_) { return told_; });
    }
}

/// Starts every step that may begin now. Returns when to look again, if nothing is told before.
WorkEngine::Time WorkEngine::startDue() {
    const Time now = Steady::now();
    Time next = now + std::chrono::hours(1);
    for (const auto& [key, entry] : entries_) {
        if (entry->phase != Entry::Phase::Pausing) continue;
        if (entry->woken || now >= entry->resume_at) {
            entry->phase = Entry::Phase::Queued;
            queue_.insert(entry->late ? queue_.begin() : queue_.end(), entry);
        } else {
            next = std::min(next, entry->resume_at);
        }
    }
    for (auto place = queue_.begin(); place != queue_.end();) {
        const EntryPtr entry = *place;
        const bool may = !entry->heavy || entry->job->stopping() || hasSlot(now, next);
        if (!may || !threads_.run([this, entry] { step(entry); })) {
            next = std::min(next, now + options_.stalled / 4);
            ++place;
            continue;
        }
        entry->phase = Entry::Phase::Running;
        entry->woken = entry->late = false;
        entry->asking = entry->heavy;
        entry->patience = std::max(entry->patience, options_.answer);
        entry->moved_at = now;
        place = queue_.erase(place);
    }
    return next;
}

/// Of the heavy steps that run, only those that move keep their slots, and those whose destinations are just asked.
WorkEngine::Time WorkEngine::keepsSlotUntil(Entry& entry, Time now) {
    if (entry.phase != Entry::Phase::Running || !entry.heavy) return {};
    if (entry.asking) return entry.moved_at + entry.patience;
    const std::uint64_t moves = entry.job->context().moves();
    if (moves != entry.moves) {
        entry.moves = moves;
        entry.moved_at = now;
    }
    return entry.moved_at + options_.stalled;
}

/// Whether one more heavy step may begin. If not, it may be so at `next`, if that is not earlier already.
bool WorkEngine::hasSlot(Time now, Time& next) {
    std::size_t used = 0;
    for (const auto& [key, entry] : entries_) {
        const Time until = keepsSlotUntil(*entry, now);
        if (now >= until) continue;
        ++used;
        next = std::min(next, until);
    }
    return used < options_.slots;
}

// A job's thread.

void WorkEngine::step(const EntryPtr& entry) {
    const JobKey& key = entry->job->key();
    nameThread(fmt::format("{}-{}/{}", key.kind, key.tenant, key.id));
    const std::optional<Pause> pause = entry->job->advance([&] { return takesSlot(*entry); });
    const bool heavy = entry->job->heavy();
    const MutexLock lock(mutex_);
    entry->phase = Entry::Phase::Pausing;
    entry->heavy = heavy;
    // Without a pause, and not over, it is to be given back.
    entry->resume_at = pause ? Steady::now() + pause->at_most : Time::max();
    if (entry->job->over()) {
        entries_.erase(key);
        look_at_ = {};  // its end may have made new work
    }
    tell();
}

/// The destinations of a heavy step have just answered. When that took so long that its slot is another one's, and none
/// is free, they are asked again with the next one, for by then they may be dead; and they get more time, so that
/// destinations that are always slow have their turn, too.
bool WorkEngine::takesSlot(Entry& entry) {
    const MutexLock lock(mutex_);
    const Time now = Steady::now();
    Time next = Time::max();
    entry.late = now >= keepsSlotUntil(entry, now) && !hasSlot(now, next);
    if (entry.late) {
        const auto took = std::chrono::ceil<milliseconds>(now - entry.moved_at);
        entry.patience = std::min(2 * took, options_.stalled);
        return false;
    }
    entry.asking = false;
    entry.moves = entry.job->context().moves();
    entry.moved_at = now;
    return true;
}

}  // namespace tidemark::job
