#pragma once

#include <functional>
#include <map>
#include <string>

#include "base/error.h"
#include "catalog/types.h"

namespace tidemark::tenant {

/// What CREATE/ALTER TENANT … SET may set, by kind:
/// - handled by Tidemark: ob_compatibility_mode, ob_tcp_invited_nodes, lower_case_table_names (1 only),
///   system_time_zone;
/// - settings of mariadbd that an application owner may choose (sql_mode, time_zone, wait_timeout, …);
/// - OceanBase's own variables (ob_query_timeout, …): kept and shown, without effect.
///
/// Returns the variables with lower-case names and checked values. Throws Ob::NotSupported for what OceanBase has and
/// Tidemark refuses and for any other variable that `server_knows`, Error 1193 for a name nobody knows, 1231 for a
/// value that is not one, 1298 for a system_time_zone that this machine does not know. What values a setting of
/// mariadbd may have, mariadbd knows: server_settings.h.
std::map<std::string, std::string> checkVariables(const std::map<std::string, std::string>& given,
                                                  const std::function<bool(const std::string& name)>& server_knows);

/// 1231 Variable 'name' can't be set to the value of 'value'
Error wrongValue(const std::string& name, const std::string& value);

/// Of checked variables those that are settings of mariadbd, under the names my.cnf knows.
std::map<std::string, std::string> serverSettings(const std::map<std::string, std::string>& checked);

/// What a tenant's mariadbd takes for the machine's time zone, as TZ has it: that of the machine that it was made on,
/// also after a restore elsewhere, since its log says no more of it than SYSTEM. CREATE TENANT may choose another.
constexpr const char* kSystemTimeZone = "system_time_zone";
/// Empty: not recorded.
std::string systemTimeZoneOf(const std::map<std::string, std::string>& variables);

/// Of checked variables ob_compatibility_mode; MYSQL if there is none.
catalog::CompatibilityMode modeOf(const std::map<std::string, std::string>& checked);

/// Throws 1231 for a sql_mode without ORACLE of an ORACLE tenant: it would be one no more.
void requireModesSqlMode(catalog::CompatibilityMode mode, const std::map<std::string, std::string>& checked);

}  // namespace tidemark::tenant
