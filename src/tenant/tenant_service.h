#pragma once

#include <map>
#include <string>

#include "base/log.h"
#include "catalog/stores.h"
#include "tenant/new_tenant.h"
#include "tenant/replica_service.h"
#include "tenant/tenant_turns.h"

namespace tidemark::tenant {

/// CREATE, ALTER, RENAME and DROP TENANT: a tenant as its users know it, with name, role, mode and settings. What lies
/// and runs on this node for it is ReplicaService's.
///
/// Thread-safe; calls about the same tenant wait for each other. They block for as long as a mariadbd needs to start
/// or stop. Errors are OceanBase's where it has one for the case.
class TenantService {
public:
    TenantService(catalog::Catalog& catalog, catalog::Stores& stores, ReplicaService& replicas, TenantTurns& turns);

    void create(const std::string& name, const TenantItems& items, bool if_not_exists = false);
    void alter(const std::string& name, const TenantItems& items);
    void rename(const std::string& name, const std::string& new_name);
    /// Removes the tenant and its data at once; its pools stay. Without `force` a tenant that is being restored is
    /// refused (Ob::OpNotAllow). sys cannot be dropped.
    void drop(const std::string& name, bool force = false, bool if_exists = false);
    /// Throws what drop() would throw about the tenant, for those who have something to end before.
    static void requireDroppable(const catalog::Tenant& tenant, bool force);

private:
    void alterVariables(const catalog::Tenant& tenant, const std::map<std::string, std::string>& given);
    void requireUnchanged(const catalog::Tenant& tenant, const TenantItems& items);
    std::vector<catalog::ResourcePool> poolsOf(catalog::TenantId tenant);

    catalog::Catalog& catalog_;
    catalog::Stores& stores_;
    ReplicaService& replicas_;
    TenantTurns& turns_;
    NewTenantRules rules_;
    const Logger log_;
};

}  // namespace tidemark::tenant
