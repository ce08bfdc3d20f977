#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <type_traits>
#include <vector>

#include "base/clock.h"
#include "base/mutex.h"
#include "catalog/changes.h"
#include "mysql/sql_client.h"

namespace tidemark::catalog {

struct CatalogOptions {
    mysql::Endpoint endpoint;  ///< the sys tenant's mariadbd, as an account that may do everything there
    std::size_t connections = 4;
    /// How long a call goes on trying while sys is away (its mariadbd restarts in about 2 s).
    std::chrono::milliseconds retry_limit{30'000};
};

/// The daemon's durable records: tables of schema `tidemark` in the sys tenant's mariadbd, behind a small pool of
/// connections. The typed stores (tenant_store.h, backup_store.h, …) are what others use; this class is their ground.
///
/// Thread-safe. A call blocks until a connection is free. While sys is away a call is tried again until the limit, as a
/// whole; then it throws Unavailable. A call either has happened exactly once, durably, or has thrown and not happened:
/// a connection lost in COMMIT is cleared up by a marker that the same transaction wrote. Only when sys stays away
/// right then, the question stays open and the call throws Internal.
class Catalog {
public:
    using Work = std::function<void(mysql::SqlClient&)>;

    /// Opens nothing yet: the first call connects. `clock` must outlive the catalog.
    Catalog(CatalogOptions options, const Clock& clock);
    ~Catalog();
    Catalog(const Catalog&) = delete;
    Catalog& operator=(const Catalog&) = delete;

    /// Creates or upgrades the schema; does nothing when it is up to date. Call once at start, before anything else.
    /// Throws Conflict if the schema is newer than this program.
    void migrate();

    /// Runs `work`, which sends one SELECT: one round trip. A second one might see something else: throws Internal. It
    /// may run several times.
    template <typename Read>
    auto read(Read work) {
        return returning(work, [this](const Work& w) { readOnce(w); });
    }

    /// Runs `work`, whose SELECTs all see the same moment. It may run several times.
    template <typename Read>
    auto readSnapshot(Read work) {
        return returning(work, [this](const Work& w) { readConsistent(w); });
    }

    /// Runs `work` in one transaction and commits it; then reports `changes`. `work` may run several times (a lost
    /// connection, a deadlock) and so must have no effect but on the database. Not to be nested: throws Internal.
    template <typename Write>
    auto write(const std::vector<Change>& changes, Write work) {
        return returning(work, [&](const Work& w) {
            transaction(w);
            changes_.add(changes);
        });
    }

    /// As above, for changes known only after the work has run.
    template <typename Write>
    auto writeThen(Write work,
                   std::function<std::vector<Change>(const std::invoke_result_t<Write, mysql::SqlClient&>&)> changes) {
        auto result = returning(work, [this](const Work& w) { transaction(w); });
        changes_.add(changes(result));
        return result;
    }

    Changes& changes() { return changes_; }
    const Clock& clock() const { return clock_; }
    const mysql::Endpoint& endpoint() const { return options_.endpoint; }

    /// Makes calls that wait for sys, also for its answer, and all later ones, throw Unavailable at once: for the end
    /// of the daemon, which a sys that hangs does not hold up.
    void close();

private:
    struct Slot;
    class Lease;

    template <typename Call, typename Run>
    static auto returning(Call& work, Run run) {
        using Answer = std::invoke_result_t<Call, mysql::SqlClient&>;
        if constexpr (std::is_void_v<Answer>) {
            run([&](mysql::SqlClient& client) { work(client); });
        } else {
            std::optional<Answer> answer;
            run([&](mysql::SqlClient& client) { answer.emplace(work(client)); });
            return std::move(*answer);
        }
    }

    void readOnce(const Work& work);
    void readConsistent(const Work& work);
    void transaction(const Work& work);
    void retrying(const std::function<void(Slot&)>& attempt);
    mysql::SqlClient& connected(Slot& slot);
    Slot& acquire();
    void release(Slot& slot);
    void commit(Slot& slot, std::uint64_t token);
    bool committed(Slot& slot, std::uint64_t token);
    bool pauseBefore(std::chrono::steady_clock::time_point deadline, std::chrono::milliseconds pause);

    const CatalogOptions options_;
    const Clock& clock_;
    const std::uint64_t owner_;  ///< marks this object's rows in tidemark.commit_marker
    Changes changes_;
    Mutex mutex_;
    ConditionVariable changed_;
    std::vector<std::unique_ptr<Slot>> slots_;  // always the same; `leased` and `socket` are guarded by mutex_
    bool closed_ GUARDED_BY(mutex_) = false;
};

}  // namespace tidemark::catalog
