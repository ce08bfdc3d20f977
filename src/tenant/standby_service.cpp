#include "tenant/standby_service.h"

#include <algorithm>

#include "base/crash_point.h"
#include "base/random.h"
#include "oceanbase/ob_error.h"
#include "tenant/carried_settings.h"
#include "tenant/server_settings.h"
#include "tenant/tenant_variables.h"

namespace tidemark::tenant {

using catalog::TenantId;
using catalog::TenantRole;
using catalog::TenantStatus;

StandbyService::StandbyService(catalog::Catalog& catalog, catalog::Stores& stores, ReplicaService& replicas,
                               TenantTurns& turns)
    : stores_(stores), replicas_(replicas), turns_(turns), rules_(catalog, stores), log_(makeLogger("tenants")) {}

catalog::Tenant StandbyService::createForRestore(const std::string& name, const TenantItems& items,
                                                 const WriteRow& write) {
    const auto turn = turns_.take(name);
    catalog::NewTenant wanted = rules_.checked(name, items);
    wanted.status = TenantStatus::Restore;
    wanted.role = TenantRole::Restore;
    catalog::Tenant tenant = write(wanted);
    replicas_.remember(tenant);
    return tenant;
}

void StandbyService::makeEmpty(TenantId id, const std::vector<std::uint32_t>& foreign_server_ids) {
    catalog::Tenant tenant = stores_.tenants.get(id);
    const auto turn = turns_.take(tenant.name);
    settleServerId(tenant, foreign_server_ids);
    // An earlier attempt may have come as far as that.
    stores_.tenants.setRole(id, TenantRole::Restore);
    replicas_.remember(stores_.tenants.get(id));
    replicas_.createEmpty(tenant);
}

void StandbyService::settleServerId(catalog::Tenant& tenant, const std::vector<std::uint32_t>& foreign) {
    const auto is_foreign = [&] { return std::ranges::find(foreign, tenant.server_id) != foreign.end(); };
    if (!is_foreign()) return;
    while (tenant.server_id == 0 || is_foreign())
        tenant.server_id = randomU32();
    stores_.tenants.setServerId(tenant.id, tenant.server_id);
}

void StandbyService::startForReplay(TenantId id) {
    const catalog::Tenant tenant = stores_.tenants.get(id);
    const auto turn = turns_.take(tenant.name);
    replicas_.configure(tenant, Profile::Replay);
    server(id)->start();
}

void StandbyService::startForUpgrade(TenantId id) {
    const catalog::Tenant tenant = stores_.tenants.get(id);
    const auto turn = turns_.take(tenant.name);
    const auto restored = server(id);
    if (!restored->stop(TenantServer::kFlushLimit)) {
        throw Error(ErrorCode::Unavailable, "mariadbd of tenant " + tenant.name + " did not end cleanly",
                    "see " + restored->paths().log().string());
    }
    replicas_.configure(tenant, Profile::Upgrade);
    restored->start();
}

void StandbyService::takeSettings(TenantId id, const std::map<std::string, std::string>& carried) {
    const catalog::Tenant tenant = stores_.tenants.get(id);
    const auto turn = turns_.take(tenant.name);
    TenantItems items;
    takeCarriedSettings(carried, items);
    auto variables = rules_.checkedVariables(items.variables);
    variables[kSystemTimeZone] = systemTimeZoneOf(tenant.variables);  // it never changes
    if (server(id)->running()) {
        mysql::SqlClient sql(server(id)->endpoint());
        auto now = serverSettings(variables);
        std::erase_if(now, [](const auto& setting) { return isFixedInReplay(setting.first); });
        setServerSettings(sql, now);
    }
    stores_.tenants.setVariables(id, variables);
}

TenantSettings StandbyService::replaySettings(TenantId id, const std::map<std::string, std::string>& carried) {
    catalog::Tenant tenant = stores_.tenants.get(id);
    const std::string zone = systemTimeZoneOf(tenant.variables);
    TenantItems items;
    takeCarriedSettings(carried, items);
    tenant.variables = rules_.checkedVariables(items.variables);
    tenant.variables.try_emplace(kSystemTimeZone, zone);
    tenant.mode = modeOf(tenant.variables);
    tenant.charset = items.charset.value_or(tenant.charset);
    tenant.collation = items.collation.value_or(tenant.collation);
    return replicas_.settings(tenant, Profile::Replay);
}

void StandbyService::finishRestore(TenantId id, bool replayed) {
    catalog::Tenant tenant = stores_.tenants.get(id);
    const auto turn = turns_.take(tenant.name);
    const auto restored = server(id);
    // Only after a clean shutdown is everything in the files: replay and upgrade run without durability.
    if (replayed && !(restored->running() && restored->stop(TenantServer::kFlushLimit))) {
        throw Error(ErrorCode::Unavailable,
                    "mariadbd of tenant " + tenant.name + " did not end cleanly after replay or upgrade",
                    "see " + restored->paths().log().string());
    }
    crashPoint("restore.flushed");
    replicas_.configure(tenant, Profile::Standby);
    restored->start();
    crashPoint("restore.server-started");
    stores_.tenants.setRole(id, TenantRole::Standby);
}

void StandbyService::openForReading(TenantId id) {
    const auto turn = turns_.take(stores_.tenants.get(id).name);
    const catalog::Tenant tenant = stores_.tenants.get(id);
    // First its views, which are still those of the tenant that was backed up.
    replicas_.follow(tenant);
    crashPoint("restore.views-installed");
    // Who may log in may have changed since the set: the replay has taken the newest word.
    replicas_.remember(tenant);
    replicas_.letReadersIn(id);
}

void StandbyService::openRestored(TenantId id) {
    const auto turn = turns_.take(stores_.tenants.get(id).name);
    stores_.tenants.setStatus(id, TenantStatus::Normal);
    const catalog::Tenant tenant = stores_.tenants.get(id);
    replicas_.remember(tenant);
    try {
        // Its units may be others than when its server was started.
        replicas_.configure(tenant);
        replicas_.resize(tenant, Profile::Standby);
    } catch (const Error& error) {
        log_->warn("tenant={} gets the size of its units at its next start: {}", tenant.name, error.what());
    }
}

void StandbyService::restart(TenantId id) {
    const auto turn = turns_.take(stores_.tenants.get(id).name);
    const catalog::Tenant tenant = stores_.tenants.get(id);
    if (tenant.status == TenantStatus::Normal) replicas_.restart(tenant);
}

void StandbyService::dropTenant(const std::string& name) {
    const auto turn = turns_.take(name);
    const auto tenant = stores_.tenants.find(name);
    if (tenant) replicas_.drop(*tenant);
}

void StandbyService::activate(TenantId id) {
    catalog::Tenant tenant = stores_.tenants.get(id);
    const auto turn = turns_.take(tenant.name);
    tenant = stores_.tenants.get(id);
    // An activation that failed on its way.
    if (tenant.role == TenantRole::Primary) return replicas_.openForWriting(tenant);
    if (tenant.status != TenantStatus::Normal) {
        throw obError(Ob::OpNotAllow, "tenant status is not normal, failover to primary is");
    }
    {
        mysql::SqlClient sql(replicas_.replicas().endpoint(id));
        sql.query("STOP ALL SLAVES");
        sql.query("RESET SLAVE ALL");
    }
    // From here on it is a primary, also for a daemon that is started again: its start then does the rest.
    stores_.tenants.setRole(id, TenantRole::Primary);
    crashPoint("activate.role-set");
    tenant = stores_.tenants.get(id);
    replicas_.remember(tenant);
    replicas_.configure(tenant);
    replicas_.openForWriting(tenant);
    log_->info("tenant={} is a primary now", tenant.name);
}

}  // namespace tidemark::tenant
