#include "tenant/tenant_variables.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>

#include "base/letters.h"
#include "base/time_zone.h"
#include "oceanbase/ob_error.h"
#include "tenant/invited_nodes.h"

namespace tidemark::tenant {
namespace {

/// Settings of mariadbd that concern a tenant's own sessions only: none reaches the host, the log or other tenants.
/// In my.cnf one of them has another name than in SET.
constexpr auto kServerSettings = std::to_array<std::pair<std::string_view, std::string_view>>({
    {"auto_increment_increment", "auto_increment_increment"},
    {"auto_increment_offset", "auto_increment_offset"},
    {"autocommit", "autocommit"},
    {"connect_timeout", "connect_timeout"},
    {"div_precision_increment", "div_precision_increment"},
    {"explicit_defaults_for_timestamp", "explicit_defaults_for_timestamp"},
    {"group_concat_max_len", "group_concat_max_len"},
    {"innodb_lock_wait_timeout", "innodb_lock_wait_timeout"},
    {"innodb_strict_mode", "innodb_strict_mode"},
    {"interactive_timeout", "interactive_timeout"},
    {"lock_wait_timeout", "lock_wait_timeout"},
    {"max_allowed_packet", "max_allowed_packet"},
    {"max_statement_time", "max_statement_time"},
    {"net_read_timeout", "net_read_timeout"},
    {"net_write_timeout", "net_write_timeout"},
    {"sql_mode", "sql_mode"},
    {"time_zone", "time_zone"},  // in the init file: see time_zone_tables.h
    {"transaction_isolation", "transaction_isolation"},
    {"tx_isolation", "transaction_isolation"},
    {"wait_timeout", "wait_timeout"},
});

/// OceanBase variables without the prefix ob_ that its statements commonly give and that mean nothing here.
constexpr auto kWithoutEffect = std::to_array<std::string_view>(
    {"nls_date_format", "nls_timestamp_format", "nls_timestamp_tz_format", "parallel_degree_policy",
     "parallel_servers_target", "recyclebin", "undo_retention", "version_comment"});

/// What OceanBase lets a creator choose and Tidemark must not: it would open the host or break the archive; and the
/// character set, which has an option of its own.
constexpr auto kRefused = std::to_array<std::string_view>(
    {"secure_file_priv", "read_only", "super_read_only", "character_set_server", "collation_server", "init_connect"});

const std::string_view* serverName(std::string_view name) {
    for (const auto& [variable, option] : kServerSettings) {
        if (variable == name) return &option;
    }
    return nullptr;
}

template <typename List>
bool contains(const List& list, std::string_view name) {
    return std::find(list.begin(), list.end(), name) != list.end();
}

void checkText(const std::string& name, const std::string& value) {
    constexpr std::size_t kLongest = 4096;
    const auto unprintable = [](unsigned char c) { return c < ' ' || c == '"' || c == 0x7f; };
    if (value.size() > kLongest || std::any_of(value.begin(), value.end(), unprintable)) throw wrongValue(name, value);
}

void checkMode(const std::string& value) {
    const std::string mode = lowerCase(value);
    if (mode != "mysql" && mode != "oracle") throw wrongValue("ob_compatibility_mode", value);
}

/// In a zone that it does not know mariadbd would run too, and take it for UTC.
void checkZone(const std::string& value) {
    if (TimeZone::find(value)) return;
    throw Error(ErrorCode::InvalidRequest, SqlCode{1298, "HY000"}, "Unknown or incorrect time zone: '" + value + "'",
                "this machine has no such zone in /usr/share/zoneinfo: install tzdata");
}

/// Of a name that is in none of the lists.
[[noreturn]] void refuseUnlisted(const std::string& name, bool server_knows) {
    if (server_knows) throw obError(Ob::NotSupported, "setting " + name + " of a tenant is");
    throw Error(ErrorCode::InvalidRequest, SqlCode{1193, "HY000"}, fmt::format("Unknown system variable '{}'", name));
}

bool isListed(const std::string& name) {
    return serverName(name) != nullptr || name.starts_with("ob_") || contains(kWithoutEffect, name);
}

/// False for a name that is in none of the lists.
bool check(const std::string& name, const std::string& value) {
    checkText(name, value);
    if (name == "ob_compatibility_mode") {
        checkMode(value);
    } else if (name == "lower_case_table_names") {
        if (value == "0" || value == "2") throw obError(Ob::NotSupported, "lower_case_table_names other than 1 is");
        if (value != "1") throw wrongValue(name, value);
    } else if (name == kSystemTimeZone) {
        checkZone(value);
    } else if (name == "ob_tcp_invited_nodes") {
        if (!isInvitedList(value)) throw wrongValue(name, value);
    } else if (contains(kRefused, name)) {
        refuseUnlisted(name, true);
    } else {
        return isListed(name);
    }
    return true;
}

}  // namespace

Error wrongValue(const std::string& name, const std::string& value) {
    return {ErrorCode::InvalidRequest, SqlCode{1231, "42000"},
            fmt::format("Variable '{}' can't be set to the value of '{}'", name, value)};
}

std::map<std::string, std::string> checkVariables(const std::map<std::string, std::string>& given,
                                                  const std::function<bool(const std::string&)>& server_knows) {
    std::map<std::string, std::string> checked;
    for (const auto& [name, value] : given) {
        const std::string known_as = lowerCase(name);
        if (!check(known_as, value)) refuseUnlisted(known_as, server_knows(known_as));
        checked[known_as] = value;
    }
    return checked;
}

std::map<std::string, std::string> serverSettings(const std::map<std::string, std::string>& checked) {
    std::map<std::string, std::string> settings;
    for (const auto& [name, value] : checked) {
        if (const std::string_view* option = serverName(name)) settings[std::string(*option)] = value;
    }
    return settings;
}

std::string systemTimeZoneOf(const std::map<std::string, std::string>& variables) {
    const auto found = variables.find(kSystemTimeZone);
    return found == variables.end() ? "" : found->second;
}

catalog::CompatibilityMode modeOf(const std::map<std::string, std::string>& checked) {
    const auto found = checked.find("ob_compatibility_mode");
    const bool oracle = found != checked.end() && lowerCase(found->second) == "oracle";
    return oracle ? catalog::CompatibilityMode::Oracle : catalog::CompatibilityMode::Mysql;
}

void requireModesSqlMode(catalog::CompatibilityMode mode, const std::map<std::string, std::string>& checked) {
    const auto found = checked.find("sql_mode");
    if (mode != catalog::CompatibilityMode::Oracle || found == checked.end()) return;
    if ((',' + lowerCase(found->second) + ',').find(",oracle,") == std::string::npos)
        throw wrongValue("sql_mode", found->second);
}

}  // namespace tidemark::tenant
