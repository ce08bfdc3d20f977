#include "archive/binlog_purger.h"

#include <fmt/format.h>
#include <pthread.h>

#include <algorithm>

#include "base/error.h"
#include "mysql/wire_client.h"

namespace tidemark::archive {

using std::chrono::steady_clock;

constexpr std::chrono::minutes kExpiryPeriod{10};

BinlogPurger::BinlogPurger(BinlogPurgerOptions options, catalog::Stores& stores)
    : options_(std::move(options)),
      stores_(stores),
      log_(makeLogger("binlog-purge")),
      expiry_due_(steady_clock::now() + kExpiryPeriod),
      thread_([this](const std::stop_token& stop) { run(stop); }) {}

BinlogPurger::~BinlogPurger() {
    thread_.request_stop();
    thread_.join();
}

void BinlogPurger::purge(catalog::TenantId tenant, const std::string& before) {
    const MutexLock lock(mutex_);
    wanted_[tenant] = {before, steady_clock::now()};
    changed_.notifyAll();
}

void BinlogPurger::forget(catalog::TenantId tenant) {
    const MutexLock lock(mutex_);
    wanted_.erase(tenant);
}

void BinlogPurger::run(const std::stop_token& stop) {
    pthread_setname_np(pthread_self(), "binlog-purge");
    while (!stop.stop_requested()) {
        {
            MutexLock lock(mutex_);
            const auto due = nextDue();
            changed_.waitUntil(lock, stop, due, [&]() REQUIRES(mutex_) { return nextDue() < due; });
        }
        purgeDue(stop);
        if (steady_clock::now() >= expiry_due_ && !stop.stop_requested()) expireUnarchived(stop);
    }
}

steady_clock::time_point BinlogPurger::nextDue() const {
    auto due = expiry_due_;
    for (const auto& [tenant, wanted] : wanted_)
        due = std::min(due, wanted.due);
    return due;
}

void BinlogPurger::purgeDue(const std::stop_token& stop) {
    std::map<catalog::TenantId, Wanted> due;
    {
        const MutexLock lock(mutex_);
        for (const auto& [tenant, wanted] : wanted_) {
            if (wanted.due <= steady_clock::now()) due.emplace(tenant, wanted);
        }
    }
    for (auto& [tenant, wanted] : due) {
        std::string failure;
        try {
            ask(tenant, fmt::format("PURGE BINARY LOGS TO '{}'", wanted.before), stop);
            log_->debug("tenant {}: purged the binlog before {}", tenant, wanted.before);
        } catch (const Error& error) {
            if (stop.stop_requested()) return;
            failure = error.what();
        }
        const MutexLock lock(mutex_);
        const auto now = wanted_.find(tenant);
        if (now == wanted_.end() || now->second.before != wanted.before) continue;  // overtaken
        if (failure.empty()) {
            wanted_.erase(now);
            continue;
        }
        if (!wanted.failed)
            log_->warn("tenant {}: the binlog before {} is archived, but could not be purged: {}", tenant,
                       wanted.before, failure);
        now->second = {wanted.before, steady_clock::now() + options_.retry, true};
    }
}

void BinlogPurger::expireUnarchived(const std::stop_token& stop) {
    expiry_due_ = steady_clock::now() + kExpiryPeriod;
    try {
        for (const catalog::Tenant& tenant : stores_.tenants.all()) {
            if (tenant.log_mode == catalog::LogMode::Archivelog) continue;
            if (tenant.status != catalog::TenantStatus::Normal) continue;
            try {
                ask(tenant.id,
                    fmt::format("PURGE BINARY LOGS BEFORE NOW() - INTERVAL {} SECOND",
                                options_.unarchived_binlog.count()),
                    stop);
            } catch (const Error& error) {
                if (stop.stop_requested()) return;
                log_->warn("old binlogs of tenant {} were not purged this time: {}", tenant.name, error.what());
            }
        }
    } catch (const std::exception& error) {
        log_->warn("old binlogs were not purged this time: {}", error.what());
    }
}

/// Over a connection that a stop wakes, whatever the tenant does.
void BinlogPurger::ask(catalog::TenantId tenant, const std::string& statement, const std::stop_token& stop) {
    mysql::Endpoint endpoint = options_.endpoint(tenant);
    endpoint.connect_timeout = options_.answer_limit;
    mysql::WireClient(endpoint, stop).query(statement);
}

}  // namespace tidemark::archive
