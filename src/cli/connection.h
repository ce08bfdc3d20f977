#pragma once

#include <string>

#include "mysql/sql_client.h"

namespace tidemark::cli {

/// The connection options of the mariadb client, with Tidemark's defaults.
struct ConnectionOptions {
    std::string host = "127.0.0.1";
    unsigned port = 2881;
    std::string user = "root@sys";
    std::string password;  ///< else from TIDEMARK_PASSWORD or MYSQL_PWD, so that it is in no process list

    mysql::SqlClient connect() const;
    /// Throws InvalidRequest if the account is another tenant's: the views of all tenants are in sys.
    mysql::SqlClient connectToSys() const;
};

}  // namespace tidemark::cli
