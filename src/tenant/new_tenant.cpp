#include "tenant/new_tenant.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/time_zone.h"
#include "catalog/sql_row.h"
#include "oceanbase/ob_error.h"
#include "tenant/resource_rules.h"
#include "tenant/server_settings.h"
#include "tenant/tenant_variables.h"

namespace tidemark::tenant {
namespace {

/// The rows of sys's mariadbd that describe what was asked for: the server is the one who knows which there are.
mysql::Result charsetAndCollation(mysql::SqlClient& sql, const std::string& charset,
                                  const std::optional<std::string>& collation) {
    if (collation) {
        return sql.query(
            "SELECT character_set_name AS charset, full_collation_name AS collation "
            "FROM information_schema.collation_character_set_applicability WHERE full_collation_name = ?",
            {*collation});
    }
    return sql.query(
        "SELECT character_set_name AS charset, default_collate_name AS collation "
        "FROM information_schema.character_sets WHERE character_set_name = ?",
        {charset});
}

}  // namespace

catalog::NewTenant NewTenantRules::checked(const std::string& name, const TenantItems& items) {
    checkTenantName(name);
    if (stores_.tenants.find(name)) throw obError(Ob::TenantExist, name);
    if (!items.pools || items.pools->empty()) throw obError(Ob::MissArgument, "resource_pool_list");
    catalog::NewTenant tenant{.name = name, .pools = *items.pools};
    tenant.variables = checkedVariables(items.variables);
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

std::map<std::string, std::string> NewTenantRules::checkedVariables(const std::map<std::string, std::string>& given) {
    return checkVariables(given, [&](const std::string& variable) {
        return catalog_.read([&](mysql::SqlClient& sql) { return knowsVariable(sql, variable); });
    });
}

void NewTenantRules::checkCharset(catalog::NewTenant& tenant, const TenantItems& items) {
    if (!items.charset && !items.collation) return;
    std::string charset = items.charset.value_or("");
    if (charset == "utf8") charset = "utf8mb4";  // OceanBase's utf8 has always had four bytes
    const auto answer =
        catalog_.read([&](mysql::SqlClient& sql) { return charsetAndCollation(sql, charset, items.collation); });
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

/// The zones of pools that are to be granted to one tenant.
std::vector<std::string> NewTenantRules::zonesOf(const std::vector<std::string>& pools) {
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

}  // namespace tidemark::tenant
