#include "cli/connection.h"

#include <cstdlib>

namespace tidemark::cli {

mysql::SqlClient ConnectionOptions::connect() const {
    mysql::Endpoint endpoint;
    endpoint.host = host == "localhost" ? "127.0.0.1" : host;  // the library would look for a unix socket otherwise
    endpoint.port = port;
    endpoint.user = user;
    endpoint.password = password;
    for (const char* variable : {"TIDEMARK_PASSWORD", "MYSQL_PWD"}) {
        const char* value = std::getenv(variable);
        if (endpoint.password.empty() && value != nullptr) endpoint.password = value;
    }
    endpoint.result_limit = mysql::Endpoint::kOwnResultLimit;
    endpoint.server_settings = true;  // times are shown in the operator's time zone, as any client shows them
    return mysql::SqlClient(endpoint);
}

mysql::SqlClient ConnectionOptions::connectToSys() const {
    mysql::SqlClient client = connect();
    const std::string tenant = client.scalar("SHOW TENANT").value_or("");
    if (tenant == "sys") return client;
    throw Error(ErrorCode::InvalidRequest, "this is tenant " + tenant + "; what this tool shows is in tenant sys",
                "log in there: --user root@sys");
}

}  // namespace tidemark::cli
