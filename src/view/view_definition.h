#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "mysql/sql_client.h"

namespace tidemark::view {

/// One view: src/view/sql/<name>.sql with its macros expanded. The text names the catalog's tables as `tidemark.…` and
/// other views as `oceanbase.…`.
struct ViewDefinition {
    std::string_view name;
    bool in_tenants;  ///< besides sys
    std::string_view select;
};

/// All of them, each after those that it reads.
std::span<const ViewDefinition> viewDefinitions();

/// CREATE OR REPLACE VIEW in schema `oceanbase` of the sys tenant.
std::string createInSys(const ViewDefinition& view);
/// The same for a user tenant, where the tables' copies are `oceanbase.__tidemark_<table>` (one schema for a tenant's
/// grants to name) and the CDB_ views, which a tenant does not have, serve the DBA_ views as `__tidemark_CDB_…`.
std::string createInTenant(const ViewDefinition& view);

/// What copies of tables and internal views in a tenant begin with.
constexpr std::string_view kTenantPrefix = "__tidemark_";

constexpr std::string_view kCreateSchema =
    "CREATE DATABASE IF NOT EXISTS oceanbase CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci";

}  // namespace tidemark::view
