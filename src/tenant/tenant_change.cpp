// CREATE, ALTER and DROP TENANT.
#include <fmt/format.h>

#include <algorithm>

#include "base/crash_point.h"
#include "base/time_zone.h"
#include "catalog/sql_row.h"
#include "oceanbase/ob_error.h"
#include "tenant/carried_settings.h"
#include "tenant/server_settings.h"
#include "tenant/tenant_service.h"
#include "tenant/tenant_variables.h"

namespace tidemark::tenant {

using catalog::TenantId;
using catalog::TenantRole;
using catalog::TenantStatus;

namespace {

std::set<std::string> asSet(const std::vector<std::string>& names) {
    return {names.begin(), names.end()};
}

}  // namespace

void TenantService::createTenant(const std::string& name, const TenantItems& items, bool if_not_exists) {
    const Exclusive exclusive(*this, name);
    if (if_not_exists && stores_.tenants.find(name)) return;
    const catalog::NewTenant wanted = checked(name, items);
    tryServerSettings(server(catalog::kSysTenantId)->endpoint(), serverSettings(wanted.variables));
    catalog::Tenant tenant = stores_.tenants.create(wanted);
    crashPoint("tenant.row-written");
    try {
        remember(tenant);
        createFiles(tenant);
        crashPoint("tenant.files-made");
        server(tenant.id)->start();
        crashPoint("tenant.started");
        stores_.tenants.setStatus(tenant.id, TenantStatus::Normal);
        crashPoint("tenant.normal");
    } catch (...) {
        undo(tenant, "creating tenant " + name);
    }
    tenant.status = TenantStatus::Normal;
    remember(tenant);
    follow(tenant);
    log_->info("tenant={} created with id {}", name, tenant.id);
}

void TenantService::createFiles(const catalog::Tenant& tenant) {
    server(tenant.id)->create(template_, tenant.mode);
    configure(tenant, Profile::Primary);
    stores_.tenants.setAdminSecretRef(tenant.id, fmt::format("file:{}/secret", tenant.id));
}

/// The row goes last: until then the next start of the daemon finds what is left.
void TenantService::eraseTenant(const catalog::Tenant& tenant) {
    supervisor_.forget(tenant.id);
    options_.stopping(tenant.id);
    const auto doomed = server(tenant.id);
    doomed->kill();
    crashPoint("tenant.killed");
    doomed->removeFiles();
    crashPoint("tenant.files-removed");
    stores_.tenants.remove(tenant.id);
    crashPoint("tenant.row-removed");
    forgetEntry(tenant.id);
}

void TenantService::undo(const catalog::Tenant& tenant, const std::string& doing) {
    const std::exception_ptr failure = std::current_exception();
    try {
        eraseTenant(tenant);
    } catch (const std::exception& error) {
        log_->error("tenant={} is left half-made, the next start of the daemon removes it: {}", tenant.name,
                    error.what());
    }
    try {
        std::rethrow_exception(failure);
    } catch (const Error& error) {
        throw error.in(doing);
    } catch (const std::filesystem::filesystem_error& error) {
        throwErrno(error.code().value(), doing + ": " + error.path1().string());
    }
}

/// The zones of pools that are to be granted to one tenant.
std::vector<std::string> TenantService::zonesOf(const std::vector<std::string>& pools) {
    std::vector<std::string> zones;
    for (const std::string& name : pools) {
        const auto pool = stores_.resources.findPool(name);
        if (!pool) throw obError(Ob::PoolNotExist, name);
        if (pool->tenant) throw obError(Ob::PoolAlreadyGranted, name);
        // There is one server in a zone, so a zone in common is a server in common.
        for (const std::string& zone : pool->zones) {
            const auto same = [&](const std::string& other) { return catalog::equalNames(other, zone); };
            if (std::any_of(zones.begin(), zones.end(), same))
                throw obError(Ob::PoolServerIntersect, fmt::format("({})", fmt::join(pools, ",")));
        }
        zones.insert(zones.end(), pool->zones.begin(), pool->zones.end());
    }
    return zones;
}

void TenantService::requireCreatable(const std::string& name, const TenantItems& items) {
    checked(name, items);
}

bool TenantService::serverKnows(const std::string& variable) {
    return catalog_.read([&](mysql::SqlClient& sql) { return knowsVariable(sql, variable); });
}

catalog::NewTenant TenantService::checked(const std::string& name, const TenantItems& items) {
    checkTenantName(name);
    if (stores_.tenants.find(name)) throw obError(Ob::TenantExist, name);
    if (!items.pools || items.pools->empty()) throw obError(Ob::MissArgument, "resource_pool_list");
    catalog::NewTenant tenant{.name = name, .pools = *items.pools};
    tenant.variables = checkVariables(items.variables, [&](const auto& variable) { return serverKnows(variable); });
    tenant.mode = modeOf(tenant.variables);
    requireModesSqlMode(tenant.mode, tenant.variables);
    tenant.variables.try_emplace(kSystemTimeZone, systemTimeZone());
    checkCharset(tenant, items);
    const auto zones = zonesOf(tenant.pools);
    if (items.locality) tenant.locality = checkedLocality(*items.locality, zones);
    if (items.primary_zone) tenant.primary_zone = checkedPrimaryZone(*items.primary_zone, zones);
    tenant.comment = items.comment.value_or("");
    return tenant;
}

/// sys's mariadbd is the one who knows which there are.
void TenantService::checkCharset(catalog::NewTenant& tenant, const TenantItems& items) {
    if (!items.charset && !items.collation) return;
    std::string charset = items.charset.value_or("");
    if (charset == "utf8") charset = "utf8mb4";  // OceanBase's utf8 has always had four bytes
    const auto answer = catalog_.read([&](mysql::SqlClient& sql) {
        if (items.collation) {
            return sql.query(
                "SELECT character_set_name AS charset, full_collation_name AS collation "
                "FROM information_schema.collation_character_set_applicability WHERE full_collation_name = ?",
                {*items.collation});
        }
        return sql.query(
            "SELECT character_set_name AS charset, default_collate_name AS collation "
            "FROM information_schema.character_sets WHERE character_set_name = ?",
            {charset});
    });
    if (answer.empty() && items.collation) {
        throw Error(ErrorCode::InvalidRequest, SqlCode{1273, "HY000"}, "Unknown collation: '" + *items.collation + "'");
    }
    if (answer.empty()) {
        throw Error(ErrorCode::InvalidRequest, SqlCode{1115, "42000"}, "Unknown character set: '" + charset + "'");
    }
    tenant.charset = answer.rows[0].text("charset");
    tenant.collation = answer.rows[0].text("collation");
    if (!charset.empty() && charset != tenant.charset) {
        throw Error(ErrorCode::InvalidRequest, SqlCode{1253, "42000"},
                    fmt::format("COLLATION '{}' is not valid for CHARACTER SET '{}'", tenant.collation, charset));
    }
}

void TenantService::alterTenant(const std::string& name, const TenantItems& items) {
    const Exclusive exclusive(*this, name);
    const catalog::Tenant tenant = stores_.tenants.get(name);
    if (items.charset || items.collation) throw obError(Ob::NotSupported, "changing the character set of a tenant is");
    std::vector<std::string> pools, zones;
    for (const catalog::ResourcePool& pool : stores_.resources.pools()) {
        if (pool.tenant == tenant.id)
            pools.push_back(pool.name), zones.insert(zones.end(), pool.zones.begin(), pool.zones.end());
    }
    if (items.pools && asSet(*items.pools) != asSet(pools)) throw obError(Ob::InvalidArgument, "resource pool list");
    if (items.locality && checkedLocality(*items.locality, zones) != tenant.locality) {
        throw obError(Ob::NotSupported, "changing the locality of a tenant is");
    }
    if (items.locked && *items.locked && tenant.id == catalog::kSysTenantId)
        throw obError(Ob::OpNotAllow, "locking tenant sys is");
    if (!items.variables.empty()) alterVariables(tenant, items.variables);
    if (items.primary_zone) stores_.tenants.setPrimaryZone(tenant.id, checkedPrimaryZone(*items.primary_zone, zones));
    if (items.comment) stores_.tenants.setComment(tenant.id, *items.comment);
    if (items.locked) stores_.tenants.setLocked(tenant.id, *items.locked);
    remember(stores_.tenants.get(tenant.id));
}

/// The running server is asked first: it knows whether it likes a value.
void TenantService::alterVariables(const catalog::Tenant& tenant, const std::map<std::string, std::string>& given) {
    const auto altered = checkVariables(given, [&](const auto& variable) { return serverKnows(variable); });
    const auto mode = altered.find("ob_compatibility_mode");
    if (mode != altered.end()) throw obError(Ob::OpNotAllow, "changing ob_compatibility_mode of a tenant is");
    // Its log says SYSTEM of sessions in this zone: one tenant's SYSTEM is one zone for ever.
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
        sql.emplace(server(tenant.id)->endpoint());
        setServerSettings(*sql, for_server);
    }
    // The time first: what is committed after it, and so behind the position, has a later SCN.
    change.scn = static_cast<Scn>(catalog_.clock().now());
    if (sql) change.gtid = sql->scalar("SELECT @@gtid_binlog_pos").value_or("");
    if (tenant.log_mode == catalog::LogMode::Archivelog) stores_.setting_changes.add(change);
    stores_.tenants.setVariables(tenant.id, changed.variables);
    configure(changed, tenant.role == TenantRole::Primary ? Profile::Primary : Profile::Standby);
}

