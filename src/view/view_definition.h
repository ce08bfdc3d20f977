#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "catalog/types.h"
#include "mysql/sql_client.h"

namespace tidemark::view {

/// One view: src/view/sql/<name>.sql with its macros expanded. The text names the catalog's tables as `tidemark.…` and
/// other views as `oceanbase.…`.
struct ViewDefinition {
    std::string_view name;
    bool in_tenants;  ///< besides sys
    std::string_view select;
    /// Those that it has in ORACLE mode, "A, B"; empty or with "*": the same. "A AS CHAR(9)" has another type there.
    std::string_view oracle_columns;
};

/// All of them, each after those that it reads.
std::span<const ViewDefinition> viewDefinitions();

/// CREATE OR REPLACE VIEW in schema `oceanbase` of the sys tenant.
std::string createInSys(const ViewDefinition& view);
/// The same for a user tenant, where the tables' copies are `oceanbase.__tidemark_<table>` (one schema for a tenant's
/// grants to name) and the CDB_ views, which a tenant does not have, serve the DBA_ views as `__tidemark_CDB_…`. In
/// ORACLE mode all of it is in schema SYS, and the view is `__tidemark_<name>`: createInOracle() makes what is seen.
std::string createInTenant(const ViewDefinition& view, catalog::CompatibilityMode mode);
/// In an ORACLE tenant the view that is seen, on top of what createInTenant() has made there: with the columns of that
/// mode, and with NULL where a text is empty.
std::string createInOracle(const ViewDefinition& view, mysql::SqlClient& tenant);

/// What copies of tables and internal views in a tenant begin with.
constexpr std::string_view kTenantPrefix = "__tidemark_";

/// CREATE DATABASE of the schema, if there is none.
std::string createSchema(std::string_view schema);

}  // namespace tidemark::view
