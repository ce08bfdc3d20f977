#include "front/front_fixture.h"
#include "testing/mariadb_server.h"

namespace tidemark::front {

std::vector<std::string> tenantOptions() {
    return {"--proxy-protocol-networks=localhost", "--unix-socket=OFF", "--local-infile=1", "--max-allowed-packet=64M"};
}

namespace {

/// `o'dd@name` has what the question for the caller must quote; PLAIN differs from plain by case only, and may do more.
constexpr const char* kUsers = R"(
    CREATE DATABASE shop; CREATE TABLE shop.t (a INT, b LONGTEXT) ENGINE=InnoDB;
    CREATE USER admin@'127.0.0.1' IDENTIFIED BY 'geheim'; GRANT ALL ON *.* TO admin@'127.0.0.1' WITH GRANT OPTION;
    CREATE USER plain@'127.0.0.1'; GRANT ALL ON shop.* TO plain@'127.0.0.1'; GRANT SELECT ON mysql.* TO plain@'127.0.0.1';
    CREATE USER PLAIN@'127.0.0.1'; GRANT CREATE USER ON *.* TO PLAIN@'127.0.0.1';
    CREATE USER other@'127.0.0.1' IDENTIFIED BY 'x';
    CREATE USER `o'dd@name`@'127.0.0.1'; GRANT CREATE USER ON *.* TO `o'dd@name`@'127.0.0.1';
    CREATE USER near@localhost IDENTIFIED BY 'n'; CREATE USER far@'%' IDENTIFIED BY 'f';
    CREATE USER replica@'127.0.0.1'; GRANT REPLICATION SLAVE ON *.* TO replica@'127.0.0.1';
    CREATE USER tidemark@'127.0.0.1'; GRANT ALL ON *.* TO tidemark@'127.0.0.1'
)";

const testing::MariadbServer& sharedServer() {
    static auto server = [] {
        auto started = std::make_unique<testing::MariadbServer>(tenantOptions());
        started->connect().script(kUsers);
        return started;
    }();
    return *server;
}

}  // namespace

std::filesystem::path sharedSocket() {
    return sharedServer().socket();
}
mysql::SqlClient sharedConnect() {
    return sharedServer().connect();
}

}  // namespace tidemark::front
