#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/mutex.h"
#include "catalog/tenant_store.h"
#include "tenant/replica.h"

namespace tidemark::tenant {

/// What the front has to know of a tenant to let a client in.
struct LoginTarget {
    catalog::TenantId id = 0;
    std::string name;
    std::string socket;
    bool up = false;      ///< its process runs (it may still be starting)
    bool locked = false;  ///< answer Ob::TenantIsLocked
    catalog::TenantStatus status = catalog::TenantStatus::Normal;
    bool readable = false;  ///< though it is in status RESTORE
    catalog::TenantRole role = catalog::TenantRole::Primary;
    catalog::CompatibilityMode mode = catalog::CompatibilityMode::Mysql;
    std::string invited_nodes = "%";  ///< ob_tcp_invited_nodes, as given
    unsigned client_connections = 0;  ///< more are refused with Ob::TooManyConnections
};

/// The replicas on this node, in memory: where a login leads, and how the daemon reaches a tenant.
///
/// Whoever asks is given an immutable snapshot. A change makes a new one and puts it in the old one's place, so nobody
/// who asks waits for more than the copy of a pointer: for no fork, no disk, and no other tenant. Thread-safe.
class Replicas {
public:
    /// No I/O: for every login. nullopt if there is no such tenant; its name counts in any case.
    std::optional<LoginTarget> loginTarget(const std::string& name) const;
    bool has(catalog::TenantId id) const { return snapshot()->by_id.contains(id); }
    /// Throws Ob::TenantNotExist if the tenant has none here.
    std::shared_ptr<const Replica> get(catalog::TenantId id) const;
    /// Its process and directory. Throws also Ob::NotSupported if the server is attached.
    std::shared_ptr<TenantServer> server(catalog::TenantId id) const { return get(id)->server(); }
    /// For the daemon's own connections. Throws Ob::TenantNotExist.
    mysql::Endpoint endpoint(catalog::TenantId id) const { return get(id)->endpoint(); }
    /// The servers that Tidemark runs. In order of ids, sys first.
    std::vector<std::shared_ptr<TenantServer>> servers() const;

    /// Takes the tenant's row over into what logins see. `replica` is the one that it has from now on.
    void put(const catalog::Tenant& tenant, std::shared_ptr<const Replica> replica, unsigned client_connections);
    /// Until put() takes the tenant over in role RESTORE.
    void letReadersIn(catalog::TenantId id);
    void remove(catalog::TenantId id);

private:
    struct Entry {
        LoginTarget target;  ///< but for `up`, which is asked at each login
        std::shared_ptr<const Replica> replica;
    };
    struct Snapshot {
        std::map<catalog::TenantId, Entry> by_id;
        std::map<std::string, catalog::TenantId> by_name;  ///< lower case
    };

    std::shared_ptr<const Snapshot> snapshot() const EXCLUDES(mutex_);
    template <typename Change>
    void change(Change apply);

    Mutex changing_;       ///< one change at a time
    mutable Mutex mutex_;  ///< held for the copy of a pointer
    std::shared_ptr<const Snapshot> present_ GUARDED_BY(mutex_) = std::make_shared<Snapshot>();
};

}  // namespace tidemark::tenant
