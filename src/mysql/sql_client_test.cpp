#include "mysql/sql_client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "mysql/wire_client.h"
#include "testing/mariadb_server.h"
#include "testing/peak_memory.h"

namespace tidemark::mysql {
namespace {

/// All that a tenant may be given (tenant/tenant_variables.cpp) and that would change what a statement of ours does.
const std::vector<std::string> kHostileSettings = {
    "--sql-mode=ORACLE,EMPTY_STRING_IS_NULL,NO_BACKSLASH_ESCAPES",
    "--wait-timeout=8",
    "--interactive-timeout=8",
    "--net-read-timeout=1",
    "--net-write-timeout=1",
    "--autocommit=0",
    "--max-statement-time=3",
    "--lock-wait-timeout=1",
    "--innodb-lock-wait-timeout=1",
    "--default-time-zone=+09:00",
    "--transaction-isolation=READ-UNCOMMITTED",
    "--group-concat-max-len=4",
    "--div-precision-increment=0",
    "--auto-increment-increment=7",
    "--auto-increment-offset=3",
    "--explicit-defaults-for-timestamp=0",
    "--innodb-strict-mode=0",
    "--character-set-server=latin1",
    "--collation-server=latin1_swedish_ci",
};

constexpr const char* kAskSettings =
    "SELECT CONCAT_WS(' ', @@sql_mode, @@wait_timeout, @@interactive_timeout, @@net_read_timeout, @@net_write_timeout,"
    " @@autocommit, @@max_statement_time, @@lock_wait_timeout, @@innodb_lock_wait_timeout, @@time_zone,"
    " @@tx_isolation, @@group_concat_max_len, @@div_precision_increment, @@auto_increment_increment,"
    " @@auto_increment_offset, @@explicit_defaults_for_timestamp, @@innodb_strict_mode, @@foreign_key_checks,"
    " @@sql_safe_updates, @@sql_select_limit, @@sql_quote_show_create, @@character_set_client,"
    " @@collation_connection)";

constexpr const char* kExpectedSettings =
    " 31536000 31536000 30 60 ON 0.000000 86400 50 +00:00 REPEATABLE-READ 1048576 4 1 1 ON ON ON OFF"
    " 18446744073709551615 ON"
    " utf8mb4 utf8mb4_general_ci";

TEST(SqlClient, DependsOnNoSettingOfTheServer) {
    const testing::MariadbServer server(kHostileSettings);
    EXPECT_EQ(server.connect().scalar(kAskSettings), kExpectedSettings);
    EXPECT_EQ(WireClient(server.endpoint(), {}).query(kAskSettings), kExpectedSettings);
}

TEST(SqlClient, IsAnOrdinaryClientOnDemand) {
    const testing::MariadbServer server(kHostileSettings);
    Endpoint endpoint = server.endpoint();
    endpoint.server_settings = true;
    EXPECT_EQ(SqlClient(endpoint).scalar("SELECT CONCAT_WS(' ', @@wait_timeout, @@autocommit, @@time_zone)"),
              "8 OFF +09:00");
}

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
        EXPECT_EQ(error.sql()->sqlstate, "42S02");
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

/// What a tenant answers comes from outside: its administrator may have put anything where we look.
TEST(SqlClient, TakesNoMoreOfAnAnswerThanItsLimit) {
    const testing::MariadbServer server({"--max-allowed-packet=256M"});
    Endpoint endpoint = server.endpoint();
    endpoint.result_limit = 4 << 20;
    const auto refusal = [&](const std::string& statement) {
        SqlClient client(endpoint);
        try {
            client.query(statement);
            return std::string("nothing");
        } catch (const Error& error) {
            EXPECT_EQ(error.code(), ErrorCode::Corrupt) << error.what();
            EXPECT_THROW(client.query("SELECT 1"), Error) << "what comes next would be the rest of that answer";
            return std::string(error.what());
        }
    };
    server.connect().script("CREATE DATABASE d");
    const testing::PeakMemory memory;
    for (const char* rows : {"SELECT REPEAT('x', 1000) FROM d.seq_1_to_200000", "SELECT REPEAT('x', 200000000)",
                             "SELECT NULL FROM d.seq_1_to_9000000"})
        EXPECT_THAT(refusal(rows), ::testing::HasSubstr("more than 4194304 bytes")) << rows;
    EXPECT_LT(memory.bytes(), 48U << 20);
    EXPECT_EQ(SqlClient(endpoint).query("SELECT REPEAT('x', 1000) FROM d.seq_1_to_3000").rows.size(), 3000U);
    EXPECT_EQ(SqlClient(endpoint).scalar("SELECT LENGTH(?)", {std::string(9'000'000, 'x')}), "9000000")
        << "what is sent is not limited by it";
    endpoint.result_limit = 64 << 20;
    EXPECT_EQ(SqlClient(endpoint).scalar("SELECT REPEAT('x', 30000000)")->size(), 30'000'000U);
}

TEST(SqlClient, SaysWhatIsNoNumber) {
    const testing::MariadbServer server;
    SqlClient client = server.connect();
    const Result result = client.query("SELECT 'x1' AS a, '99999999999999999999999' AS b, '7 ' AS c, -1 AS d");
    for (const char* column : {"a", "b", "c"}) {
        EXPECT_THROW(result.rows[0].integer(column), Error) << column;
        EXPECT_THROW(result.rows[0].unsignedInteger(column), Error) << column;
    }
    EXPECT_EQ(result.rows[0].integer("d"), -1);
    EXPECT_THROW(result.rows[0].unsignedInteger("d"), Error);
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
