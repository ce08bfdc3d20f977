#pragma once

#include <memory>

#include "base/mutex.h"
#include "front/tenant_directory.h"
#include "mysql/handshake.h"
#include "net/asio.h"

namespace tidemark::front {

/// What the front says of itself before it knows the tenant: what a tenant's mariadbd would say, less what the front
/// does not do (compression, TLS, MySQL 8's and unknown extensions). Thread-safe.
class GreetingCache {
public:
    explicit GreetingCache(const TenantDirectory& directory) : directory_(directory) {}

    /// The greeting without thread id and scramble. Asks a running tenant if none is known yet; as long as none runs,
    /// a built-in one stands in.
    net::Awaitable<mysql::Greeting> get();

    /// Keeps the cache true after an upgrade: called with the greeting of every tenant that a session enters.
    void learn(const mysql::Greeting& of_tenant);

private:
    std::shared_ptr<const mysql::Greeting> known() const;

    const TenantDirectory& directory_;
    mutable Mutex mutex_;
    std::shared_ptr<const mysql::Greeting> known_ GUARDED_BY(mutex_);
};

/// `of_tenant` with the bits masked that the front does not pass on.
mysql::Greeting offeredGreeting(const mysql::Greeting& of_tenant);

}  // namespace tidemark::front
