#pragma once

#include <map>
#include <string>

#include "mysql/sql_client.h"

namespace tidemark::tenant {

/// Settings of a tenant, under the names my.cnf knows (see serverSettings), as a running mariadbd takes them. A size
/// may be written as in my.cnf: 64M.

/// Whether mariadbd has a variable of that name, in lower case.
bool knowsVariable(mysql::SqlClient& sql, const std::string& name);

/// Throws what mariadbd says of a value it does not take, and changes nothing: `server` may be another tenant's.
void tryServerSettings(const mysql::Endpoint& server, const std::map<std::string, std::string>& settings);

/// SET GLOBAL, one after the other. Throws what mariadbd says.
void setServerSettings(mysql::SqlClient& sql, const std::map<std::string, std::string>& settings);

}  // namespace tidemark::tenant
