#include "restore/memory_rows.h"

#include <fmt/format.h>
#include <openssl/evp.h>

#include <algorithm>
#include <fstream>

#include "mysql/binlog_event.h"

namespace tidemark::restore {
namespace {

using mysql::EventType;

enum class RowsKind { None, Write, Change };

/// By the types that MariaDB writes: plain and compressed.
RowsKind rowsKind(EventType type) {
    switch (static_cast<int>(type)) {
        case 23:
        case 166:
            return RowsKind::Write;
        case 24:
        case 25:
        case 167:
        case 168:
            return RowsKind::Change;
        default:
            return RowsKind::None;
    }
}

std::string base64(ByteView bytes) {
    std::string text(4 * ((bytes.size() + 2) / 3) + 1, '\0');
    const int size =
        EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()), bytes.data(), static_cast<int>(bytes.size()));
    text.resize(static_cast<std::size_t>(size));
    return text;
}

bool isSavepoint(const std::string& text) {
    return text.starts_with("SAVEPOINT ") || text.starts_with("ROLLBACK TO ");
}

bool isCommit(const std::string& text) {
    return text == "COMMIT";
}

}  // namespace

MemoryRows::MemoryRows(const mysql::Endpoint& server, std::filesystem::path error_log)
    : client_(server), error_log_(std::move(error_log)) {
    // Each row that is left out gets its line.
    client_.query("SET GLOBAL log_warnings = GREATEST(@@global.log_warnings, 2)");
    client_.query("SET SESSION log_warnings = 2");
}

std::map<std::uint64_t, MemoryRows::Table> MemoryRows::tablesOf(const LoggedTransaction& transaction) {
    std::map<std::uint64_t, Table> tables;
    for (const Bytes& event : transaction.events) {
        if (mysql::parseEventHeader(event).type != EventType::TableMap) continue;
        const mysql::TableMap map = mysql::parseTableMap(event);
        Table table{.database = map.database, .name = map.table, .map = event};
        const auto engine =
            client_.scalar("SELECT engine FROM information_schema.tables WHERE table_schema = ? AND table_name = ?",
                           {table.database, table.name});
        table.memory = engine == "MEMORY";
        tables[map.id] = std::move(table);
    }
    return tables;
}

bool MemoryRows::canApply(const LoggedTransaction& transaction) {
    if (!transaction.whole || !std::filesystem::exists(error_log_)) return false;
    for (const Bytes& event : transaction.events) {
        const auto type = mysql::parseEventHeader(event).type;
        if (type == EventType::Query) {
            const auto text = mysql::parseQueryEvent(event, 4096, true).text;
            if (!isCommit(text) && !isSavepoint(text)) return false;
        } else if (rowsKind(type) == RowsKind::None && type != EventType::Gtid && type != EventType::TableMap &&
                   type != EventType::AnnotateRows && type != EventType::Xid) {
            return false;
        }
    }
    const auto tables = tablesOf(transaction);
    return std::ranges::any_of(tables, [](const auto& entry) { return entry.second.memory; });
}

void MemoryRows::apply(const LoggedTransaction& transaction) {
    const auto tables = tablesOf(transaction);
    client_.query("BINLOG '" + base64(transaction.format) + "'");
    client_.query("START TRANSACTION");
    for (const Bytes& event : transaction.events) {
        const auto type = mysql::parseEventHeader(event).type;
        if (type == EventType::Query) {
            const auto text = mysql::parseQueryEvent(event, 4096, true).text;
            if (!isCommit(text)) client_.query(text);
        } else if (rowsKind(type) != RowsKind::None) {
            const auto table = tables.find(mysql::tableOfRows(event));
            if (table != tables.end()) applyRows(table->second, event);
        }
    }
    client_.query("COMMIT");
}

void MemoryRows::applyRows(const Table& table, const Bytes& event) {
    const bool lenient = table.memory && rowsKind(mysql::parseEventHeader(event).type) == RowsKind::Change;
    const auto before = logSize();
    Bytes both = table.map;
    const Bytes rows = mysql::makeLastOfStatement(event);
    both.insert(both.end(), rows.begin(), rows.end());
    if (lenient) client_.query("SET GLOBAL slave_exec_mode = 'IDEMPOTENT'");
    try {
        client_.query("BINLOG '" + base64(both) + "'");
    } catch (...) {
        client_.query("SET GLOBAL slave_exec_mode = 'STRICT'");
        client_.query("ROLLBACK");
        throw;
    }
    if (!lenient) return;
    client_.query("SET GLOBAL slave_exec_mode = 'STRICT'");
    count(table, before);
}

std::uintmax_t MemoryRows::logSize() const {
    std::error_code none;
    const auto size = std::filesystem::file_size(error_log_, none);
    return none ? 0 : size;
}

void MemoryRows::count(const Table& table, std::uintmax_t log_size_before) {
    const std::string name = table.database + "." + table.name;
    const std::string left_out = fmt::format(" event on table {}; ", name);
    std::ifstream log(error_log_);
    log.seekg(static_cast<std::streamoff>(log_size_before));
    for (std::string line; std::getline(log, line);) {
        if (line.find("[Warning]") == std::string::npos || line.find(left_out) == std::string::npos) continue;
        if (line.find("Error_code: 1032") == std::string::npos) throw Error(ErrorCode::Internal, line);
        ++missing_[name];
    }
}

}  // namespace tidemark::restore
