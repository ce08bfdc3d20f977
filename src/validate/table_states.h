#pragma once

#include <functional>
#include <map>
#include <optional>
#include <stop_token>
#include <string>
#include <utility>

#include "mysql/gtid.h"
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
    std::optional<std::string> checksum;  ///< of its rows: CHECKSUM TABLE
    std::string problem;                  ///< why there is no checksum
};

struct TableStates {
    mysql::GtidPosition position;  ///< what the rows contain
    std::map<TableName, TableState> tables;
};

/// Called after each table with how many are done, and how many there are.
using TableProgress = std::function<void(std::int64_t, std::int64_t)>;

/// The tables of a tenant's own schemas, of whatever engine, as `server` has them at this moment; no checksums yet.
std::map<TableName, TableState> listTables(mysql::SqlClient& server);
/// All tables with rows, those of the system as well, for CHECK TABLE.
std::vector<TableName> allTables(mysql::SqlClient& server);
/// Its checksum, or why there is none.
void readChecksum(mysql::SqlClient& server, const TableName& name, TableState& state);

/// The tables of a server that others write to, in one state: that of a transaction which begins now. Reads every row
/// once, with one session, in the order of names; no statement waits for it but a DDL of the table that it reads just
/// then. Of what cannot be read in that state (no InnoDB; DDL meanwhile) `problem` says so.
///
/// Throws Unavailable, Cancelled.
TableStates snapshotTables(const mysql::Endpoint& server, const std::stop_token& stop, const TableProgress& progress);

}  // namespace tidemark::validate
