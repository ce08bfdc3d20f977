#pragma once

#include <string>
#include <string_view>

namespace tidemark::front {

/// What a client wrote as its user: `user@tenant#cluster`.
struct LoginName {
    std::string user;    ///< as the tenant gets it
    std::string tenant;  ///< "sys" if none was named
};

/// The tenant follows the last '@', since a user name may contain one (an e-mail address); the cluster's name is cut
/// off.
LoginName splitLoginName(std::string_view name);

/// Whether the tenant would take it for the daemon's own account, which no client may use. MariaDB strips single quotes
/// around a user name, so they are looked through here too.
bool isReservedUser(std::string_view user);

/// The name under which the tenant has the user. Where OceanBase folds names, MariaDB tells `sys` from `SYS`: in ORACLE
/// mode the administrator may be written in any case.
std::string userInTenant(const std::string& user, bool oracle);

/// Where such a user begins who named no database; empty: nowhere.
std::string defaultDatabase(const std::string& user, bool oracle);

}  // namespace tidemark::front
