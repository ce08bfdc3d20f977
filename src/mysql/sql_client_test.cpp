#include "mysql/sql_client.h"

#include <gtest/gtest.h>

#include "testing/mariadb_server.h"

namespace tidemark::mysql {
namespace {

TEST(SqlClient, ReadsBackWhatWasBoundWhateverItContains) {
    const testing::MariadbServer server;
    SqlClient client = server.connect();
    const std::string awkward = "it's a \"test\" \\ with ? and \n";
    const Result result = client.query("SELECT ? AS a, ? AS b, ? AS c", {awkward, nullptr, std::int64_t{-5}});
    EXPECT_EQ(result.rows.at(0).text("A"), awkward);
    EXPECT_FALSE(result.rows.at(0).maybe("b"));
    EXPECT_EQ(result.rows.at(0).integer("c"), -5);
}

TEST(SqlClient, SaysWhatTheServerSaid) {
    const testing::MariadbServer server;
    SqlClient client = server.connect();
    try {
        client.query("SELECT * FROM mysql.no_such_table");
        FAIL() << "no error";
    } catch (const Error& error) {
        EXPECT_EQ(error.sql()->number, 1146);
        EXPECT_STREQ(error.sql()->sqlstate, "42S02");
    }
}

TEST(SqlClient, CallsALostServerUnavailable) {
    testing::MariadbServer server;
    SqlClient client = server.connect();
    server.kill();
    try {
        client.query("SELECT 1");
        FAIL() << "no error";
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), ErrorCode::Unavailable);
    }
}

TEST(SqlClient, RollsBackWhatThrows) {
    const testing::MariadbServer server;
    SqlClient client = server.connect();
    client.script("CREATE DATABASE d; CREATE TABLE d.t (a INT) ENGINE=InnoDB");
    EXPECT_THROW(inTransaction(client,
                               [&] {
                                   client.query("INSERT INTO d.t VALUES (1)");
                                   throw Error(ErrorCode::Cancelled, "stop");
                               }),
                 Error);
    EXPECT_EQ(client.scalar("SELECT COUNT(*) FROM d.t"), "0");
}

}  // namespace
}  // namespace tidemark::mysql
