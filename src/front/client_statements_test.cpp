#include "front/client_statements.h"

#include "front/front_fixture.h"

namespace tidemark::front {
namespace {

class ClientStatements : public FrontTest {
protected:
    static constexpr unsigned long kSeveral = CLIENT_MULTI_STATEMENTS;

    void SetUp() override {
        FrontTest::SetUp();
        sharedConnect().script(
            "CREATE DATABASE IF NOT EXISTS shop; CREATE OR REPLACE TABLE shop.lost (a INT);"
            "INSERT INTO shop.lost VALUES (1), (2)");
    }

    /// What the tenant gets of a text; "unchanged"; "here: " and what is answered here.
    std::string planned(const std::string& text, ClientSyntax syntax = {.several_statements = true}) const {
        const StatementPlan plan = planStatements(text, service, syntax);
        if (plan.unchanged()) return "unchanged";
        if (plan.for_tenant) return *plan.for_tenant;
        std::string here = "here:";
        for (const std::string& own : plan.own)
            here += " [" + own + "]";
        return here;
    }

    /// Each result of a text: rows, "ok", or the error's number, which ends it.
    static std::vector<std::string> results(const LibClient& client, const std::string& text) {
        std::vector<std::string> all;
        if (mysql_real_query(client.get(), text.data(), text.size()) != 0) return {std::to_string(client.error())};
        for (int more = 0; more == 0; more = mysql_next_result(client.get())) {
            MYSQL_RES* result = mysql_store_result(client.get());
            MYSQL_ROW row = result != nullptr ? mysql_fetch_row(result) : nullptr;
            all.emplace_back(row != nullptr ? row[0] : "ok");
            mysql_free_result(result);
        }
        if (client.error() != 0) all.push_back(std::to_string(client.error()));
        return all;
    }
    using Results = std::vector<std::string>;
};

TEST_F(ClientStatements, OnlyAssignmentsOfObVariablesAreTakenOut) {
    EXPECT_EQ(planned("SET ob_query_timeout = 1, autocommit = 0"), "SET autocommit = 0");
    EXPECT_EQ(planned("SET autocommit = 0, @@session.ob_trx_timeout = f(1, 2), @a := 'x;y, ob_z = 1' ;"),
              "SET autocommit = 0, @a := 'x;y, ob_z = 1' ;");
    EXPECT_EQ(planned("/* a */ set `ob_x` = 1;"), "/* a */ DO 0;");
    EXPECT_EQ(planned("SET GLOBAL ob_x = 1, wait_timeout = 5, @u = 1"), "SET GLOBAL wait_timeout = 5, @u = 1");
    EXPECT_EQ(planned("SET @job_x = 1, sql_mode = 'ob_'"), "unchanged");
    EXPECT_EQ(planned("SET ob_query_timeout = ?, autocommit = ?"), "SET @ob_query_timeout = ?, autocommit = ?");
    EXPECT_EQ(planned("SET NAMES utf8, ob_x = 1"), "SET NAMES utf8");
    EXPECT_EQ(planned("SET PASSWORD = 'ob_x'"), "unchanged");
    EXPECT_EQ(planned("SET ob_x = 1 /*!, autocommit = 0 */"), "unchanged") << "the server says what it does not know";
}

TEST_F(ClientStatements, TextsAreCutWhereTheTenantCutsThem) {
    EXPECT_EQ(planned("SET ob_x = 1; DELETE FROM t"), "DO 0; DELETE FROM t");
    EXPECT_EQ(planned("SELECT ';'; SET ob_x = 1; SET ob_y = 2, @a = 1; SELECT 2"),
              "SELECT ';'; DO 0; SET @a = 1; SELECT 2");
    EXPECT_EQ(planned("SET ob_x = 1; CREATE PROCEDURE p() BEGIN SET ob_y = 1; END; SET ob_z = 1"),
              "DO 0; CREATE PROCEDURE p() BEGIN SET ob_y = 1; END; SET ob_z = 1");
    EXPECT_EQ(planned("SET ob_x = 1; INSERT INTO t VALUES ('"), "DO 0; INSERT INTO t VALUES ('");
    EXPECT_EQ(planned("SET ob_x = 1; SHOW TENANT;\nALTER SYSTEM A"), "here: [] [SHOW TENANT] [ALTER SYSTEM A]");
    EXPECT_EQ(planned("SET ob_x = 1; SHOW TENANT", {}), "DO 0; SHOW TENANT")
        << "for a client of one statement at a time";
    EXPECT_EQ(planned("SHOW TENANT; SELECT 1", {}), "here: [SHOW TENANT; SELECT 1]") << "where the syntax is wrong";
    for (const char* mixed : {"SHOW TENANT; SELECT 1", "SET ob_x = 1; DELETE FROM t; SHOW TENANT",
                              "SET ob_x = 1, @a = 1; SHOW TENANT", "SHOW TENANT; SELECT '"}) {
        EXPECT_THROW(planned(mixed), Error) << mixed;
    }
}

TEST_F(ClientStatements, ATextThatMayReadOtherwiseIsRefused) {
    EXPECT_THROW(planned("SET ob_x = '\\', autocommit = 0, @a = '\\''", {.no_backslash_escapes = true}), Error);
    EXPECT_THROW(planned("SET ob_x = '\xe5\\', autocommit = 0, @a = '\\''"), Error);
    EXPECT_EQ(planned("SET ob_x = 'ü', autocommit = 0"), "SET autocommit = 0");
}

TEST_F(ClientStatements, NothingVanishesBesideAnObVariable) {
    const LibClient client = admin(kSeveral);
    EXPECT_EQ(client.run("SET ob_query_timeout = 1, autocommit = 0"), 0U);
    EXPECT_EQ(client.value("SELECT @@autocommit"), "0");
    EXPECT_EQ(client.run("SET autocommit = 1, ob_query_timeout = 1"), 0U);
    EXPECT_EQ(client.value("SELECT @@autocommit"), "1");
    const std::string long_text(200'000, 'x');
    EXPECT_EQ(client.run("SET ob_query_timeout = 1, @long = '" + long_text + "'"), 0U) << client.message();
    EXPECT_EQ(client.value("SELECT LENGTH(@long)"), "200000");
    EXPECT_EQ(results(client, "SET ob_x = 1; DELETE FROM shop.lost WHERE a = 1; SELECT COUNT(*) FROM shop.lost"),
              (Results{"ok", "ok", "1"}));
    EXPECT_EQ(results(client, "SELECT 7; SET ob_x = 1; SELECT 8"), (Results{"7", "ok", "8"}));
    EXPECT_EQ(results(client, "SET ob_x = 1; SELEC 8"), (Results{"ok", "1064"}));
    EXPECT_EQ(admin().run("SET ob_x = 1; DELETE FROM shop.lost"), 1064U) << "without CLIENT_MULTI_STATEMENTS";
    EXPECT_EQ(client.value("SELECT COUNT(*) FROM shop.lost"), "1");
}

TEST_F(ClientStatements, OwnStatementsOfOneQueryAreAnsweredInOrder) {
    const LibClient client = admin(kSeveral);
    EXPECT_EQ(results(client, "SHOW TENANT; SET ob_x = 1; ALTER SYSTEM ROWS 1;"), (Results{"acme", "ok", "0"}));
    EXPECT_EQ(results(client, "SHOW TENANT; ALTER SYSTEM FAIL; SHOW TENANT"), (Results{"acme", "4179"}));
    EXPECT_EQ(results(client, "SHOW TENANT; ALTER SYSTEM CRASH"), (Results{"acme", "4016"}));
    EXPECT_EQ(results(client, "ALTER SYSTEM A; DELETE FROM shop.lost"), (Results{"1235"}));
    EXPECT_EQ(results(client, "SET ob_x = 1; DELETE FROM shop.lost; SHOW TENANT"), (Results{"1235"}));
    EXPECT_EQ(client.value("SELECT COUNT(*) FROM shop.lost"), "2") << "nothing of a refused query has run";
    mysql_set_server_option(client.get(), MYSQL_OPTION_MULTI_STATEMENTS_OFF);
    EXPECT_EQ(client.run("SET ob_x = 1; DELETE FROM shop.lost"), 1064U);
}

TEST_F(ClientStatements, NothingVanishesWhenPrepared) {
    const LibClient client = admin(kSeveral);
    const std::unique_ptr<MYSQL_STMT, my_bool (*)(MYSQL_STMT*)> statement(mysql_stmt_init(client.get()),
                                                                          mysql_stmt_close);
    const auto prepare = [&](const std::string& text) {
        mysql_stmt_prepare(statement.get(), text.data(), text.size());
        return mysql_stmt_errno(statement.get());
    };
    EXPECT_EQ(prepare("SET ob_x = 1; DELETE FROM shop.lost"), 1064U);
    ASSERT_EQ(prepare("SET ob_query_timeout = ?, autocommit = ?"), 0U);
    ASSERT_EQ(mysql_stmt_param_count(statement.get()), 2UL);
    int values[] = {1000, 0};
    MYSQL_BIND binds[2] = {};
    for (int i = 0; i < 2; ++i) {
        binds[i].buffer_type = MYSQL_TYPE_LONG;
        binds[i].buffer = &values[i];
    }
    mysql_stmt_bind_param(statement.get(), binds);
    EXPECT_EQ(mysql_stmt_execute(statement.get()), 0) << mysql_stmt_error(statement.get());
    EXPECT_EQ(client.value("SELECT @@autocommit"), "0");
    ASSERT_EQ(prepare("SET ob_trx_timeout = 5"), 0U);
    EXPECT_EQ(mysql_stmt_execute(statement.get()), 0);
}

}  // namespace
}  // namespace tidemark::front
