#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "base/log.h"
#include "base/mutex.h"
#include "catalog/catalog.h"
#include "view/mirrored_table.h"
#include "view/tenant_schema.h"

namespace tidemark::view {

struct TenantMirrorOptions {
    /// A tenant's copy is renewed at most this often unless somebody waits for it, so that a busy job costs no more
    /// than a few writes a second.
    std::chrono::milliseconds least_interval{200};
    /// After a failure (the tenant is down) the next attempt waits this long, doubling up to the limit.
    std::chrono::milliseconds first_retry{200};
    std::chrono::milliseconds longest_retry{5000};
    /// An unused connection to a tenant is closed after this time: that of a tenant whose archive idles is used every
    /// ten seconds, and making it anew costs more than all that is done with it.
    std::chrono::milliseconds idle_close{15'000};
    /// A statement in a tenant that takes longer is given up.
    std::chrono::seconds statement_timeout{5};
    /// Threads that write to tenants. All but one are for those that answered last time.
    std::size_t workers = 4;
    /// So many tenants' rows are read from sys by one statement.
    std::size_t read_together = 100;
};

/// Keeps the DBA_OB_… views of user tenants true: schema `oceanbase`, or SYS in ORACLE mode, of the tenant holds copies
/// of its own rows of the catalog's tables, with the same views on top. A change of the catalog is there within a
/// second. docs/decisions/tenant_views.md says why this way.
///
/// Nothing is ever written to the tenant's binlog, no GTID is used, and it works on a read_only server: the account of
/// the endpoints needs BINLOG ADMIN and READ_ONLY ADMIN. What a restored tenant brings along is replaced.
///
/// A few threads for all tenants, asleep while nothing changes. Of what changes often, one reads the rows of all
/// tenants concerned together, and each tenant's are then written by whoever is free. Tenants that do not answer share
/// one of them, so that they hold up nobody else for longer than it takes to notice. Thread-safe.
class TenantMirror {
public:
    /// `catalog` must outlive the mirror and have been migrated. The mirror is the consumer of catalog.changes().
    explicit TenantMirror(catalog::Catalog& catalog, TenantMirrorOptions options = {});
    ~TenantMirror();
    TenantMirror(const TenantMirror&) = delete;
    TenantMirror& operator=(const TenantMirror&) = delete;

    /// The tenant's server is there (created, started again, moved, restored): checks the schema, writes everything
    /// anew and follows from now on. Calling it again is harmless; to be called whenever a server was started.
    /// Returns at once.
    void attach(catalog::TenantId tenant, const mysql::Endpoint& endpoint);
    /// Stops following; a refresh under way ends first. Call before the server is stopped for good or dropped.
    void detach(catalog::TenantId tenant);

    /// True if, within the limit, the tenant's copy shows everything that had been committed when this was called.
    /// False too if the tenant is not attached.
    bool waitFresh(catalog::TenantId tenant, std::chrono::milliseconds limit);

private:
    struct Follower;

    using Time = std::chrono::steady_clock::time_point;
    using Followers = std::vector<std::shared_ptr<Follower>>;

    void listen(std::stop_token stop);
    void note(const std::map<catalog::TenantId, catalog::Topic>& changes);
    void work(std::stop_token stop);
    std::shared_ptr<Follower> nextDue(Time now, Time& look_again) REQUIRES(mutex_);
    Followers othersToReadWith(const Follower& first, Time now) const REQUIRES(mutex_);
    void readTogether(const Followers& followers);
    void refresh(Follower& follower);
    void copy(Follower& follower, const mysql::Endpoint& endpoint, catalog::Topic topics);
    void write(Follower& follower, std::vector<TableChange> changes);
    void ensureSchema(Follower& follower);
    const TenantSchema& schema(mysql::SqlClient& sys);
    void finished(Follower& follower, std::uint64_t asked, const std::string& failure) REQUIRES(mutex_);

    catalog::Catalog& catalog_;
    const TenantMirrorOptions options_;
    const Logger log_;
    Mutex schema_mutex_;
    std::optional<TenantSchema> schema_ GUARDED_BY(schema_mutex_);  // never changes once it is there
    Mutex mutex_;
    ConditionVariable changed_;
    std::map<catalog::TenantId, std::shared_ptr<Follower>> followers_ GUARDED_BY(mutex_);
    bool serving_troubled_ GUARDED_BY(mutex_) = false;  // a worker, a tenant that failed
    std::vector<std::jthread> threads_;                 // last: they use all of the above
};

}  // namespace tidemark::view
