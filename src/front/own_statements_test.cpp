#include "front/own_statements.h"

#include <cstring>

#include "front/front_fixture.h"

namespace tidemark::front {
namespace {

using mysql::Command;

class FrontOwn : public FrontTest {
protected:
    static std::vector<std::vector<std::string>> rows(const LibClient& client, const std::string& statement) {
        std::vector<std::vector<std::string>> all;
        if (mysql_real_query(client.get(), statement.data(), statement.size()) != 0)
            return {{"error", client.message()}};
        MYSQL_RES* result = mysql_store_result(client.get());
        while (MYSQL_ROW row = mysql_fetch_row(result)) {
            auto& texts = all.emplace_back();
            for (unsigned i = 0; i < mysql_num_fields(result); ++i)
                texts.emplace_back(row[i] ? row[i] : "NULL");
        }
        mysql_free_result(result);
        return all;
    }
    using Rows = std::vector<std::vector<std::string>>;
};

TEST_F(FrontOwn, AnswersRowsAndOk) {
    const LibClient client = admin();
    EXPECT_EQ(rows(client, "SHOW TENANT"), (Rows{{"acme"}}));
    EXPECT_EQ(rows(client, "ALTER SYSTEM ROWS 3"), (Rows{{"0", "NULL", ""}, {"1", "NULL", "x"}, {"2", "NULL", "xx"}}));
    EXPECT_EQ(rows(client, "ALTER SYSTEM ROWS 50000").size(), 50'000U);
    EXPECT_EQ(mysql_query(client.get(), "ALTER SYSTEM DO SOMETHING"), 0);
    EXPECT_EQ(mysql_affected_rows(client.get()), 3U);
    EXPECT_EQ(front->counters().own_statements_total, 4U);
    EXPECT_EQ(client.value("SELECT 1"), "1");
}

TEST_F(FrontOwn, TheTenantSaysWhoTheCallerIs) {
    EXPECT_EQ(rows(admin(), "SHOW CALLER"), (Rows{{"acme", "admin@127.0.0.1", "", "1"}}));
    const LibClient plain = connect("plain");
    plain.run("USE shop");
    EXPECT_EQ(rows(plain, "SHOW CALLER"), (Rows{{"sys", "plain@127.0.0.1", "shop", "0"}}))
        << "plain sees PLAIN's privilege in the view, but does not have it";
    EXPECT_EQ(rows(connect("PLAIN@acme"), "SHOW CALLER"), (Rows{{"acme", "PLAIN@127.0.0.1", "", "1"}}));
    EXPECT_EQ(rows(connect("o'dd@name@acme"), "SHOW CALLER"), (Rows{{"acme", "o'dd@name@127.0.0.1", "", "1"}}));
}

TEST_F(FrontOwn, NoSettingOfTheSessionChangesTheCaller) {
    const LibClient plain = connect("plain@acme"), root = admin();
    for (const char* setting : {"SET sql_mode = 'ANSI_QUOTES,PIPES_AS_CONCAT,NO_BACKSLASH_ESCAPES'",
                                "SET sql_mode = 'ORACLE'", "SET character_set_results = 'latin1'", "SET NAMES gbk",
                                "SET sql_select_limit = 0", "SET autocommit = 0", "SET lc_messages = 'de_DE'"}) {
        ASSERT_EQ(plain.run(setting), 0U) << setting;
        ASSERT_EQ(root.run(setting), 0U) << setting;
        EXPECT_EQ(rows(plain, "SHOW CALLER"), (Rows{{"acme", "plain@127.0.0.1", "", "0"}})) << setting;
        EXPECT_EQ(rows(root, "SHOW CALLER"), (Rows{{"acme", "admin@127.0.0.1", "", "1"}})) << setting;
    }
}

TEST_F(FrontOwn, ErrorsCarryNumberStateAndHint) {
    const LibClient client = admin();
    EXPECT_EQ(client.run("ALTER SYSTEM FAIL"), 4179U);
    EXPECT_EQ(client.message(), "the tenant is busy (hint: wait for it)");
    EXPECT_EQ(client.run("ALTER SYSTEM MISSPELT"), 1064U);
    EXPECT_EQ(client.state(), "42000");
    EXPECT_EQ(connect("plain@acme").run("ALTER SYSTEM FAIL"), 1227U);
    EXPECT_EQ(client.run("ALTER SYSTEM CRASH"), 4016U);
    EXPECT_EQ(client.message().find("secret"), std::string::npos) << "the inside of a defect is for the log";
    EXPECT_EQ(client.value("SELECT 1"), "1") << "the session goes on";
    EXPECT_EQ(client.run("ALTER SYSTEM '" + std::string(2'000'000, 'x') + "'"), 1153U);
    EXPECT_EQ(client.value("SELECT 1"), "1");
}

TEST_F(FrontOwn, LeavesTransactionAndStatusAsTheyAre) {
    const LibClient client = admin();
    client.run("TRUNCATE shop.t");
    client.run("BEGIN");
    client.run("INSERT INTO shop.t VALUES (1, 'x')");
    EXPECT_EQ(rows(client, "SHOW TENANT"), (Rows{{"acme"}}));
    EXPECT_NE(client.get()->server_status & SERVER_STATUS_IN_TRANS, 0U);
    client.run("ALTER SYSTEM DO SOMETHING");
    EXPECT_NE(client.get()->server_status & SERVER_STATUS_IN_TRANS, 0U);
    client.run("ROLLBACK");
    client.run("ALTER SYSTEM DO SOMETHING");
    EXPECT_EQ(client.get()->server_status & SERVER_STATUS_IN_TRANS, 0U);
    EXPECT_EQ(client.value("SELECT COUNT(*) FROM shop.t"), "0");
}

TEST_F(FrontOwn, ASlowStatementHoldsUpNobodyElse) {
    const LibClient slow = admin();
    std::jthread waiting([&] { EXPECT_EQ(slow.run("ALTER SYSTEM WAIT"), 0U); });
    service.waitUntilSomebodyWaits();
    for (int i = 0; i < 4; ++i)
        EXPECT_EQ(admin().value("SHOW TENANT"), "acme");
    service.release();
}

TEST_F(FrontOwn, StatementsOfOneTenantThatHangLeaveThreadsToSysAndTheTenantItself) {
    std::vector<LibClient> hanging;
    for (int i = 0; i < 40; ++i) {
        hanging.push_back(admin());
        const std::string_view statement = "ALTER SYSTEM WAIT";
        ASSERT_EQ(mysql_send_query(hanging.back().get(), statement.data(), statement.size()), 0);
    }
    service.waitUntilSomebodyWaits();
    EXPECT_EQ(connect("admin@sys", "geheim").value("SHOW TENANT"), "sys");
    EXPECT_EQ(admin().value("SELECT 7"), "7");
    service.release();
    for (const LibClient& client : hanging)
        EXPECT_EQ(mysql_read_query_result(client.get()), 0) << client.message();
}

TEST_F(FrontOwn, StatementsOfSysAboutATenantThatHangLeaveThreadsToOthersOfSys) {
    std::vector<LibClient> hanging;
    for (int i = 0; i < 100; ++i) {
        hanging.push_back(connect("admin@sys", "geheim"));
        const std::string_view statement = "ALTER SYSTEM WAIT TENANT = acme";
        ASSERT_EQ(mysql_send_query(hanging.back().get(), statement.data(), statement.size()), 0);
    }
    service.waitUntilSomebodyWaits();
    EXPECT_EQ(connect("admin@sys", "geheim").value("SHOW TENANT"), "sys");
    service.release();
    for (const LibClient& client : hanging)
        EXPECT_EQ(mysql_read_query_result(client.get()), 0) << client.message();
}

TEST_F(FrontOwn, TooManyStatementsThatWaitAreRefusedWithWhatToLookAt) {
    begin({.workers = {.threads = 4, .first_owner = "sys", .reserved = 1, .most_of_one = 1, .most_waiting = 0}});
    const LibClient hanging = admin();
    const std::string_view statement = "ALTER SYSTEM WAIT";
    ASSERT_EQ(mysql_send_query(hanging.get(), statement.data(), statement.size()), 0);
    service.waitUntilSomebodyWaits();
    const LibClient refused = admin();
    EXPECT_EQ(refused.run("SHOW TENANT"), 4023U);
    EXPECT_NE(refused.message().find("tenant 'acme'"), std::string::npos) << refused.message();
    service.release();
    EXPECT_EQ(mysql_read_query_result(hanging.get()), 0);
    // Each answer is read a moment before its thread is back, also that of the statement that looks.
    EXPECT_TRUE(eventually([&] { return refused.value("SHOW TENANT") == "acme"; })) << "the session went on";
}

TEST_F(FrontOwn, AClientMayVanishDuringItsStatement) {
    RawClient client(front->port());
    ASSERT_EQ(client.logIn("PLAIN@acme").at(0), 0x00);
    client.command(Command::Query, "ALTER SYSTEM WAIT");
    service.waitUntilSomebodyWaits();
    client.reset();
    service.release();
    EXPECT_TRUE(allGone());
}

/// A prepared statement of Connector/C.
class Statement {
public:
    Statement(const LibClient& client, const std::string& text)
        : handle_(mysql_stmt_init(client.get()), mysql_stmt_close) {
        prepared_ = mysql_stmt_prepare(get(), text.data(), text.size()) == 0;
    }
    MYSQL_STMT* get() const { return handle_.get(); }
    bool prepared() const { return prepared_; }
    unsigned error() const { return mysql_stmt_errno(get()); }

    void add(enum_field_types type, const void* value, unsigned long size, bool is_unsigned = false) {
        MYSQL_BIND bind{};
        bind.buffer_type = type;
        bind.buffer = const_cast<void*>(value);
        bind.buffer_length = size;
        bind.is_unsigned = is_unsigned;
        binds_.push_back(bind);
    }
    bool execute() {
        if (!binds_.empty()) mysql_stmt_bind_param(get(), binds_.data());
        return mysql_stmt_execute(get()) == 0;
    }
    /// The first row.
    std::vector<std::string> row() const {
        const unsigned count = mysql_stmt_field_count(get());
        std::vector<std::array<char, 400>> buffers(count);
        std::vector<MYSQL_BIND> results(count);
        std::vector<unsigned long> lengths(count);
        std::vector<my_bool> nulls(count);
        for (unsigned i = 0; i < count; ++i) {
            results[i].buffer_type = MYSQL_TYPE_STRING;
            results[i].buffer = buffers[i].data();
            results[i].buffer_length = buffers[i].size();
            results[i].length = &lengths[i];
            results[i].is_null = &nulls[i];
        }
        mysql_stmt_bind_result(get(), results.data());
        std::vector<std::string> texts;
        if (mysql_stmt_fetch(get()) != 0) return texts;
        for (unsigned i = 0; i < count; ++i) {
            texts.push_back(nulls[i] ? "NULL" : std::string(buffers[i].data(), std::min<std::size_t>(lengths[i], 400)));
        }
        while (mysql_stmt_fetch(get()) == 0) {
        }
        return texts;
    }

private:
    std::unique_ptr<MYSQL_STMT, my_bool (*)(MYSQL_STMT*)> handle_;
    std::vector<MYSQL_BIND> binds_;
    bool prepared_ = false;
};

TEST_F(FrontOwn, PreparedStatementsTakeParametersOfEveryKind) {
    const LibClient client = admin();
    Statement statement(client, "ALTER SYSTEM ECHO ?, ?, ?, ?, ?, ?");
    ASSERT_TRUE(statement.prepared()) << mysql_stmt_error(statement.get());
    EXPECT_EQ(mysql_stmt_param_count(statement.get()), 6U);
    const std::int64_t whole = -7;
    const std::uint64_t large = ~0ULL;
    const double real = 0.25;
    const MYSQL_TIME when{.year = 2026,
                          .month = 11,
                          .day = 21,
                          .hour = 9,
                          .minute = 30,
                          .second = 1,
                          .second_part = 500'000,
                          .neg = 0,
                          .time_type = MYSQL_TIMESTAMP_DATETIME};
    statement.add(MYSQL_TYPE_LONGLONG, &whole, 0);
    statement.add(MYSQL_TYPE_LONGLONG, &large, 0, true);
    statement.add(MYSQL_TYPE_DOUBLE, &real, 0);
    statement.add(MYSQL_TYPE_STRING, "file:///x", 9);
    statement.add(MYSQL_TYPE_DATETIME, &when, 0);
    statement.add(MYSQL_TYPE_NULL, nullptr, 0);
    const std::vector<std::string> expected{"int:-7",         "uint:18446744073709551615",       "double:0.25",
                                            "text:file:///x", "text:2026-11-21 09:30:01.500000", "null"};
    for (int i = 0; i < 3; ++i) {
        ASSERT_TRUE(statement.execute()) << mysql_stmt_error(statement.get());
        EXPECT_EQ(statement.row(), expected);
    }
    EXPECT_EQ(client.value("SELECT 1"), "1");
}

TEST_F(FrontOwn, PreparedStatementsMixWithTheTenants) {
    const LibClient client = admin();
    Statement tenants(client, "SELECT 11");
    Statement own(client, "SHOW TENANT");
    Statement nothing(client, "ALTER SYSTEM DO SOMETHING");
    ASSERT_TRUE(tenants.prepared() && own.prepared() && nothing.prepared());
    for (int i = 0; i < 2; ++i) {
        ASSERT_TRUE(own.execute());
        EXPECT_EQ(own.row(), std::vector<std::string>{"acme"});
        ASSERT_TRUE(tenants.execute());
        EXPECT_EQ(tenants.row(), std::vector<std::string>{"11"});
        ASSERT_TRUE(nothing.execute());
        EXPECT_EQ(mysql_stmt_affected_rows(nothing.get()), 3U);
    }
    EXPECT_EQ(mysql_stmt_reset(own.get()), 0);
    EXPECT_EQ(mysql_reset_connection(client.get()), 0);
    EXPECT_FALSE(own.execute()) << "a reset connection has no prepared statements";
    EXPECT_EQ(client.value("SELECT 1"), "1");
}

TEST_F(FrontOwn, PreparedStatementsFailWithTheRightError) {
    const LibClient client = admin();
    const Statement misspelt(client, "ALTER SYSTEM MISSPELT ?");
    EXPECT_FALSE(misspelt.prepared());
    EXPECT_EQ(misspelt.error(), 1064U);
    Statement restore(client, "ALTER SYSTEM RESTORE t FROM ? WITH ?");
    ASSERT_TRUE(restore.prepared());
    restore.add(MYSQL_TYPE_STRING, "nonsense", 8);
    restore.add(MYSQL_TYPE_STRING, "", 0);
    EXPECT_FALSE(restore.execute());
    EXPECT_EQ(restore.error(), 9026U);
    EXPECT_STREQ(mysql_stmt_error(restore.get()), "text:nonsense is not a valid uri");
    EXPECT_EQ(client.value("SELECT 1"), "1");
}

TEST_F(FrontOwn, ReadsTheClientsCharacterSet) {
    const LibClient client = admin();
    const auto refused = [&](const std::string& uri) {
        client.run("ALTER SYSTEM RESTORE t FROM '" + uri + "'");
        return client.message();
    };
    // The message comes back as it is: it is in UTF-8.
    client.run("SET NAMES latin1");
    EXPECT_EQ(refused("d\xe9"), "RESTORE t FROM 'd\xc3\xa9' is not a valid uri");
    client.run("SET NAMES gbk");
    EXPECT_EQ(refused("\xd6\xd0\x81\x5c"), "RESTORE t FROM '\xe4\xb8\xad\xe4\xb9\x97' is not a valid uri");
    EXPECT_EQ(client.run("ALTER SYSTEM RESTORE t FROM '\xff\xff'"), 1300U) << client.message();
    EXPECT_EQ(client.run("ALTER SYSTEM ECHO '" + std::string(9000, '\xd6') + "'"), 1235U);
    EXPECT_NE(client.message().find("SET NAMES utf8mb4"), std::string::npos);
    Statement statement(client, "ALTER SYSTEM ECHO ?");
    ASSERT_TRUE(statement.prepared());
    statement.add(MYSQL_TYPE_STRING, "\xd6\xd0", 2);
    ASSERT_TRUE(statement.execute()) << mysql_stmt_error(statement.get());
    EXPECT_EQ(statement.row(), std::vector<std::string>{"text:\xe4\xb8\xad"});
    client.run("SET NAMES utf8mb4");
    EXPECT_EQ(refused("d\xc3\xa9"), "RESTORE t FROM 'd\xc3\xa9' is not a valid uri");
    EXPECT_EQ(client.value("SELECT 1"), "1");
}

TEST_F(FrontOwn, LongDataArrivesInPieces) {
    const LibClient client = admin();
    Statement statement(client, "ALTER SYSTEM ECHO ?");
    ASSERT_TRUE(statement.prepared());
    statement.add(MYSQL_TYPE_STRING, nullptr, 0);
    ASSERT_TRUE(statement.execute() || true);
    mysql_stmt_free_result(statement.get());
    for (const char* piece : {"file:", "///", "x"}) {
        ASSERT_EQ(mysql_stmt_send_long_data(statement.get(), 0, piece, std::strlen(piece)), 0);
    }
    ASSERT_TRUE(mysql_stmt_execute(statement.get()) == 0) << mysql_stmt_error(statement.get());
    EXPECT_EQ(statement.row(), std::vector<std::string>{"text:file:///x"});
    const std::string much(3'000'000, 'x');
    mysql_stmt_send_long_data(statement.get(), 0, much.data(), much.size());
    EXPECT_NE(mysql_stmt_execute(statement.get()), 0);
    EXPECT_EQ(statement.error(), 1153U);
    EXPECT_EQ(client.value("SELECT 1"), "1");
}

TEST_F(FrontOwn, ExecutesTheStatementPreparedLast) {
    RawClient client(front->port());
    ASSERT_EQ(client.logIn("PLAIN@acme").at(0), 0x00);
    const auto last = [&] {
        client.send(mysql::packet(0, ByteWriter().u8(0x17).u32(mysql::kLastStatement).u8(0).u32(1).data()));
    };
    // Both at once, as a client does that saves the round trip.
    client.command(Command::StmtPrepare, "ALTER SYSTEM DO SOMETHING");
    last();
    EXPECT_EQ(client.payload().value().size(), 12U);
    const Bytes ok = client.payload().value();
    EXPECT_EQ(ok.at(0), 0x00);
    EXPECT_EQ(ok.at(1), 3) << "affected rows";
    client.command(Command::StmtPrepare, "DO 1");
    last();
    EXPECT_EQ(client.payload().value().size(), 12U);
    EXPECT_EQ(client.payload().value().at(1), 0) << "the tenant's statement";
    client.command(Command::StmtPrepare, "ALTER SYSTEM MISSPELT");
    EXPECT_EQ(client.payload().value().at(0), 0xff);
}

TEST_F(FrontOwn, SendsAllRowsToWhoAsksForACursor) {
    RawClient client(front->port());
    ASSERT_EQ(client.logIn("PLAIN@acme").at(0), 0x00);
    client.command(Command::StmtPrepare, "SHOW TENANT");
    EXPECT_EQ(client.payload().value().size(), 12U);
    client.send(mysql::packet(0, ByteWriter().u8(0x17).u32(OwnStatements::kFirstId).u8(1).u32(1).data()));
    Bytes last;
    for (int packet = 0; packet < 5; ++packet)
        last = client.payload().value();  // count, definition, EOF, row, EOF
    EXPECT_EQ(last.at(0), 0xfe);
    EXPECT_EQ(last.at(3) & mysql::status::kCursorExists, 0);
    client.send(mysql::packet(0, ByteWriter().u8(0x1c).u32(OwnStatements::kFirstId).u32(10).data()));
    EXPECT_EQ(client.payload().value().at(0), 0xff);
}

TEST_F(FrontOwn, LimitsHowManyArePrepared) {
    RawClient client(front->port());
    ASSERT_EQ(client.logIn("PLAIN@acme").at(0), 0x00);
    for (int i = 0; i < 1000; ++i) {
        client.command(Command::StmtPrepare, "SHOW TENANT");
        ASSERT_EQ(client.payload().value().at(0), 0x00);
    }
    client.command(Command::StmtPrepare, "SHOW TENANT");
    EXPECT_EQ(client.payload().value().at(0), 0xff);
    client.send(mysql::packet(0, ByteWriter().u8(0x19).u32(OwnStatements::kFirstId).data()));
    client.command(Command::StmtPrepare, "SHOW TENANT");
    EXPECT_EQ(client.payload().value().at(0), 0x00) << "one was closed";
}

}  // namespace
}  // namespace tidemark::front
