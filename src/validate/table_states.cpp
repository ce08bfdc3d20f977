#include "validate/table_states.h"

#include <fmt/format.h>

#include "base/error.h"

namespace tidemark::validate {
namespace {

/// Stands before what may run for long, so that endReadings() knows it.
constexpr const char* kMark = "/* tidemark validation */ ";
constexpr const char* kNotTheirs =
    "('mysql', 'information_schema', 'performance_schema', 'sys', 'oceanbase', 'tidemark')";

}  // namespace

std::string text(const TableName& name) {
    return name.first + "." + name.second;
}

std::string quoted(const TableName& name) {
    return mysql::quoteIdentifier(name.first) + "." + mysql::quoteIdentifier(name.second);
}

std::map<TableName, TableState> listTables(mysql::SqlClient& server) {
    std::map<TableName, TableState> tables;
    const auto rows = server.query(fmt::format(
        "{}SELECT table_schema AS s, table_name AS n, COALESCE(engine, '') AS e, COALESCE(create_time, '') AS m, "
        "COALESCE(data_length, 0) AS b FROM information_schema.tables "
        "WHERE table_type IN ('BASE TABLE', 'SYSTEM VERSIONED') AND table_schema NOT IN {}",
        kMark, kNotTheirs));
    for (const mysql::Row& row : rows.rows) {
        TableState state{
            .definition = {}, .made = row.text("m"), .bytes = row.unsignedInteger("b"), .checksum = {}, .problem = {}};
        const std::string engine = row.text("e");
        if (engine != "InnoDB")
            state.problem = fmt::format("its engine ({}) has no transactions", engine.empty() ? "none" : engine);
        tables.emplace(TableName{row.text("s"), row.text("n")}, std::move(state));
    }
    // Joined here: in a join of these two the server compares each row of one with each of the other.
    const auto columns = server.query(fmt::format(
        "{}SELECT table_schema AS s, table_name AS n, MD5(GROUP_CONCAT(CONCAT_WS(':', column_name, column_type, "
        "is_nullable, COALESCE(column_default, '-'), COALESCE(collation_name, ''), extra) ORDER BY ordinal_position)) "
        "AS d FROM information_schema.columns WHERE table_schema NOT IN {} "
        "GROUP BY BINARY table_schema, BINARY table_name",
        kMark, kNotTheirs));
    for (const mysql::Row& row : columns.rows) {
        const auto table = tables.find({row.text("s"), row.text("n")});  // else it is a view
        if (table != tables.end()) table->second.definition = row.maybe("d").value_or("");
    }
    return tables;
}

std::vector<TableName> allTables(mysql::SqlClient& server) {
    std::vector<TableName> tables;
    const auto rows = server.query(
        "SELECT table_schema, table_name FROM information_schema.tables WHERE table_type IN ('BASE TABLE', 'SYSTEM "
        "VERSIONED') AND table_schema NOT IN ('information_schema', 'performance_schema') ORDER BY 1, 2");
    for (const mysql::Row& row : rows.rows)
        tables.emplace_back(row.text(0), row.text(1));
    return tables;
}

void endReadings(mysql::SqlClient& server) {
    constexpr int kNoSuchThread = 1094;
    const auto left = server.query(
        fmt::format("SELECT id FROM information_schema.processlist WHERE id <> CONNECTION_ID() AND info LIKE '{}%' "
                    "AND user = SUBSTRING_INDEX(CURRENT_USER(), '@', 1)",
                    kMark));
    for (const mysql::Row& row : left.rows) {
        try {
            server.query("KILL " + row.text("id"));
        } catch (const Error& error) {
            if (!error.sql() || error.sql()->number != kNoSuchThread) throw;
        }
    }
}

void readChecksum(mysql::SqlClient& server, const TableName& name, TableState& state) {
    const auto result = server.query(kMark + ("CHECKSUM TABLE " + quoted(name)));
    state.checksum = result.rows.at(0).maybe("Checksum");
    if (state.checksum) return;
    const auto warnings = server.query("SHOW WARNINGS");
    state.problem = warnings.empty() ? "it cannot be read" : warnings.rows.at(0).text("Message");
}

}  // namespace tidemark::validate
