#pragma once

#include <map>
#include <string>
#include <vector>

#include "catalog/catalog.h"

namespace tidemark::catalog {

struct Tenant {
    TenantId id = 0;
    std::string name;
    TenantStatus status = TenantStatus::Creating;
    TenantRole role = TenantRole::Primary;
    CompatibilityMode mode = CompatibilityMode::Mysql;
    SwitchoverStatus switchover_status = SwitchoverStatus::Normal;
    std::int64_t switchover_epoch = 0;  ///< grows with every change of role
    std::string primary_zone = "RANDOM";
    std::string locality;
    std::string comment;
    LogMode log_mode = LogMode::NoArchivelog;
    bool locked = false;
    std::uint32_t server_id = 0;   ///< replication server id: random, unlike any in a log it will replay
    std::string admin_secret_ref;  ///< where the daemon finds its account's password; never the password, in no view
    std::string charset = "utf8mb4";
    std::string collation = "utf8mb4_general_ci";
    std::map<std::string, std::string> variables;  ///< as given to CREATE TENANT … SET
    RestoreDataMode data_mode = RestoreDataMode::Normal;
    Scn sync_scn = 0;                              ///< archived (primary) or received (standby) up to here
    Scn readable_scn = 0;                          ///< applied up to here
    Scn recovery_until_scn = kScnUnlimited;
    Nanos create_time = 0;
    Nanos modify_time = 0;
};

/// What CREATE TENANT and RESTORE need; the rest has its default.
struct NewTenant {
    std::string name;
    std::vector<std::string> pools;  ///< at least one
    TenantStatus status = TenantStatus::Creating;
    TenantRole role = TenantRole::Primary;
    CompatibilityMode mode = CompatibilityMode::Mysql;
    std::string primary_zone = "RANDOM";
    std::string locality;  ///< empty: FULL{1}@ each zone of the pools
    std::string comment;
    std::string charset = "utf8mb4";
    std::string collation = "utf8mb4_general_ci";
    std::map<std::string, std::string> variables;
};

/// TenantStore::create() within the transaction of the caller, which tells of Topic::Everything of the tenant.
Tenant createTenant(mysql::SqlClient& client, const NewTenant& tenant, Nanos now);

/// Tenants. Thread-safe. Names are compared in any case.
class TenantStore {
public:
    explicit TenantStore(Catalog& catalog) : catalog_(catalog) {}

    /// Allocates the id and a random server id, grants the pools, writes the row and one of a replica at each node that
    /// has a unit of the pools; one transaction.
    /// Throws Ob::TenantExist, Ob::PoolNotExist, Ob::PoolAlreadyGranted, Ob::EmptyPoolList.
    Tenant create(const NewTenant& tenant);
    /// Takes the row away and with it all of the tenant's records but the history of restores; its pools are free
    /// again. Nothing happens if there is no such tenant.
    void remove(TenantId id);

    std::optional<Tenant> find(TenantId id);
    std::optional<Tenant> find(const std::string& name);
    /// Throws Ob::TenantNotExist.
    Tenant get(const std::string& name);
    Tenant get(TenantId id);
    /// In order of ids, sys first.
    std::vector<Tenant> all();

    /// Of the tenant and of all its replicas.
    void setStatus(TenantId id, TenantStatus status);
    /// Another role than the present one counts up the switchover epoch.
    void setRole(TenantId id, TenantRole role);
    void setDataMode(TenantId id, RestoreDataMode mode);
    void setLogMode(TenantId id, LogMode mode);
    void setLocked(TenantId id, bool locked);
    void setComment(TenantId id, const std::string& comment);
    void setPrimaryZone(TenantId id, const std::string& primary_zone);
    void setVariables(TenantId id, const std::map<std::string, std::string>& variables);
    void setServerId(TenantId id, std::uint32_t server_id);
    void setAdminSecretRef(TenantId id, const std::string& reference);
    /// Throws Ob::TenantExist.
    void rename(TenantId id, const std::string& name);
    /// For frequent use: writes nothing that is not greater than before, and reports a change only then.
    void advanceScn(TenantId id, Scn sync_scn, Scn readable_scn);

private:
    void set(TenantId id, const char* column, const mysql::Value& value);

    Catalog& catalog_;
};

}  // namespace tidemark::catalog
