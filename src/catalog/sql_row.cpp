#include "catalog/sql_row.h"

#include <fmt/format.h>
#include <strings.h>

#include <cstdio>
#include <ctime>

#include "base/json.h"

namespace tidemark::catalog {
namespace {

std::string assignments(const Columns& columns, std::string_view separator, std::vector<mysql::Value>& values) {
    std::string text;
    for (const auto& [column, value] : columns) {
        if (!text.empty()) text += separator;
        text += column + " = ?";
        values.push_back(value);
    }
    return text;
}

/// Bytes of the UTF-8 character at `position`, or 0 if there is none.
std::size_t characterSize(std::string_view text, std::size_t position) {
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[position + i]); };
    const unsigned lead = byte(0);
    const std::size_t size = lead < 0x80   ? 1
                             : lead < 0xc2 ? 0
                             : lead < 0xe0 ? 2
                             : lead < 0xf0 ? 3
                             : lead < 0xf5 ? 4
                                           : 0;
    if (size == 0 || position + size > text.size()) return 0;
    for (std::size_t i = 1; i < size; ++i) {
        if ((byte(i) & 0xc0) != 0x80) return 0;
    }
    // Second bytes that would make an overlong form, a surrogate, or a number beyond Unicode.
    if ((lead == 0xe0 && byte(1) < 0xa0) || (lead == 0xed && byte(1) >= 0xa0) || (lead == 0xf0 && byte(1) < 0x90) ||
        (lead == 0xf4 && byte(1) >= 0x90)) {
        return 0;
    }
    return size;
}

}  // namespace

void insertRow(mysql::SqlClient& client, std::string_view table, const Columns& columns) {
    std::string names;
    std::string marks;
    std::vector<mysql::Value> values;
    for (const auto& [column, value] : columns) {
        names += (names.empty() ? "" : ", ") + column;
        marks += marks.empty() ? "?" : ", ?";
        values.push_back(value);
    }
    client.query(fmt::format("INSERT INTO tidemark.{} ({}) VALUES ({})", table, names, marks), values);
}

std::uint64_t updateRows(mysql::SqlClient& client, std::string_view table, const Columns& set, const Columns& where) {
    std::vector<mysql::Value> values;
    const std::string changes = assignments(set, ", ", values);
    const std::string condition = assignments(where, " AND ", values);
    return client.query(fmt::format("UPDATE tidemark.{} SET {} WHERE {}", table, changes, condition), values)
        .affected_rows;
}

std::uint64_t deleteRows(mysql::SqlClient& client, std::string_view table, const Columns& where) {
    std::vector<mysql::Value> values;
    const std::string condition = assignments(where, " AND ", values);
    return client.query(fmt::format("DELETE FROM tidemark.{} WHERE {}", table, condition), values).affected_rows;
}

void moveToHistory(mysql::SqlClient& client, const std::string& table, const Columns& where) {
    std::vector<mysql::Value> values;
    const std::string condition = assignments(where, " AND ", values);
    client.query(fmt::format("INSERT INTO tidemark.{0}_history SELECT * FROM tidemark.{0} WHERE {1}", table, condition),
                 values);
    deleteRows(client, table, where);
}

std::int64_t nextId(mysql::SqlClient& client, std::string_view name, std::int64_t scope, std::int64_t first,
                    std::int64_t step, std::int64_t least) {
    // One statement takes the row's lock whether the row is there or not, so that two callers never deadlock over it.
    client.query(
        "INSERT INTO tidemark.sequence (name, scope, last) VALUES (?, ?, LAST_INSERT_ID(GREATEST(?, ?))) "
        "ON DUPLICATE KEY UPDATE last = LAST_INSERT_ID(GREATEST(last + ?, ?))",
        {std::string(name), scope, first, least, step, least});
    return std::stoll(client.scalar("SELECT LAST_INSERT_ID()").value());
}

mysql::Value sqlTime(Nanos time) {
    const std::time_t seconds = time / kSecond;
    std::tm t{};
    gmtime_r(&seconds, &t);
    return fmt::format("{:04}-{:02}-{:02} {:02}:{:02}:{:02}.{:06}", t.tm_year + 1900, t.tm_mon + 1, t.tm_mday,
                       t.tm_hour, t.tm_min, t.tm_sec, time % kSecond / 1000);
}

mysql::Value sqlTime(const std::optional<Nanos>& time) {
    return time ? sqlTime(*time) : mysql::Value(nullptr);
}

std::optional<Nanos> maybeTimeOf(const mysql::Row& row, std::string_view column) {
    const auto text = row.maybe(column);
    if (!text) return std::nullopt;
    std::tm t{};
    long micros = 0;
    if (std::sscanf(text->c_str(), "%d-%d-%d %d:%d:%d.%6ld", &t.tm_year, &t.tm_mon, &t.tm_mday, &t.tm_hour, &t.tm_min,
                    &t.tm_sec, &micros) < 6) {
        throw Error(ErrorCode::Internal, fmt::format("column {} holds no time: {}", column, *text));
    }
    t.tm_year -= 1900;
    t.tm_mon -= 1;
    return static_cast<Nanos>(timegm(&t)) * kSecond + micros * 1000;
}

Nanos timeOf(const mysql::Row& row, std::string_view column) {
    return maybeTimeOf(row, column).value_or(0);
}

std::string fitting(std::string_view text, std::size_t limit) {
    std::string result;
    std::size_t position = 0;
    for (std::size_t count = 0; position < text.size() && count < limit; ++count) {
        const std::size_t size = characterSize(text, position);
        if (size == 0) {
            result += '?';
            ++position;
        } else {
            result += text.substr(position, size);
            position += size;
        }
    }
    return result;
}

bool equalNames(std::string_view a, std::string_view b) {
    return a.size() == b.size() && strncasecmp(a.data(), b.data(), a.size()) == 0;
}

std::string variablesText(const std::map<std::string, std::string>& variables) {
    // Bytes that are no UTF-8 would make dump() throw; a variable's value may hold any.
    return jsonText(nlohmann::json(variables));
}

std::map<std::string, std::string> variablesFrom(const std::string& json) {
    return parseJson(json).get<std::map<std::string, std::string>>();
}

std::string joined(const std::vector<std::string>& parts, char separator) {
    return fmt::format("{}", fmt::join(parts, std::string(1, separator)));
}

std::vector<std::string> split(std::string_view text, char separator) {
    std::vector<std::string> parts;
    while (!text.empty()) {
        const std::size_t end = std::min(text.find(separator), text.size());
        parts.emplace_back(text.substr(0, end));
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return parts;
}

}  // namespace tidemark::catalog
