#include "tenant/account_keeper.h"

#include "tenant/tenant_server.h"

namespace tidemark::tenant {
namespace {

/// A restart ends the sessions of the tenant's clients: whatever goes on, not more often than this.
constexpr std::chrono::minutes kBetweenRestarts{2};
/// Who logs in waits for a repair, and may work for other tenants too (the mirror of views): a server that hangs does
/// not hold him up for longer than these.
constexpr std::chrono::seconds kReachLimit{2};
constexpr std::chrono::seconds kRepairLimit{5};
constexpr std::chrono::seconds kStopLimit{20};
constexpr std::chrono::seconds kStartLimit{10};

mysql::Endpoint impatient(mysql::Endpoint endpoint) {
    endpoint.connect_timeout = kReachLimit;
    endpoint.statement_timeout = kRepairLimit;
    return endpoint;
}

}  // namespace

AccountKeeper::AccountKeeper(std::weak_ptr<TenantServer> server) : server_(std::move(server)) {}

std::string AccountKeeper::check() const {
    const auto server = server_.lock();
    return accountCheckSql(server ? server->mode() : catalog::CompatibilityMode::Mysql);
}

void AccountKeeper::accepted() {
    const auto server = server_.lock();
    if (!server) return;
    const mysql::WithoutGuard unguarded;
    const MutexLock lock(mutex_);
    const pid_t process = server->pid().value_or(0);
    if (standby_ && standby_of_ == process) return;
    standby_.reset();
    try {
        standby_.emplace(impatient(server->endpoint()));
        standby_of_ = process;
    } catch (const Error&) {
        // the next login will do
    }
}

void AccountKeeper::restore(const Error& refusal) {
    const auto server = server_.lock();
    if (!server) throw refusal;
    const mysql::WithoutGuard unguarded;
    const MutexLock lock(mutex_);
    if (works(server->endpoint())) return;  // another session has seen to it meanwhile
    log_->warn("tenant={} the daemon's account is refused: {}", server->name(), refusal.what());
    if (repair(*server)) {
        log_->info("tenant={} the daemon's account is as it was", server->name());
        return;
    }
    restart(*server, refusal);
}

bool AccountKeeper::works(const mysql::Endpoint& endpoint) {
    try {
        return mysql::SqlClient(impatient(endpoint)).scalar(check()) == "1";
    } catch (const Error&) {
        return false;
    }
}

bool AccountKeeper::repair(const TenantServer& server) {
    if (!standby_) return false;
    try {
        const std::string secret = server.endpoint().password;
        standby_->script("SET sql_log_bin = 0; " +
                         (server.replaying() ? makeAccountSql(secret, server.mode()) : repairAccountSql(secret)));
    } catch (const Error& error) {
        log_->debug("tenant={} the account cannot be repaired: {}", server.name(), error.what());
        standby_.reset();
        return false;
    }
    return works(server.endpoint());
}

void AccountKeeper::restart(TenantServer& server, const Error& refusal) {
    const auto now = std::chrono::steady_clock::now();
    if (server.replaying() || (restarted_ && now - *restarted_ < kBetweenRestarts)) throw refusal;
    restarted_ = now;
    log_->warn("tenant={} is restarted, which makes the daemon's account again", server.name());
    standby_.reset();
    server.stop(kStopLimit);
    server.start(kStartLimit);
    if (!works(server.endpoint())) throw refusal;
    log_->info("tenant={} the daemon's account is made again", server.name());
}

}  // namespace tidemark::tenant
