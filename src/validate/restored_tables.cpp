#include "validate/restored_tables.h"

#include <fmt/format.h>

#include "base/error.h"
#include "base/letters.h"
#include "base/require_going.h"

namespace tidemark::validate {
namespace {

constexpr const char* kEnded = "mariadbd ended when it read the table";
/// More would not tell more.
constexpr int kMostRestarts = 20;
constexpr std::size_t kLongestText = 300;

/// What CHECK TABLE says beside "OK"; notes and warnings are of tables that nobody had closed.
std::string errorsIn(const mysql::Result& result) {
    std::string errors;
    for (const mysql::Row& row : result.rows) {
        if (lowerCase(row.text("Msg_type")) != "error") continue;
        errors += (errors.empty() ? "" : "; ") + row.maybe("Msg_text").value_or("").substr(0, kLongestText);
        if (errors.size() > 2 * kLongestText) break;
    }
    return errors;
}

}  // namespace

/// False if the server ended while `work` used it.
template <typename Work>
bool RestoredTables::withServer(Work work) {
    try {
        if (!session_) {
            mysql::Endpoint patient = server_.endpoint();
            patient.statement_timeout = {};  // of one table; the stop ends the server
            session_.emplace(patient);
        }
        work(*session_);
        return true;
    } catch (const Error& error) {
        session_.reset();
        requireGoing(stop_, "the validation was cancelled");
        if (error.code() != ErrorCode::Unavailable) throw;
        if (++restarts_ > kMostRestarts) throw error.in("tables of the restored server");
        server_.kill();
        server_.start();
        return false;
    }
}

/// What ends the server once may be the node: only twice is it the table.
template <typename Work>
bool RestoredTables::withServerTwice(Work work) {
    return withServer(work) || withServer(work);
}

/// Without a list nothing at all could be looked at.
template <typename Work>
void RestoredTables::requireList(Work work) {
    if (!withServerTwice(work))
        throw Error(ErrorCode::Unavailable, "mariadbd of the restored set ends when its tables are listed");
}

std::map<TableName, std::string> RestoredTables::check(const TableProgress& progress) {
    std::map<TableName, std::string> wrong;
    std::vector<TableName> tables;
    requireList([&](mysql::SqlClient& session) { tables = allTables(session); });
    std::int64_t done = 0;
    for (const TableName& table : tables) {
        std::string errors;
        const bool lives = withServerTwice(
            [&](mysql::SqlClient& session) { errors = errorsIn(session.query("CHECK TABLE " + quoted(table))); });
        if (!lives) errors = kEnded;
        if (!errors.empty()) wrong.emplace(table, errors);
        progress(++done, static_cast<std::int64_t>(tables.size()));
    }
    return wrong;
}

std::map<TableName, TableState> RestoredTables::list() {
    std::map<TableName, TableState> tables;
    requireList([&](mysql::SqlClient& session) { tables = listTables(session); });
    return tables;
}

std::map<TableName, TableState> RestoredTables::read(const std::map<TableName, TableState>& wanted,
                                                     const TableProgress& progress) {
    std::map<TableName, TableState> tables;
    std::int64_t done = 0;
    for (const auto& [name, state] : wanted) {
        TableState read{.definition = state.definition, .made = {}, .bytes = 0, .checksum = {}, .problem = {}};
        if (!withServerTwice([&, &name = name](mysql::SqlClient& session) { readChecksum(session, name, read); }))
            read.problem = kEnded;
        tables.emplace(name, std::move(read));
        progress(++done, static_cast<std::int64_t>(wanted.size()));
    }
    return tables;
}

}  // namespace tidemark::validate
