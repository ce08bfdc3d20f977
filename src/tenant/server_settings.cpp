#include "tenant/server_settings.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <string_view>

#include "tenant/tenant_variables.h"

namespace tidemark::tenant {
namespace {

/// What SET calls a setting that my.cnf knows by another name.
std::string variableName(const std::string& option) {
    if (option == "transaction_isolation") return "tx_isolation";
    return option;
}

/// A number goes as one: mariadbd refuses '5' for a numeric variable. SET knows no 64M, my.cnf does.
mysql::Value valueOf(const std::string& text) {
    const char* const end = text.data() + text.size();
    std::int64_t number = 0;
    const auto [rest, problem] = std::from_chars(text.data(), end, number);
    if (problem != std::errc() || number < 0) return text;
    if (rest == end) return number;
    const auto power = std::string_view("kmg").find(static_cast<char>(std::tolower(static_cast<unsigned char>(*rest))));
    if (rest + 1 == end && power != std::string_view::npos && number < (1LL << 33)) return number << 10 * (power + 1);
    double fraction = 0;
    return std::from_chars(text.data(), end, fraction).ptr == end ? mysql::Value(fraction) : mysql::Value(text);
}

/// Of a variable without a value of the session's own, which can only be set for all: mariadbd's limits, as it tells
/// them itself, and the errors that SET GLOBAL would give.
void checkNumber(mysql::SqlClient& sql, const std::string& name, const std::string& text) {
    const mysql::Value value = valueOf(text);
    if (!std::holds_alternative<std::int64_t>(value)) {
        throw Error(ErrorCode::InvalidRequest, SqlCode{1232, "42000"},
                    fmt::format("Incorrect argument type to variable '{}'", name));
    }
    const auto fits = sql.scalar(
        "SELECT ? BETWEEN CAST(numeric_min_value AS DECIMAL(65)) AND CAST(numeric_max_value AS DECIMAL(65)) "
        "FROM information_schema.system_variables WHERE variable_name = ?",
        {value, name});
    if (fits != "1") throw wrongValue(name, text);
}

bool isGlobalOnly(const Error& error) {
    constexpr int kGlobalVariable = 1229, kReadOnlyInSessions = 1621;
    return error.sql() && (error.sql()->number == kGlobalVariable || error.sql()->number == kReadOnlyInSessions);
}

}  // namespace

bool knowsVariable(mysql::SqlClient& sql, const std::string& name) {
    return sql.scalar("SELECT 1 FROM information_schema.system_variables WHERE variable_name = ?", {name}).has_value();
}

void tryServerSettings(const mysql::Endpoint& server, const std::map<std::string, std::string>& settings) {
    for (const auto& [option, value] : settings) {
        // A session of its own for each: a max_statement_time must not end the trial of the next one.
        mysql::SqlClient sql(server);
        const std::string name = variableName(option);
        try {
            sql.query("SET SESSION " + mysql::quoteIdentifier(name) + " = ?", {valueOf(value)});
        } catch (const Error& error) {
            if (!isGlobalOnly(error)) throw;
            checkNumber(sql, name, value);
        }
    }
}

void setServerSettings(mysql::SqlClient& sql, const std::map<std::string, std::string>& settings) {
    for (const auto& [option, value] : settings)
        sql.query("SET GLOBAL " + mysql::quoteIdentifier(variableName(option)) + " = ?", {valueOf(value)});
}

}  // namespace tidemark::tenant
