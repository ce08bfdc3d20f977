#include "tenant/tenant_service.h"

#include <set>

#include "base/crash_point.h"
#include "oceanbase/ob_error.h"
#include "tenant/carried_settings.h"
#include "tenant/resource_rules.h"
#include "tenant/server_settings.h"
#include "tenant/tenant_variables.h"

namespace tidemark::tenant {

using catalog::TenantStatus;

TenantService::TenantService(catalog::Catalog& catalog, catalog::Stores& stores, ReplicaService& replicas,
                             TenantTurns& turns)
    : catalog_(catalog),
      stores_(stores),
      replicas_(replicas),
      turns_(turns),
      rules_(catalog, stores),
      log_(makeLogger("tenants")) {}

void TenantService::create(const std::string& name, const TenantItems& items, bool if_not_exists) {
    const auto turn = turns_.take(name);
    if (if_not_exists && stores_.tenants.find(name)) return;
    const catalog::NewTenant wanted = rules_.checked(name, items);
    tryServerSettings(replicas_.replicas().endpoint(catalog::kSysTenantId), serverSettings(wanted.variables));
    catalog::Tenant tenant = stores_.tenants.create(wanted);
    crashPoint("tenant.row-written");
    try {
        replicas_.remember(tenant);
        replicas_.createFiles(tenant);
        replicas_.configure(tenant);
        crashPoint("tenant.files-made");
        replicas_.startNew(tenant);
        crashPoint("tenant.started");
        stores_.tenants.setStatus(tenant.id, TenantStatus::Normal);
        crashPoint("tenant.normal");
    } catch (...) {
        replicas_.undo(tenant, "creating tenant " + name);
    }
    tenant.status = TenantStatus::Normal;
    replicas_.remember(tenant);
    replicas_.follow(tenant);
    log_->info("tenant={} created with id {}", name, tenant.id);
}

std::vector<catalog::ResourcePool> TenantService::poolsOf(catalog::TenantId tenant) {
    auto pools = stores_.resources.pools();
    std::erase_if(pools, [&](const catalog::ResourcePool& pool) { return pool.tenant != tenant; });
    return pools;
}

/// ALTER TENANT may name what cannot be changed, as long as it stays what it is.
void TenantService::requireUnchanged(const catalog::Tenant& tenant, const TenantItems& items) {
    if (items.charset || items.collation) throw obError(Ob::NotSupported, "changing the character set of a tenant is");
    if (items.locked && *items.locked && tenant.id == catalog::kSysTenantId)
        throw obError(Ob::OpNotAllow, "locking tenant sys is");
    if (!items.pools) return;
    std::set<std::string> present;
    for (const catalog::ResourcePool& pool : poolsOf(tenant.id))
        present.insert(pool.name);
    if (std::set<std::string>(items.pools->begin(), items.pools->end()) != present)
        throw obError(Ob::InvalidArgument, "resource pool list");
}

void TenantService::alter(const std::string& name, const TenantItems& items) {
    const auto turn = turns_.take(name);
    const catalog::Tenant tenant = stores_.tenants.get(name);
    requireUnchanged(tenant, items);
    std::vector<std::string> zones;
    for (const catalog::ResourcePool& pool : poolsOf(tenant.id))
        zones.insert(zones.end(), pool.zones.begin(), pool.zones.end());
    if (items.locality && checkedLocality(*items.locality, zones) != tenant.locality) {
        throw obError(Ob::NotSupported, "changing the locality of a tenant is");
    }
    if (!items.variables.empty()) alterVariables(tenant, items.variables);
    if (items.primary_zone) stores_.tenants.setPrimaryZone(tenant.id, checkedPrimaryZone(*items.primary_zone, zones));
    if (items.comment) stores_.tenants.setComment(tenant.id, *items.comment);
    if (items.locked) stores_.tenants.setLocked(tenant.id, *items.locked);
    replicas_.remember(stores_.tenants.get(tenant.id));
}

/// The running server is asked first, because it alone knows which values it takes.
void TenantService::alterVariables(const catalog::Tenant& tenant, const std::map<std::string, std::string>& given) {
    const auto altered = rules_.checkedVariables(given);
    if (altered.contains("ob_compatibility_mode"))
        throw obError(Ob::OpNotAllow, "changing ob_compatibility_mode of a tenant is");
    // The tenant's log says SYSTEM of sessions in this zone. So SYSTEM must mean the same zone for ever.
    if (altered.contains(kSystemTimeZone)) {
        throw obError(Ob::OpNotAllow, "changing system_time_zone of a tenant is",
                      "ALTER TENANT … SET VARIABLES time_zone = '…'");
    }
    requireModesSqlMode(tenant.mode, altered);
    catalog::Tenant changed = tenant;
    for (const auto& [variable, value] : altered)
        changed.variables[variable] = value;
    catalog::SettingChange change{.tenant = tenant.id, .settings = carriedSettings(changed)};
    const auto for_server = serverSettings(altered);
    std::optional<mysql::SqlClient> sql;
    if (!for_server.empty()) {
        sql.emplace(replicas_.replicas().endpoint(tenant.id));
        setServerSettings(*sql, for_server);
    }
    // The time is taken before the position: whatever is committed after the time, and so perhaps behind the position,
    // has a later SCN.
    change.scn = static_cast<Scn>(catalog_.clock().now());
    if (sql) change.gtid = sql->scalar("SELECT @@gtid_binlog_pos").value_or("");
    if (tenant.log_mode == catalog::LogMode::Archivelog) stores_.setting_changes.add(change);
    stores_.tenants.setVariables(tenant.id, changed.variables);
    replicas_.configure(changed);
}

void TenantService::rename(const std::string& name, const std::string& new_name) {
    const auto turn = turns_.take(name);
    checkTenantName(new_name);
    const catalog::Tenant tenant = stores_.tenants.get(name);
    if (tenant.id == catalog::kSysTenantId) throw obError(Ob::OpNotAllow, "renaming tenant sys is");
    if (tenant.status == TenantStatus::Restore) throw obError(Ob::OpNotAllow, "renaming a tenant being restored is");
    stores_.tenants.rename(tenant.id, new_name);
    if (const auto replica = replicas_.replicas().get(tenant.id); replica->isManaged())
        replica->server()->rename(new_name);
    replicas_.remember(stores_.tenants.get(tenant.id));
}

void TenantService::requireDroppable(const catalog::Tenant& tenant, bool force) {
    if (tenant.id == catalog::kSysTenantId) throw obError(Ob::OpNotAllow, "dropping tenant sys is");
    if (tenant.status != TenantStatus::Restore || force) return;
    throw obError(Ob::OpNotAllow, "dropping a tenant that is being restored is",
                  "ALTER SYSTEM CANCEL RESTORE " + tenant.name);
}

void TenantService::drop(const std::string& name, bool force, bool if_exists) {
    const auto turn = turns_.take(name);
    const auto tenant = stores_.tenants.find(name);
    if (!tenant && if_exists) return;
    if (!tenant) throw obError(Ob::TenantNotExist, name);
    requireDroppable(*tenant, force);
    replicas_.drop(*tenant);
}

}  // namespace tidemark::tenant
