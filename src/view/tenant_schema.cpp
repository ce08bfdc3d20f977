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

constexpr int kNoSuchSchema = 1049;
constexpr int kNoSuchTable = 1146;

/// What was noted when the schema was made; nothing if that was not finished.
std::optional<std::string> notedFingerprint(mysql::SqlClient& tenant, const std::string& version_table) {
    try {
        return tenant.scalar("SELECT fingerprint FROM " + version_table);
    } catch (const Error& error) {
        if (!error.sql() || (error.sql()->number != kNoSuchTable && error.sql()->number != kNoSuchSchema)) throw;
        return std::nullopt;
    }
}

/// mariadb-upgrade makes MariaDB's own schema `sys` anew, into ours. Nobody else may write there.
void dropForeignSys(mysql::SqlClient& tenant) {
    const auto foreign = tenant.scalar(
        "SELECT EXISTS(SELECT 1 FROM information_schema.routines WHERE routine_schema = 'sys') OR EXISTS("
        "SELECT 1 FROM information_schema.tables WHERE table_schema = 'sys' "
        "AND table_name NOT REGEXP '^(__tidemark_|dba_(ob|tm)_|g?v[$]ob_)')");
    if (foreign == "1") tenant.query("DROP DATABASE sys");
}

}  // namespace

TenantSchema TenantSchema::of(mysql::SqlClient& sys) {
    TenantSchema schema;
    schema.copies_ = definitionsOfCopies(sys);
    return schema;
}

/// The account is part of it, since it is the views' definer: a restored tenant may come from where it is another.
std::uint64_t TenantSchema::fingerprint(const std::string& account, CompatibilityMode mode) const {
    std::string all = account;
    for (const std::string& definition : copies_)
        all += definition;
    for (const ViewDefinition& view : viewDefinitions()) {
        if (!view.in_tenants) continue;
        all += createInTenant(view, mode);
        all += view.oracle_columns;
    }
    return xxh3(viewOf(all));
}

std::string TenantSchema::version() const {
    return fmt::format("{:016x}",
                       fingerprint({}, CompatibilityMode::Mysql) ^ fingerprint({}, CompatibilityMode::Oracle));
}

void TenantSchema::ensure(mysql::SqlClient& tenant, CompatibilityMode mode) const {
    const bool oracle = mode == CompatibilityMode::Oracle;
    const std::string schema = catalog::systemSchema(mode);
    const std::string version = copyName(schema, kVersionTable);
    const std::uint64_t wanted = fingerprint(tenant.scalar("SELECT CURRENT_USER()").value_or(""), mode);
    if (oracle) dropForeignSys(tenant);
    if (notedFingerprint(tenant, version) == std::to_string(wanted)) return;
    tenant.query(createSchema(schema));
    tenant.query(fmt::format(
        "CREATE TABLE IF NOT EXISTS {} (fingerprint BIGINT UNSIGNED NOT NULL PRIMARY KEY) ENGINE=InnoDB", version));
    tenant.query("DELETE FROM " + version);
    const auto tables = mirroredTables();
    for (std::size_t i = 0; i < tables.size(); ++i) {
        const std::string name = copyName(schema, tables[i].name);
        tenant.query("DROP TABLE IF EXISTS " + name);
        tenant.query("CREATE TABLE " + name + " " + copies_[i]);
    }
    for (const ViewDefinition& view : viewDefinitions()) {
        if (!view.in_tenants) continue;
        tenant.query(createInTenant(view, mode));
        if (oracle && !view.name.starts_with("CDB_")) tenant.query(createInOracle(view, tenant));
    }
    // Last, so that a crash before it means that all is done again.
    tenant.query(fmt::format("INSERT INTO {} VALUES (?)", version), {wanted});
}

void beginUnlogged(mysql::SqlClient& tenant) {
    tenant.script(
        "SET SESSION sql_log_bin = 0;"
        "SET NAMES utf8mb4 COLLATE utf8mb4_general_ci;"
        "SET SESSION time_zone = '+00:00', sql_mode = 'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION',"
        "    innodb_lock_wait_timeout = 2, lock_wait_timeout = 2, autocommit = 1");
}

}  // namespace tidemark::view
