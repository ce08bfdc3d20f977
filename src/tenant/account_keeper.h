#pragma once

#include <chrono>
#include <memory>
#include <optional>

#include "base/log.h"
#include "base/mutex.h"
#include "mysql/account_guard.h"
#include "mysql/sql_client.h"

namespace tidemark::tenant {

class TenantServer;

/// Keeps the daemon's account of one tenant usable, though its administrator may change any account: lock it, give it
/// another password or limits, take its privileges, rename or drop it (docs/decisions/tenant.md).
///
/// A session that has logged in keeps its rights whatever becomes of its account. So one is held for repairs, and gives
/// back what CREATE USER may give. What it may not give, or without such a session, the database is restarted: its init
/// file makes the account again. Thread-safe.
class AccountKeeper : public mysql::AccountGuard {
public:
    explicit AccountKeeper(std::weak_ptr<TenantServer> server);

    std::string check() const override;
    void accepted() override;
    void restore(const Error& refusal) override;

private:
    bool works(const mysql::Endpoint& endpoint);
    bool repair(const TenantServer& server) REQUIRES(mutex_);
    void restart(TenantServer& server, const Error& refusal) REQUIRES(mutex_);

    const std::weak_ptr<TenantServer> server_;
    const Logger log_ = makeLogger("account");
    Mutex mutex_;
    std::optional<mysql::SqlClient> standby_ GUARDED_BY(mutex_);
    pid_t standby_of_ GUARDED_BY(mutex_) = 0;  // the process that it is a session of
    std::optional<std::chrono::steady_clock::time_point> restarted_ GUARDED_BY(mutex_);
};

}  // namespace tidemark::tenant
