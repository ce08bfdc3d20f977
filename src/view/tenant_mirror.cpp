#include "view/tenant_mirror.h"

#include <fmt/format.h>
#include <pthread.h>

#include "catalog/compatibility.h"
#include "view/mirror_reader.h"
#include "view/tenant_schema.h"

namespace tidemark::view {
namespace {

using catalog::TenantId;
using catalog::Topic;
using std::chrono::steady_clock;

constexpr auto kForever = std::chrono::hours(1);  // threads look up now and then though nothing calls them

}  // namespace

/// What was read together with others' and has to be written.
struct Prepared {
    std::uint64_t asked = 0;
    std::vector<TableChange> changes;
};

/// One tenant. `mutex_` guards it, but for `client`, `mode` and `rows`, which belong to the worker that made it busy.
struct TenantMirror::Follower {
    TenantId tenant = 0;
    mysql::Endpoint endpoint;
    Topic dirty = Topic::Everything;  ///< what has to be looked at; none: 0
    bool reconnect = true;            ///< attached (again): everything is written anew over a new connection
    bool busy = false;
    std::uint64_t asked = 1;  ///< counts requests to be fresh; the first is attach()
    std::uint64_t shown = 0;  ///< the last of them that is fulfilled
    steady_clock::time_point due{};
    steady_clock::time_point last_used{};
    std::chrono::milliseconds retry{0};
    std::optional<Prepared> prepared;

    bool troubled() const { return retry.count() > 0; }
    bool waiting() const { return prepared || dirty != Topic{}; }
    /// When a worker is to turn to it, if it is waiting.
    Time dueAt() const { return prepared ? Time::min() : due; }
    bool mayBeReadWithOthers() const {
        return !busy && !troubled() && !reconnect && !prepared && client && !rows.empty() && dirty != Topic{} &&
               isFrequent(dirty);
    }

