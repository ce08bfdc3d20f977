#pragma once

#include <span>
#include <string>

#include "catalog/types.h"
#include "mysql/sql_client.h"

namespace tidemark::view {

/// Makes the schema of a tenant's views, with the empty copies of tables and the views on top, unless it is there as
/// this program would make it: whatever an older program, another cluster or an upgrade of MariaDB left there goes.
/// `copies` are definitionsOfCopies().
void ensureTenantSchema(mysql::SqlClient& tenant, catalog::CompatibilityMode mode, std::span<const std::string> copies);

}  // namespace tidemark::view
