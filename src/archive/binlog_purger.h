#pragma once

#include <functional>
#include <map>
#include <string>
#include <thread>

#include "base/log.h"
#include "base/mutex.h"
#include "catalog/stores.h"
#include "mysql/sql_client.h"

namespace tidemark::archive {

struct BinlogPurgerOptions {
    std::function<mysql::Endpoint(catalog::TenantId)> endpoint;  ///< throws if there is no such tenant
    /// How long a tenant that is not archived keeps its binlog, for replicas of its own.
    std::chrono::seconds unarchived_binlog{24 * 3600};
    std::chrono::seconds answer_limit{10};  ///< a tenant that hangs keeps the others' disks filling no longer
    std::chrono::seconds retry{60};         ///< after a failure
};

/// Frees the tenants' disks of old binlogs: of one that is archived what lies behind the archive, of the others what is
/// old. One thread for all tenants, which no archiver waits for. Thread-safe.
class BinlogPurger {
public:
    BinlogPurger(BinlogPurgerOptions options, catalog::Stores& stores);
    ~BinlogPurger();
    BinlogPurger(const BinlogPurger&) = delete;
    BinlogPurger& operator=(const BinlogPurger&) = delete;

    /// All the tenant's binlog files before this one are archived. They are purged soon; again later, if that fails.
    void purge(catalog::TenantId tenant, const std::string& before);
    void forget(catalog::TenantId tenant);

private:
    struct Wanted {
        std::string before;
        std::chrono::steady_clock::time_point due;
        bool failed = false;
    };

    void run(const std::stop_token& stop);
    std::chrono::steady_clock::time_point nextDue() const REQUIRES(mutex_);
    void purgeDue(const std::stop_token& stop);
    void expireUnarchived(const std::stop_token& stop);
    void ask(catalog::TenantId tenant, const std::string& statement, const std::stop_token& stop);

    const BinlogPurgerOptions options_;
    catalog::Stores& stores_;
    const Logger log_;
    Mutex mutex_;
    ConditionVariable changed_;
    std::map<catalog::TenantId, Wanted> wanted_ GUARDED_BY(mutex_);
    std::chrono::steady_clock::time_point expiry_due_;  // the thread's own
    std::jthread thread_;                               // last: it uses all of the above
};

}  // namespace tidemark::archive
