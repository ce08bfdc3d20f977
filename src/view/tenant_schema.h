#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "catalog/types.h"
#include "mysql/sql_client.h"

namespace tidemark::view {

/// The tables' copies that a tenant holds, and the views on top of them.
class TenantSchema {
public:
    /// Reads the definitions of the catalog's tables. Call after Catalog::migrate().
    static TenantSchema of(mysql::SqlClient& sys);

    /// Makes it unless it is there as this program would make it: whatever an older program, another cluster or an
    /// upgrade of MariaDB left there goes. The tables are empty then. Runs no DDL if there is nothing to do.
    void ensure(mysql::SqlClient& tenant, catalog::CompatibilityMode mode) const;

    /// Changes with whatever would be made differently, in any mode.
    std::string version() const;

private:
    std::uint64_t fingerprint(const std::string& account, catalog::CompatibilityMode mode) const;

    std::vector<std::string> copies_;  ///< definitionsOfCopies()
};

/// A connection to a tenant whose writes reach no binlog: a tenant's history is its own, and a GTID of ours in a tenant
/// that is being restored would make its replay stop. Throws if the account may not switch the binlog off.
void beginUnlogged(mysql::SqlClient& tenant);

}  // namespace tidemark::view
