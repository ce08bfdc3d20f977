#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "mysql/sql_client.h"

namespace tidemark::validate {

using TableName = std::pair<std::string, std::string>;  ///< schema, table

/// "schema.table"
std::string text(const TableName& name);
/// `schema`.`table`
std::string quoted(const TableName& name);

/// What a table is and holds, in a way that can be compared between servers of one version.
struct TableState {
    std::string definition;               ///< a hash of its columns
    std::string made;                     ///< when, on this server
    std::uint64_t bytes = 0;              ///< of its rows, as the server estimates
    std::optional<std::string> checksum;  ///< of its rows: CHECKSUM TABLE
    std::string problem;                  ///< why there is no checksum
};

/// Called after each table with how many are done, and how many there are.
using TableProgress = std::function<void(std::int64_t, std::int64_t)>;

/// The tables of a tenant's own schemas, of whatever engine, as `server` has them at this moment; no checksums yet.
/// Costs the server as much as there are tables and columns.
std::map<TableName, TableState> listTables(mysql::SqlClient& server);
/// All tables with rows, those of the system as well, for CHECK TABLE.
std::vector<TableName> allTables(mysql::SqlClient& server);
/// Its checksum, or why there is none.
void readChecksum(mysql::SqlClient& server, const TableName& name, TableState& state);

/// Ends what of these calls still runs on the server, of whichever daemon: one that has died reads no answer. Throws
/// Unavailable.
void endReadings(mysql::SqlClient& server);

}  // namespace tidemark::validate
