#pragma once

#include <string>
#include <vector>

#include "catalog/catalog.h"

namespace tidemark::catalog {

/// A copy of a tenant's database at one node. A tenant has one or, in a cluster, several; of one it may have none here.
struct Replica {
    TenantId tenant = 0;
    std::int64_t server = 1;  ///< the node, as in Server
    ReplicaKind kind = ReplicaKind::Managed;
    ReplicaRole role = ReplicaRole::Leader;
    /// Of this copy: a tenant may be NORMAL while one of its replicas is made or dropped.
    TenantStatus status = TenantStatus::Creating;
    std::string directory;  ///< below the node's directory of tenants; empty: none that is ours
    /// Of an attached server, where it is reached: a unix socket's path, or host:port. Empty: that of the directory.
    std::string endpoint;
    std::string account;     ///< of an attached server, as whom; empty: the daemon's own
    std::string secret_ref;  ///< where its password is found: file:/path; never the password
    Nanos create_time = 0;
    Nanos modify_time = 0;
};

/// Replicas, to be read: their rows are written with the tenant's, in the same transaction (TenantStore). Thread-safe.
class ReplicaStore {
public:
    explicit ReplicaStore(Catalog& catalog) : catalog_(catalog) {}

    /// The replicas at one node, in order of tenants.
    std::vector<Replica> at(std::int64_t server);

private:
    Catalog& catalog_;
};

/// Within a transaction that has granted the tenant its units: a replica at each node that has one of them. The first
/// of them leads.
void insertReplicas(mysql::SqlClient& client, TenantId tenant, TenantStatus status, const mysql::Value& now);
/// Within a transaction that sets the tenant's status: of all its replicas.
void setStatusOfReplicas(mysql::SqlClient& client, TenantId tenant, TenantStatus status, const mysql::Value& now);

}  // namespace tidemark::catalog
