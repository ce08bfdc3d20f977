#include "validate/tenant_reading.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>
#include <future>

#include "base/error.h"
#include "testing/eventually.h"
#include "testing/mariadb_server.h"

namespace tidemark::validate {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using Clock = std::chrono::steady_clock;

class TenantReadingTest : public ::testing::Test {
protected:
    static void SetUpTestSuite() { server_ = std::make_unique<testing::MariadbServer>(); }
    static void TearDownTestSuite() { server_.reset(); }

    TenantReadingTest() {
        session_.script(
            "DROP DATABASE IF EXISTS t; DROP DATABASE IF EXISTS tidemark; CREATE DATABASE t; "
            "CREATE DATABASE tidemark; CREATE TABLE t.a (id INT PRIMARY KEY); INSERT INTO t.a VALUES (1)");
    }

    /// A row takes 1 KB, and 8 MB when it is read, or in a log: a table that is small, and is read for ten seconds or
    /// more.
    void makeSlowTable() {
        session_.script(
            "SET sql_log_bin = 0; CREATE TABLE t.one (b LONGBLOB COMPRESSED);"
            "INSERT INTO t.one VALUES (REPEAT('abcdefgh', 1000000));"
            "CREATE TABLE t.slow (id INT PRIMARY KEY AUTO_INCREMENT, b LONGBLOB COMPRESSED);"
            "INSERT INTO t.slow (b) SELECT one.b FROM t.one, t.seq_1_to_3000; DROP TABLE t.one");
    }
    /// In a thread of its own.
    std::future<TableStates> reading() {
        return std::async(std::launch::async,
                          [] { return snapshotTables(server_->endpoint(), {}, [](std::int64_t, std::int64_t) {}); });
    }
    bool isRead(const std::string& table) {
        return session_.scalar("SELECT COUNT(*) FROM information_schema.processlist WHERE info LIKE ?",
                               {"%CHECKSUM TABLE `t`.`" + table + "`"}) != "0";
    }
    void awaitRead(const std::string& table) {
        ASSERT_TRUE(testing::eventually([&] { return isRead(table); })) << table << " is not read";
    }
    static std::chrono::milliseconds timeOf(const std::function<void()>& work) {
        const auto begin = Clock::now();
        work();
        return std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - begin);
    }

    static inline std::unique_ptr<testing::MariadbServer> server_;
    mysql::SqlClient session_ = server_->connect();
};

TEST_F(TenantReadingTest, DdlOfTheTableThatIsReadWaitsForAMoment) {
    makeSlowTable();
    auto states = reading();
    awaitRead("slow");
    const auto waited = timeOf([&] { session_.query("ALTER TABLE t.slow ADD COLUMN n INT"); });
    EXPECT_LT(waited, std::chrono::seconds(3)) << "to read the table takes three times as long";
    const TableStates read = states.get();
    EXPECT_TRUE(read.tables.at({"t", "a"}).checksum);
    EXPECT_FALSE(read.tables.at({"t", "slow"}).checksum);
    EXPECT_THAT(read.tables.at({"t", "slow"}).problem, HasSubstr("DDL of it meanwhile"));
}

TEST_F(TenantReadingTest, WhatGivesWayTwiceIsSaid) {
    makeSlowTable();
    session_.query("CREATE TABLE tidemark.x (id INT)");
    mysql::SqlClient locker = server_->connect();
    locker.query("LOCK TABLES tidemark.x WRITE");
    auto waiter = std::async(std::launch::async, [] { server_->connect().query("INSERT INTO tidemark.x VALUES (1)"); });
    TableStates read;
    EXPECT_LT(timeOf([&] { read = reading().get(); }), std::chrono::seconds(6));
    locker.query("UNLOCK TABLES");
    waiter.get();
    EXPECT_TRUE(read.tables.at({"t", "a"}).checksum);
    EXPECT_FALSE(read.tables.at({"t", "slow"}).checksum);
    EXPECT_THAT(read.tables.at({"t", "slow"}).problem, HasSubstr("gave way, twice"));
}

