#include "validate/table_states.h"

#include <fmt/format.h>
#include <sys/socket.h>

#include "base/error.h"
#include "base/require_going.h"

namespace tidemark::validate {
namespace {

/// Ends what the session of `server` waits for as soon as there is a stop, there and at the server.
class EndsWithStop {
public:
    EndsWithStop(mysql::SqlClient& session, mysql::Endpoint server, const std::stop_token& stop)
        : server_(std::move(server)),
          id_(session.scalar("SELECT CONNECTION_ID()").value_or("0")),
          socket_(session.duplicateSocket()),
          stop_(stop),
          on_stop_(stop, [this] { ::shutdown(socket_.get(), SHUT_RDWR); }) {}
    ~EndsWithStop() {
        if (!stop_.stop_requested()) return;
        try {
            mysql::SqlClient(server_).query("KILL " + id_);
        } catch (const Error&) {
            // It has ended already, or does when it next looks at its connection.
        }
    }
    EndsWithStop(const EndsWithStop&) = delete;
    EndsWithStop& operator=(const EndsWithStop&) = delete;

private:
    const mysql::Endpoint server_;
    const std::string id_;
    const Fd socket_;
    const std::stop_token stop_;
    std::stop_callback<std::function<void()>> on_stop_;
};

constexpr const char* kCancelled = "the validation was cancelled";
constexpr const char* kNotTheirs =
    "('mysql', 'information_schema', 'performance_schema', 'sys', 'oceanbase', 'tidemark')";

/// The GTID position of the transaction that has begun with a consistent snapshot.
mysql::GtidPosition snapshotPosition(mysql::SqlClient& session) {
    std::string file;
    std::string position;
    for (const mysql::Row& row : session.query("SHOW STATUS LIKE 'binlog_snapshot_%'").rows) {
        (row.text(0).ends_with("file") ? file : position) = row.text(1);
    }
    const auto gtid = session.scalar("SELECT BINLOG_GTID_POS(?, CAST(? AS UNSIGNED))", {file, position});
    if (file.empty() || !gtid) throw Error(ErrorCode::Internal, "the tenant writes no binlog");
    return mysql::GtidPosition::parse(*gtid);
}

/// A state of which only the definition is known.
bool isReadable(const TableState& state) {
    return state.problem.empty();
}

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
        "SELECT t.table_schema AS s, t.table_name AS n, COALESCE(t.engine, '') AS e, MD5(GROUP_CONCAT(CONCAT_WS(':', "
        "c.column_name, c.column_type, c.is_nullable, COALESCE(c.column_default, '-'), COALESCE(c.collation_name, ''), "
        "c.extra) ORDER BY c.ordinal_position)) AS d, COALESCE(t.create_time, '') AS m FROM information_schema.tables "
        "t "
        "JOIN information_schema.columns c ON c.table_schema = t.table_schema AND c.table_name = t.table_name "
        "WHERE t.table_type IN ('BASE TABLE', 'SYSTEM VERSIONED') AND t.table_schema NOT IN {} GROUP BY 1, 2, 3, 5",
        kNotTheirs));
    for (const mysql::Row& row : rows.rows) {
        TableState state{
            .definition = row.maybe("d").value_or(""), .made = row.text("m"), .checksum = {}, .problem = {}};
        const std::string engine = row.text("e");
        if (engine != "InnoDB")
            state.problem = fmt::format("its engine ({}) has no transactions", engine.empty() ? "none" : engine);
        tables.emplace(TableName{row.text("s"), row.text("n")}, std::move(state));
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

void readChecksum(mysql::SqlClient& server, const TableName& name, TableState& state) {
    const auto result = server.query("CHECKSUM TABLE " + quoted(name));
    state.checksum = result.rows.at(0).maybe("Checksum");
    if (state.checksum) return;
    const auto warnings = server.query("SHOW WARNINGS");
    state.problem = warnings.empty() ? "it cannot be read" : warnings.rows.at(0).text("Message");
}

TableStates snapshotTables(const mysql::Endpoint& server, const std::stop_token& stop, const TableProgress& progress) {
    mysql::Endpoint patient = server;
    patient.statement_timeout = {};  // of one table; the stop ends it
    mysql::SqlClient reader(patient);
    mysql::SqlClient lister(server);
    const EndsWithStop ends(reader, server, stop);
    try {
        // Only a session that writes no binlog gives its locks on tables back at ROLLBACK TO SAVEPOINT, and else a
        // DDL would wait for the last table.
        reader.query("SET SESSION sql_log_bin = 0");
        TableStates states{.position = {}, .tables = listTables(lister)};
        reader.query("START TRANSACTION WITH CONSISTENT SNAPSHOT");
        states.position = snapshotPosition(reader);
        std::int64_t done = 0;
        for (auto& [name, state] : states.tables) {
            if (isReadable(state)) {
                reader.query("SAVEPOINT table_begins");
                readChecksum(reader, name, state);
                reader.query("ROLLBACK TO SAVEPOINT table_begins");
            }
            progress(++done, static_cast<std::int64_t>(states.tables.size()));
            requireGoing(stop, kCancelled);
        }
        // What has a new definition was perhaps read with it; what is new may be in the log or not.
        auto now = listTables(lister);
        for (auto& [name, state] : states.tables) {
            const auto same = now.find(name);
            const bool kept =
                same != now.end() && same->second.definition == state.definition && same->second.made == state.made;
            if (kept) continue;
            state.checksum.reset();
            state.problem = "there was DDL of it meanwhile";
        }
        for (auto& [name, state] : now)
            states.tables.try_emplace(name, TableState{state.definition, state.made, std::nullopt, "it is new"});
        return states;
    } catch (const Error&) {
        requireGoing(stop, kCancelled);
        throw;
    }
}

}  // namespace tidemark::validate
