#pragma once

#include <memory>
#include <string>

#include "catalog/replica_store.h"
#include "tenant/tenant_server.h"

namespace tidemark::tenant {

/// A tenant's replica on this node.
///
/// A managed one is a directory and a mariadbd that Tidemark makes, starts, watches and removes: a TenantServer. An
/// attached one is a server that somebody else runs. It has an address and an account, perhaps no directory here;
/// Tidemark works with it, but neither starts nor stops nor removes it.
///
/// Immutable, but for what a TenantServer does. Thread-safe.
class Replica {
public:
    explicit Replica(std::shared_ptr<TenantServer> server) : server_(std::move(server)) {}
    /// The attached one of a row.
    explicit Replica(const catalog::Replica& attached);

    bool isManaged() const { return server_ != nullptr; }
    /// Its process and directory. Throws Ob::NotSupported for an attached one.
    std::shared_ptr<TenantServer> server() const;
    /// For the daemon's own connections.
    mysql::Endpoint endpoint() const;
    /// Where the front leads clients to; empty if that is no unix socket.
    std::string socket() const;
    /// Whether a process runs that may take a connection. Of an attached server only the attempt tells.
    bool mayBeUp() const { return !server_ || server_->running(); }

private:
    std::shared_ptr<TenantServer> server_;  ///< null: attached
    mysql::Endpoint address_;               ///< of an attached one, without its password
    std::string secret_ref_;
};

}  // namespace tidemark::tenant
