#include "view/tenant_schema.h"

#include <fmt/format.h>

#include "base/hash.h"
#include "catalog/compatibility.h"
#include "view/mirrored_table.h"
#include "view/view_definition.h"

namespace tidemark::view {
namespace {

using catalog::CompatibilityMode;

constexpr std::string_view kVersionTable = "view_version";

/// Changes with whatever would be made differently. The account is part of it, since it is the views' definer: a
/// restored tenant may come from where it is another.
std::uint64_t fingerprintOf(mysql::SqlClient& tenant, CompatibilityMode mode, std::span<const std::string> copies) {
    std::string all = tenant.scalar("SELECT CURRENT_USER()").value_or("");
    for (const std::string& definition : copies)
        all += definition;
    for (const ViewDefinition& view : viewDefinitions()) {
        if (!view.in_tenants) continue;
        all += createInTenant(view, mode);
        all += view.oracle_columns;
    }
    return xxh3(viewOf(all));
}

/// mariadb-upgrade makes MariaDB's own schema `sys` anew, into ours. Nobody else may write there.
void dropForeignSys(mysql::SqlClient& tenant) {
    const auto foreign = tenant.scalar(
        "SELECT EXISTS(SELECT 1 FROM information_schema.routines WHERE routine_schema = 'sys') OR EXISTS("
        "SELECT 1 FROM information_schema.tables WHERE table_schema = 'sys' "
        "AND table_name NOT REGEXP '^(__tidemark_|dba_ob_|g?v[$]ob_)')");
    if (foreign == "1") tenant.query("DROP DATABASE sys");
}

}  // namespace

void ensureTenantSchema(mysql::SqlClient& tenant, CompatibilityMode mode, std::span<const std::string> copies) {
    const bool oracle = mode == CompatibilityMode::Oracle;
    const std::string schema = catalog::systemSchema(mode);
    const std::string version = copyName(schema, kVersionTable);
    const std::uint64_t fingerprint = fingerprintOf(tenant, mode, copies);
    if (oracle) dropForeignSys(tenant);
    tenant.query(createSchema(schema));
    tenant.query(fmt::format(
        "CREATE TABLE IF NOT EXISTS {} (fingerprint BIGINT UNSIGNED NOT NULL PRIMARY KEY) ENGINE=InnoDB", version));
    if (tenant.scalar("SELECT fingerprint FROM " + version) == std::to_string(fingerprint)) return;
    tenant.query("DELETE FROM " + version);
    const auto tables = mirroredTables();
    for (std::size_t i = 0; i < tables.size(); ++i) {
        const std::string name = copyName(schema, tables[i].name);
        tenant.query("DROP TABLE IF EXISTS " + name);
        tenant.query("CREATE TABLE " + name + " " + copies[i]);
    }
    for (const ViewDefinition& view : viewDefinitions()) {
        if (!view.in_tenants) continue;
        tenant.query(createInTenant(view, mode));
        if (oracle && !view.name.starts_with("CDB_")) tenant.query(createInOracle(view, tenant));
    }
    // Last, so that a crash before it means that all is done again.
    tenant.query(fmt::format("INSERT INTO {} VALUES (?)", version), {fingerprint});
}

}  // namespace tidemark::view
