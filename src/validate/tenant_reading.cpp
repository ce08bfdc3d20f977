#include "validate/tenant_reading.h"

#include <fmt/format.h>
#include <sys/socket.h>

#include "base/error.h"
#include "base/require_going.h"
#include "validate/gives_way.h"

namespace tidemark::validate {
namespace {

constexpr const char* kCancelled = "the validation was cancelled";
constexpr int kLockTimeout = 1205;
constexpr int kStatementTimeout = 1969;
/// Of a list of all tables: less than the daemon itself would wait.
constexpr std::chrono::seconds kListLimit{240};

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
    const std::string& id() const { return id_; }

private:
    const mysql::Endpoint server_;
    const std::string id_;
    const Fd socket_;
    const std::stop_token stop_;
    std::stop_callback<std::function<void()>> on_stop_;
};

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

/// Sessions of the reading: neither they nor what they run stay when nobody needs them any more.
mysql::SqlClient boundedSession(const mysql::Endpoint& server) {
    mysql::SqlClient session(server);
    session.query("SET SESSION lock_wait_timeout = ?, max_statement_time = ?",
                  {std::int64_t{kLockLimit.count()}, std::int64_t{kListLimit.count()}});
    return session;
}

mysql::Endpoint patient(mysql::Endpoint server) {
    server.statement_timeout = {};  // max_statement_time ends it, and a stop
    return server;
}

class TenantReading {
public:
    TenantReading(const mysql::Endpoint& server, const std::stop_token& stop, const TableProgress& progress)
        : reader_(boundedSession(patient(server))),
          lister_(boundedSession(server)),
          stop_(stop),
          progress_(progress),
          ends_(reader_, server, stop),
          way_(server, ends_.id()) {}

    TableStates run();

private:
    void readTables(const std::vector<TableName>& names, std::vector<TableName>* gave_way);
    bool readTable(const TableName& name, TableState& state);
    void readRows(const TableName& name, TableState& state);
    void compareWithNow();

    mysql::SqlClient reader_;
    mysql::SqlClient lister_;
    const std::stop_token stop_;
    const TableProgress& progress_;
    const EndsWithStop ends_;
    GivesWay way_;
    TableStates states_;
    std::int64_t done_ = 0;
};

TableStates TenantReading::run() {
    // Only a session that writes no binlog gives its locks on tables back at ROLLBACK TO SAVEPOINT, and else a DDL
    // would wait for the last table.
    reader_.query("SET SESSION sql_log_bin = 0");
    states_.tables = listTables(lister_);
    reader_.query("START TRANSACTION WITH CONSISTENT SNAPSHOT");
    states_.position = snapshotPosition(reader_);
    std::vector<TableName> names;
    for (const auto& [name, state] : states_.tables)
        names.push_back(name);
    std::vector<TableName> gave_way;
    readTables(names, &gave_way);
    readTables(gave_way, nullptr);
    compareWithNow();
    return std::move(states_);
}

/// Those that gave way are left for later, if there is a later.
void TenantReading::readTables(const std::vector<TableName>& names, std::vector<TableName>* gave_way) {
    for (const TableName& name : names) {
        requireGoing(stop_, kCancelled);
        TableState& state = states_.tables.at(name);
        if (state.problem.empty() && !readTable(name, state)) {
            if (gave_way != nullptr) {
                gave_way->push_back(name);
                continue;
            }
            state.problem = "other statements waited for metadata locks, so its reading gave way, twice";
        }
        progress_(++done_, static_cast<std::int64_t>(states_.tables.size()));
    }
}

/// False if it gave way.
bool TenantReading::readTable(const TableName& name, TableState& state) {
    reader_.query("SAVEPOINT table_begins");
    reader_.query("SET SESSION max_statement_time = ?", {std::int64_t{readingLimit(state.bytes).count()}});
    const bool read = way_.run([&] { readRows(name, state); });
    if (!read) {
        state.checksum.reset();
        state.problem.clear();
        try {
            reader_.query("DO 0");  // what came too late for the other one ends this one
        } catch (const Error& error) {
            if (error.code() == ErrorCode::Unavailable) throw;
        }
    }
    reader_.query("ROLLBACK TO SAVEPOINT table_begins");
    return read;
}

void TenantReading::readRows(const TableName& name, TableState& state) {
    try {
        readChecksum(reader_, name, state);
    } catch (const Error& error) {
        const int number = error.sql() ? error.sql()->number : 0;
        if (number != kStatementTimeout && number != kLockTimeout) throw;
        state.problem = number == kLockTimeout
                            ? "somebody else has it locked"
                            : fmt::format("its rows were not read within {} s", readingLimit(state.bytes).count());
    }
}

/// What has a new definition was perhaps read with it; what is new may be in the log or not.
void TenantReading::compareWithNow() {
    auto now = listTables(lister_);
    for (auto& [name, state] : states_.tables) {
        const auto same = now.find(name);
        const bool kept =
            same != now.end() && same->second.definition == state.definition && same->second.made == state.made;
        if (kept) continue;
        state.checksum.reset();
        state.problem = "there was DDL of it meanwhile";
    }
    for (auto& [name, state] : now) {
        if (states_.tables.contains(name)) continue;
        state.problem = "it is new";
        states_.tables.emplace(name, state);
    }
}

}  // namespace

std::chrono::seconds readingLimit(std::uint64_t bytes) {
    return std::chrono::seconds(60 + static_cast<std::int64_t>(bytes >> 23));
}

TableStates snapshotTables(const mysql::Endpoint& server, const std::stop_token& stop, const TableProgress& progress) {
    try {
        return TenantReading(server, stop, progress).run();
    } catch (const Error&) {
        requireGoing(stop, kCancelled);
        throw;
    }
}

}  // namespace tidemark::validate