TEST_F(TenantReadingTest, ATableThatSomebodyElseHasLockedIsWaitedForBriefly) {
    session_.query("CREATE TABLE t.b (id INT PRIMARY KEY)");
    mysql::SqlClient locker = server_->connect();
    locker.query("LOCK TABLES t.a WRITE");
    TableStates read;
    EXPECT_LT(timeOf([&] { read = reading().get(); }), kLockLimit + std::chrono::seconds(5));
    EXPECT_FALSE(read.tables.at({"t", "a"}).checksum);
    EXPECT_THAT(read.tables.at({"t", "a"}).problem, AllOf(HasSubstr("ock"), Not(HasSubstr("gave way"))));
    EXPECT_TRUE(read.tables.at({"t", "b"}).checksum);
}

TEST_F(TenantReadingTest, WhatADeadDaemonHasLeftRunningIsEndedAndNothingElse) {
    makeSlowTable();
    mysql::SqlClient other = server_->connect();
    const auto id = other.scalar("SELECT CONNECTION_ID()").value();
    auto theirs = std::async(std::launch::async, [&] { other.query("SELECT SUM(CRC32(b)) FROM t.slow"); });
    auto states = reading();
    awaitRead("slow");
    endReadings(session_);
    EXPECT_THROW(states.get(), Error);
    EXPECT_TRUE(testing::eventually([&] { return !isRead("slow"); }, std::chrono::seconds(2)));
    session_.query("KILL QUERY " + id);
    EXPECT_THROW(theirs.get(), Error) << "it still ran";
}

TEST_F(TenantReadingTest, AStatementEndsByItselfWhenItTakesTooLong) {
    EXPECT_EQ(readingLimit(0), std::chrono::seconds(60));
    EXPECT_EQ(readingLimit(std::uint64_t{8} << 30), std::chrono::seconds(60 + 1024));
    makeSlowTable();
    mysql::SqlClient reader = server_->connect();
    reader.query("SET SESSION max_statement_time = 0.3");
    TableState state;
    EXPECT_LT(timeOf([&] {
                  EXPECT_THROW(readChecksum(reader, {"t", "slow"}, state), Error);
              }),
              std::chrono::seconds(3));
}

/// CPU time of the server.
std::chrono::milliseconds cpuTime(pid_t server) {
    std::ifstream stat(fmt::format("/proc/{}/stat", server));
    std::string word;
    std::uint64_t ticks = 0;
    for (int field = 1; field <= 15 && stat >> word; ++field) {
        if (field >= 14) ticks += std::stoull(word);
    }
    return std::chrono::milliseconds(ticks * 1000 / static_cast<std::uint64_t>(::sysconf(_SC_CLK_TCK)));
}

TEST_F(TenantReadingTest, AListCostsAsMuchAsThereAreTables) {
    std::string columns;
    for (int i = 0; i < 20; ++i)
        columns += fmt::format("{}c{} INT", i == 0 ? "" : ", ", i);
    int made = 0;
    const auto cost = [&](int tables) {
        for (; made < tables; ++made)
            session_.query(fmt::format("CREATE TABLE t.m{} ({}) ENGINE = MEMORY", made, columns));
        listTables(session_);  // tables are open from now on
        const auto before = cpuTime(server_->pid());
        EXPECT_EQ(listTables(session_).size(), static_cast<std::size_t>(tables + 1));
        return cpuTime(server_->pid()) - before;
    };
    session_.query("SET sql_log_bin = 0");
    const auto few = cost(100);
    const auto many = cost(1000);
    EXPECT_LT(many, 15 * few + std::chrono::milliseconds(200)) << few.count() << " ms for a tenth of the tables";
}

TEST_F(TenantReadingTest, ANameIsATableOfItsOwnWhateverItsAccents) {
    session_.query("CREATE TABLE t.cafe (id INT)");
    session_.query("CREATE TABLE t.café (id BIGINT)");
    const auto tables = listTables(session_);
    EXPECT_NE(tables.at({"t", "cafe"}).definition, "");
    EXPECT_NE(tables.at({"t", "café"}).definition, "");
    EXPECT_NE(tables.at({"t", "cafe"}).definition, tables.at({"t", "café"}).definition);
}

}  // namespace
}  // namespace tidemark::validate