    std::optional<mysql::SqlClient> client;
    catalog::CompatibilityMode mode{};
    KnownRows rows;  ///< none: what the copy holds is unknown
};

TenantMirror::TenantMirror(catalog::Catalog& catalog, TenantMirrorOptions options)
    : catalog_(catalog), options_(options), log_(makeLogger("mirror")) {
    threads_.emplace_back([this](std::stop_token stop) { listen(stop); });
    for (std::size_t i = 0; i < options_.workers; ++i)
        threads_.emplace_back([this](std::stop_token stop) { work(stop); });
}

TenantMirror::~TenantMirror() {
    for (std::jthread& thread : threads_)
        thread.request_stop();
    {
        const MutexLock lock(mutex_);  // a worker either has seen the stop or waits by now
    }
    changed_.notifyAll();
    threads_.clear();  // joins
}

void TenantMirror::attach(TenantId tenant, const mysql::Endpoint& endpoint) {
    const MutexLock lock(mutex_);
    auto& follower = followers_[tenant];
    if (!follower) follower = std::make_shared<Follower>();
    follower->tenant = tenant;
    follower->endpoint = endpoint;
    follower->endpoint.connect_timeout = options_.statement_timeout;
    follower->endpoint.statement_timeout = options_.statement_timeout;
    follower->reconnect = true;
    follower->dirty = Topic::Everything;
    follower->due = {};
    follower->retry = {};
    ++follower->asked;
    changed_.notifyAll();
}

void TenantMirror::detach(TenantId tenant) {
    MutexLock lock(mutex_);
    const auto found = followers_.find(tenant);
    if (found == followers_.end()) return;
    const std::shared_ptr<Follower> follower = found->second;
    followers_.erase(found);
    changed_.wait(lock, [&]() REQUIRES(mutex_) { return !follower->busy; });
    changed_.notifyAll();
}

bool TenantMirror::waitFresh(TenantId tenant, std::chrono::milliseconds limit) {
    MutexLock lock(mutex_);
    const auto found = followers_.find(tenant);
    if (found == followers_.end()) return false;
    const std::shared_ptr<Follower> follower = found->second;
    const std::uint64_t wanted = ++follower->asked;
    follower->dirty = Topic::Everything;
    if (follower->retry.count() == 0) follower->due = {};  // a client waits; one that fails keeps its pause
    changed_.notifyAll();
    return changed_.waitFor(lock, limit, [&]() REQUIRES(mutex_) { return follower->shown >= wanted; });
}

void TenantMirror::listen(std::stop_token stop) {
    pthread_setname_np(pthread_self(), "mirror-changes");
    while (!stop.stop_requested())
        note(catalog_.changes().take(stop, kForever));
}

void TenantMirror::note(const std::map<TenantId, Topic>& changes) {
    const MutexLock lock(mutex_);
    for (const auto& [tenant, topic] : changes) {
        const auto found = followers_.find(tenant);
        if (found != followers_.end()) found->second->dirty = found->second->dirty | topic;
        if (tenant != catalog::kSysTenantId || !contains(topic, Topic::Cluster)) continue;
        for (const auto& [id, follower] : followers_)
            follower->dirty = follower->dirty | Topic::Cluster;
    }
    changed_.notifyAll();
}

void TenantMirror::work(std::stop_token stop) {
    pthread_setname_np(pthread_self(), "tenant-mirror");
    MutexLock lock(mutex_);
    while (!stop.stop_requested()) {
        const auto now = steady_clock::now();
        Time look_again = now + kForever;
        const auto follower = nextDue(now, look_again);
        if (!follower) {
            changed_.waitUntil(lock, look_again);
            continue;
        }
        const bool troubled = follower->troubled();
        Followers together = othersToReadWith(*follower, now);
        if (!together.empty()) together.push_back(follower);
        for (const auto& one : together)
            one->busy = true;
        follower->busy = true;
        serving_troubled_ |= troubled;
        lock.unlock();
        if (together.empty())
            refresh(*follower);
        else
            readTogether(together);
        lock.lock();
        if (troubled) serving_troubled_ = false;
    }
}

/// The follower whose turn it is; or null and when to look again. Closes idle connections by the way.
std::shared_ptr<TenantMirror::Follower> TenantMirror::nextDue(Time now, Time& look_again) {
    std::shared_ptr<Follower> next;
    for (const auto& [tenant, follower] : followers_) {
        // Who is busy, or waits for the worker that is, is looked at when that worker is back.
        if (follower->busy || (follower->troubled() && serving_troubled_)) continue;
        const bool waiting = follower->waiting();
        if (!waiting && !follower->client) continue;
        const Time at = waiting ? follower->dueAt() : follower->last_used + options_.idle_close;
        if (at > now) {
            look_again = std::min(look_again, at);
        } else if (!waiting) {
            follower->client.reset();
        } else if (!next || at < next->dueAt()) {
            next = follower;
        }
    }
    return next;
}

/// Also those whose turn would come soon, so that what changes together stays together.
TenantMirror::Followers TenantMirror::othersToReadWith(const Follower& first, Time now) const {
    Followers others;
    if (!first.mayBeReadWithOthers()) return others;
    for (const auto& [tenant, follower] : followers_) {
        if (others.size() + 1 == options_.read_together) break;
        const bool soon = follower->due <= now + options_.least_interval / 2;
        if (follower.get() != &first && soon && follower->mayBeReadWithOthers()) others.push_back(follower);
    }
    return others;
}

/// What is found is written by whoever is free, so that a tenant that hangs holds up none of the others.
void TenantMirror::readTogether(const Followers& followers) {
    std::vector<Reading> readings;
    std::vector<Prepared> found(followers.size());
    {
        const MutexLock lock(mutex_);
        for (std::size_t i = 0; i < followers.size(); ++i) {
            Follower& follower = *followers[i];
            readings.push_back({follower.tenant, std::exchange(follower.dirty, Topic{}), &follower.rows});
            found[i].asked = follower.asked;
        }
    }
    std::string failure;
    try {
        auto changes = catalog_.readSnapshot([&](mysql::SqlClient& sys) { return readChanges(sys, readings); });
        for (std::size_t i = 0; i < changes.size(); ++i)
            found[i].changes = std::move(changes[i]);
    } catch (const std::exception& error) {
        failure = error.what();
    }
    const MutexLock lock(mutex_);
    for (std::size_t i = 0; i < followers.size(); ++i) {
        if (!failure.empty() || found[i].changes.empty()) {
            finished(*followers[i], found[i].asked, failure);
        } else {
            followers[i]->prepared = std::move(found[i]);
            followers[i]->busy = false;
        }
    }
    changed_.notifyAll();
}

void TenantMirror::refresh(Follower& follower) {
    Topic topics{};
    std::uint64_t asked = 0;
    mysql::Endpoint endpoint;
    std::optional<Prepared> prepared;
    {
        const MutexLock lock(mutex_);
        if (std::exchange(follower.reconnect, false)) {
            follower.client.reset();
            follower.rows.clear();
            follower.prepared.reset();
        }
        prepared = std::exchange(follower.prepared, std::nullopt);
        if (!prepared) topics = std::exchange(follower.dirty, Topic{});
        asked = prepared ? prepared->asked : follower.asked;
        endpoint = follower.endpoint;
    }
    std::string failure;
    try {
        if (prepared)
            write(follower, std::move(prepared->changes));
        else
            copy(follower, endpoint, topics);
    } catch (const std::exception& error) {
        failure = error.what();
        // What the copy holds now is not known: the next attempt writes everything.
        follower.client.reset();
        follower.rows.clear();
    }
    const MutexLock lock(mutex_);
    finished(follower, asked, failure);
    changed_.notifyAll();
}

void TenantMirror::finished(Follower& follower, std::uint64_t asked, const std::string& failure) {
    const auto now = steady_clock::now();
    follower.busy = false;
    follower.last_used = now;
    if (failure.empty()) {
        if (follower.retry.count() > 0) log_->info("tenant={} views are fresh again", follower.tenant);
        follower.shown = asked;
        follower.retry = {};
        follower.due = follower.asked > asked ? now : now + options_.least_interval;
        return;
    }
    if (follower.retry.count() == 0) log_->warn("tenant={} views are stale: {}", follower.tenant, failure);
    follower.retry = std::min(std::max(2 * follower.retry, options_.first_retry), options_.longest_retry);
    follower.dirty = Topic::Everything;
    if (!follower.reconnect) follower.due = now + follower.retry;
}

void TenantMirror::copy(Follower& follower, const mysql::Endpoint& endpoint, Topic topics) {
    if (!follower.client) {
        mysql::SqlClient client(endpoint);
        beginUnlogged(client);
        follower.client.emplace(std::move(client));
    }
    if (follower.rows.empty()) {
        topics = Topic::Everything;
        ensureSchema(follower);
    }
    const Reading reading{follower.tenant, topics, &follower.rows};
    auto changes = catalog_.readSnapshot([&](mysql::SqlClient& sys) { return readChanges(sys, {&reading, 1}); });
    write(follower, std::move(changes.front()));
}

void TenantMirror::write(Follower& follower, std::vector<TableChange> changes) {
    if (changes.empty()) return;
    apply(*follower.client, catalog::systemSchema(follower.mode), changes);
    for (TableChange& change : changes) {
        RowHashes& known = follower.rows[change.table->name];
        remember(std::move(change), known);
    }
}

const TenantSchema& TenantMirror::schema(mysql::SqlClient& sys) {
    const MutexLock lock(schema_mutex_);
    if (!schema_) schema_ = TenantSchema::of(sys);
    return *schema_;
}

void TenantMirror::ensureSchema(Follower& follower) {
    const TenantSchema* wanted = nullptr;
    follower.mode = catalog_.readSnapshot([&](mysql::SqlClient& sys) {
        wanted = &schema(sys);
        const auto mode = sys.scalar("SELECT mode FROM tidemark.tenant WHERE tenant_id = ?", {follower.tenant});
        return mode ? catalog::parseText<catalog::CompatibilityMode>(*mode) : catalog::CompatibilityMode::Mysql;
    });
    wanted->ensure(*follower.client, follower.mode);
}

}  // namespace tidemark::view
