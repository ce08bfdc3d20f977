#include "restore/server_upgrade.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "base/file.h"
#include "testing/mariadb_server.h"

namespace tidemark::restore {
namespace {

namespace fs = std::filesystem;

TEST(ServerUpgrade, LeavesNoPasswordBehindWhenItFails) {
    testing::MariadbServer server;
    const testing::TemporaryDirectory directory;
    const std::string password = "s3cr\\et \"p#w";
    auto client = server.connect();
    client.query("CREATE USER weak@localhost IDENTIFIED BY ?", {password});
    mysql::Endpoint endpoint = server.endpoint();
    endpoint.user = "weak";
    endpoint.password = password;
    try {
        upgradeServer(endpoint, "10.6.0-MariaDB", directory.path());
        FAIL() << "an account without privileges upgraded the server";
    } catch (const Error& error) {
        EXPECT_NE(std::string(error.what()).find("mariadb-upgrade"), std::string::npos) << error.what();
        // It got in: the password was handed over as it is.
        EXPECT_EQ(std::string(error.what()).find("Access denied for user 'weak'@'localhost' (using password"),
                  std::string::npos)
            << error.what();
    }
    for (const auto& left : fs::directory_iterator(directory.path()))
        ADD_FAILURE() << "left behind: " << left.path();
}

TEST(ServerUpgrade, IsNeededForAnOlderVersionAndRefusedForANewerOne) {
    EXPECT_TRUE(needsUpgrade("10.6.1-MariaDB", "10.11.19-MariaDB"));
    EXPECT_FALSE(needsUpgrade("10.11.1-MariaDB", "10.11.19-MariaDB"));
    EXPECT_THROW(needsUpgrade("11.8.1-MariaDB", "10.11.19-MariaDB"), Error);
    EXPECT_THROW(needsUpgrade("new", "10.11.19-MariaDB"), Error);
}

}  // namespace
}  // namespace tidemark::restore
