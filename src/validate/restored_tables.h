#pragma once

#include <map>
#include <string>

#include "tenant/throwaway_server.h"
#include "validate/table_states.h"

namespace tidemark::validate {

/// Looks at the tables of a server that a set was restored into. One that ends meanwhile, since a table's pages make no
/// sense, is started again, and goes on with the next table. Not thread-safe.
class RestoredTables {
public:
    /// References outlive it.
    RestoredTables(tenant::TenantServer& server, const std::stop_token& stop) : server_(server), stop_(stop) {}

    /// CHECK TABLE of every table; what is wrong with those with which something is. Throws Unavailable if the server
    /// does not come up any more, Cancelled.
    std::map<TableName, std::string> check(const TableProgress& progress);
    /// Checksums of those whose state is wanted. Throws likewise.
    std::map<TableName, TableState> read(const std::map<TableName, TableState>& wanted, const TableProgress& progress);
    /// All of the tenant's own schemas; no checksums.
    std::map<TableName, TableState> list();

private:
    template <typename Work>
    bool withServerTwice(Work work);
    template <typename Work>
    void requireList(Work work);
    template <typename Work>
    bool withServer(Work work);

    tenant::TenantServer& server_;
    const std::stop_token stop_;
    std::optional<mysql::SqlClient> session_;
    int restarts_ = 0;
};

}  // namespace tidemark::validate
