#pragma once

#include <map>
#include <string>

namespace tidemark::tenant {

/// What CREATE/ALTER TENANT … SET may set, by kind:
/// - handled by Tidemark: ob_compatibility_mode (mysql only), ob_tcp_invited_nodes, lower_case_table_names (1 only);
/// - settings of mariadbd that an application owner may choose (sql_mode, time_zone, wait_timeout, …);
/// - OceanBase's own variables (ob_query_timeout, …): kept and shown, without effect.
///
/// Returns the variables with lower-case names and checked values. Throws Ob::NotSupported for what OceanBase has and
/// Tidemark refuses, Error 1193 for a name nobody knows, 1231 for a value that is not one.
std::map<std::string, std::string> checkVariables(const std::map<std::string, std::string>& given);

/// Of checked variables those that are settings of mariadbd, under the names my.cnf knows.
std::map<std::string, std::string> serverSettings(const std::map<std::string, std::string>& checked);

}  // namespace tidemark::tenant