void TenantService::renameTenant(const std::string& name, const std::string& new_name) {
    const Exclusive exclusive(*this, name);
    checkTenantName(new_name);
    const catalog::Tenant tenant = stores_.tenants.get(name);
    if (tenant.id == catalog::kSysTenantId) throw obError(Ob::OpNotAllow, "renaming tenant sys is");
    if (tenant.status == catalog::TenantStatus::Restore)
        throw obError(Ob::OpNotAllow, "renaming a tenant being restored is");
    stores_.tenants.rename(tenant.id, new_name);
    server(tenant.id)->rename(new_name);
    remember(stores_.tenants.get(tenant.id));
}

void TenantService::requireDroppable(const catalog::Tenant& tenant, bool force) {
    if (tenant.id == catalog::kSysTenantId) throw obError(Ob::OpNotAllow, "dropping tenant sys is");
    if (tenant.status != TenantStatus::Restore || force) return;
    throw obError(Ob::OpNotAllow, "dropping a tenant that is being restored is",
                  "ALTER SYSTEM CANCEL RESTORE " + tenant.name);
}

void TenantService::dropTenant(const std::string& name, bool force, bool if_exists) {
    const Exclusive exclusive(*this, name);
    const auto tenant = stores_.tenants.find(name);
    if (!tenant && if_exists) return;
    if (!tenant) throw obError(Ob::TenantNotExist, name);
    requireDroppable(*tenant, force);
    stores_.tenants.setStatus(tenant->id, TenantStatus::Dropping);
    crashPoint("tenant.dropping");
    remember(stores_.tenants.get(tenant->id));
    eraseTenant(*tenant);
    log_->info("tenant={} with id {} dropped", name, tenant->id);
}

}  // namespace tidemark::tenant
