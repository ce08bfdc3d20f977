#include "view/view_columns_test.h"
#include "testing/source_directory.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <map>
#include <regex>
#include <sstream>
#include <vector>

namespace tidemark::view {
namespace {

struct Column {
    std::string name;
    std::string type;
};

std::map<std::string, std::vector<Column>> documented(const std::string& scope) {
    std::ifstream file(testing::sourceDirectory() / "test/sql/views.tsv");
    std::map<std::string, std::vector<Column>> views;
    for (std::string line; std::getline(file, line);) {
        std::istringstream fields(line);
        std::string of_scope, view, ordinal, column, type;
        for (std::string* field : {&of_scope, &view, &ordinal, &column, &type})
            std::getline(fields, *field, '\t');
        if (of_scope == scope) views[view].push_back({column, type});
    }
    return views;
}

/// Lower case; no display width of integers (MariaDB's own for expressions); no remark about the time's storage format;
/// no blanks inside brackets.
std::string normalised(std::string type) {
    std::transform(type.begin(), type.end(), type.begin(), ::tolower);
    type = std::regex_replace(type, std::regex(" */\\*.*\\*/"), "");
    type = std::regex_replace(type, std::regex("bigint\\(2[01]\\)"), "bigint");
    return std::regex_replace(type, std::regex(", "), ",");
}

/// The length of a varchar, 0 for other types.
int varcharLength(const std::string& type) {
    std::smatch length;
    return std::regex_match(type, length, std::regex("varchar\\((\\d+)\\)")) ? std::stoi(length[1]) : 0;
}

/// Where our type differs on purpose: docs/views.md, "Types". By column, or by view and column.
const std::map<std::string, std::string> kExceptions = {
    {"PIECE_SWITCH_INTERVAL", "varchar"},   // prints 1d
    {"CDB_OB_ARCHIVE_DEST.VALUE", "text"},  // as wide as a path
    {"DBA_OB_ARCHIVE_DEST.VALUE", "text"},
    {"DBA_OB_BACKUP_DELETE_JOBS.PARAMETER", "varchar"},  // also the ids of what is removed
    {"DBA_OB_BACKUP_DELETE_JOB_HISTORY.PARAMETER", "varchar"},
    {"CDB_OB_BACKUP_DELETE_JOBS.PARAMETER", "varchar"},
    {"CDB_OB_BACKUP_DELETE_JOB_HISTORY.PARAMETER", "varchar"},
    {"DBA_OB_BACKUP_DELETE_TASKS.PATH", "varchar"},  // as wide as a path
    {"DBA_OB_BACKUP_DELETE_TASK_HISTORY.PATH", "varchar"},
    {"CDB_OB_BACKUP_DELETE_TASKS.PATH", "varchar"},
    {"CDB_OB_BACKUP_DELETE_TASK_HISTORY.PATH", "varchar"},
    {"BACKUP_TYPE", "varchar(64)"},                            // FULL and INC, where one page has a varchar(1)
    {"DBA_OB_BACKUP_SET_FILES.END_TIMESTAMP", "datetime(6)"},  // made from the CDB view's varchar(26)
    {"DBA_OB_BACKUP_SET_FILES.START_REPLAY_SCN_DISPLAY", "datetime(6)"},  // sys: datetime(6), tenants: varchar(26)
};

/// Oracle's types and what MariaDB has for them: docs/views.md, "Types".
bool matchesOracle(const Column& wanted, const std::string& type) {
    const std::string oracle = normalised(wanted.type);
    const auto any = [&](const char* pattern) { return std::regex_match(normalised(type), std::regex(pattern)); };
    std::smatch length;
    if (wanted.name == "PIECE_SWITCH_INTERVAL") return any("varchar.*");          // prints 1d
    if (wanted.name == "CREATE_TIME") return any("(datetime|timestamp)\\(6\\)");  // a NUMBER says nothing of its unit
    if (oracle.starts_with("number")) return any("(bigint|int\\(\\d+\\)|decimal.*|double)( unsigned)?");
    if (oracle.starts_with("timestamp")) return any("(datetime|timestamp)\\(6\\)");
    if (oracle == "clob") return any("(medium|long)?text|varchar.*");
    if (!std::regex_match(oracle, length, std::regex("varchar2?\\((\\d+)\\)"))) return normalised(type) == oracle;
    const int width = std::stoi(length[1]);
    // What is printed needs less than Oracle's type has room for.
    const int ours = varcharLength(normalised(type));
    return (ours > 0 && ours <= width) || (width > 512 && any("(medium|long)?text"));
}

bool matches(const std::string& view, const Column& wanted, const std::string& type) {
    for (const std::string& key : {wanted.name, view + "." + wanted.name}) {
        const auto exception = kExceptions.find(key);
        if (exception != kExceptions.end()) return normalised(type).starts_with(exception->second);
    }
    // MariaDB makes a TEXT of an expression of more than 512 characters and has no varchar beyond 16383: where
    // OceanBase has such a width, a narrower varchar serves, or for the widest a mediumtext.
    const int width = varcharLength(normalised(wanted.type));
    const int ours = varcharLength(normalised(type));
    if (width > 512 && ours > 0 && ours <= width) return true;
    if (width > 16383 && normalised(type) == "mediumtext") return true;
    return normalised(type) == normalised(wanted.type);
}

}  // namespace

void expectColumns(mysql::SqlClient& client, const std::string& scope, const std::set<std::string>& views) {
    auto wanted = documented(scope);
    const bool oracle = scope == "oracle";
    for (const std::string& view : views) {
        ASSERT_TRUE(wanted.contains(view)) << view << " is not in views.tsv, scope " << scope;
        const auto found = client.query(
            "SELECT column_name, column_type FROM information_schema.columns "
            "WHERE table_schema = ? AND table_name = ? ORDER BY ordinal_position",
            {oracle ? "sys" : "oceanbase", view});
        std::string names;
        std::string wanted_names;
        for (const mysql::Row& row : found.rows)
            names += row.text(0) + " ";
        for (const Column& column : wanted[view])
            wanted_names += column.name + " ";
        EXPECT_EQ(names, wanted_names) << view;
        for (std::size_t i = 0; i < std::min(found.rows.size(), wanted[view].size()); ++i) {
            const Column& column = wanted[view][i];
            const std::string& type = found.rows[i].text(1);
            EXPECT_TRUE(oracle ? matchesOracle(column, type) : matches(view, column, type))
                << view << "." << column.name << " is " << found.rows[i].text(1) << ", not " << column.type;
        }
    }
}

}  // namespace tidemark::view
