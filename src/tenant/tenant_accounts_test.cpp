#include <gmock/gmock.h>

#include <fstream>

#include "tenant/tenant_fixture.h"

namespace tidemark::tenant {
namespace {

/// One server for all these tests: they ask what accounts may do, and only differ in that.
class TenantAccounts : public TenantFixture {
protected:
    void SetUp() override {
        server_ = started(1002);
        mysql::SqlClient daemon(server_->endpoint());
        daemon.script(
            "SET sql_log_bin=0; CREATE TABLE oceanbase.v(a INT); CREATE DATABASE tidemark; "
            "CREATE TABLE tidemark.secret(a INT)");
        administrator(*server_).script("CREATE DATABASE app; CREATE TABLE app.t(a VARCHAR(99))");
    }

    /// The server's error number, 0 if the statement works.
    static int tried(mysql::SqlClient& sql, const std::string& statement) {
        try {
            sql.script(statement);
            return 0;
        } catch (const Error& error) {
            return error.sql() ? error.sql()->number : -1;
        }
    }
    static bool refused(int number) { return number == 1044 || number == 1045 || number == 1142 || number == 1227; }

    std::shared_ptr<TenantServer> server_;
};

TEST_F(TenantAccounts, AdministratorIsRefusedWhatBreaksTheGuaranteesOrTheHost) {
    auto root = administrator(*server_);
    for (const char* statement :
         {// the log
          "SET sql_log_bin=0", "SET SESSION binlog_format='STATEMENT'", "SET SESSION binlog_row_image='MINIMAL'",
          "SET SESSION gtid_domain_id=9", "SET SESSION server_id=9", "SET SESSION gtid_seq_no=9",
          "PURGE BINARY LOGS TO 'bin.000009'", "RESET MASTER", "FLUSH LOGS", "FLUSH BINARY LOGS",
          "SET GLOBAL gtid_slave_pos=''", "CHANGE MASTER TO master_host='x'", "START SLAVE", "RESET SLAVE",
          "SET GLOBAL rpl_semi_sync_master_enabled=0", "SET GLOBAL sync_binlog=0",
          // the server
          "SHUTDOWN", "SET GLOBAL max_connections=5", "SET GLOBAL read_only=1", "SET GLOBAL event_scheduler=0",
          "FLUSH PRIVILEGES", "FLUSH TABLES WITH READ LOCK", "BACKUP STAGE START", "INSTALL SONAME 'x'",
          "SET GLOBAL general_log_file='/tmp/x'", "CREATE SERVER s FOREIGN DATA WRAPPER mysql OPTIONS (HOST 'x')",
          "CREATE FUNCTION fx RETURNS INT SONAME 'x.so'", "SET GLOBAL innodb_buffer_pool_size=1073741824",
          // accounts and schemas that are not its own
          "INSERT INTO mysql.global_priv VALUES ('x', 'y', '{}')", "UPDATE mysql.global_priv SET Priv='{}'",
          "DELETE FROM mysql.db", "DROP TABLE mysql.db", "CREATE TABLE mysql.x(a INT)", "DROP DATABASE mysql",
          "TRUNCATE mysql.general_log", "INSERT INTO oceanbase.v VALUES (1)", "CREATE VIEW oceanbase.w AS SELECT 1",
          "DROP TABLE oceanbase.v", "DROP DATABASE oceanbase", "SELECT * FROM tidemark.secret",
          "INSERT INTO tidemark.secret VALUES (1)", "DROP DATABASE tidemark",
          "CREATE DEFINER=tidemark@localhost PROCEDURE app.p() SELECT 1", "GRANT SUPER ON *.* TO root@'%'",
          "GRANT ALL ON mysql.* TO root@'%'", "GRANT SELECT ON mysql.* TO root@'%'",
          "GRANT PROXY ON tidemark@localhost TO root@'%'", "REVOKE SELECT ON mysql.* FROM root@'%'",
          // files of the host
          "SELECT 1 INTO OUTFILE '/tmp/tidemark-outfile'", "LOAD DATA INFILE '/etc/passwd' INTO TABLE app.t"}) {
        const int number = tried(root, statement);
        EXPECT_TRUE(refused(number) || number == 1698) << number << " for " << statement;
    }
    EXPECT_EQ(root.scalar("SELECT LOAD_FILE('/etc/passwd')"), std::nullopt);
}

TEST_F(TenantAccounts, EvenAnAccountWithFileCannotReachTheHostsFiles) {
    server_->stop();
    const auto init = readFile(server_->paths().initFile());
    replaceFile(server_->paths().initFile(),
                *init + "CREATE USER f@'%';\nGRANT FILE, SELECT, INSERT ON *.* TO f@'%';\n");
    server_->start();
    auto f = client(*server_, "f", "");
    EXPECT_EQ(tried(f, "SELECT 1 INTO OUTFILE '/tmp/tidemark-outfile'"), 1290);
    EXPECT_EQ(tried(f, "LOAD DATA INFILE '/etc/passwd' INTO TABLE app.t"), 1290);
    EXPECT_EQ(f.scalar("SELECT LOAD_FILE('/etc/passwd')"), std::nullopt);
    EXPECT_EQ(f.scalar("SELECT LOAD_FILE(CONCAT(@@datadir, '../secret'))"), std::nullopt);
}

TEST_F(TenantAccounts, AdministratorHasWhatAnApplicationOwnerNeeds) {
    auto root = administrator(*server_);
    for (const char* statement : {"CREATE DATABASE shop",
                                  "CREATE TABLE shop.t(a INT PRIMARY KEY, b INT)",
                                  "INSERT INTO shop.t VALUES (1, 2)",
                                  "CREATE VIEW shop.v AS SELECT * FROM shop.t",
                                  "CREATE PROCEDURE shop.p() SELECT 1",
                                  "CREATE FUNCTION shop.f() RETURNS INT RETURN 1",
                                  "CALL shop.p()",
                                  "SELECT shop.f()",
                                  "CREATE TRIGGER shop.tr BEFORE INSERT ON shop.t FOR EACH ROW SET new.b=1",
                                  "CREATE EVENT shop.e ON SCHEDULE EVERY 1 DAY DO SELECT 1",
                                  "CREATE SEQUENCE shop.s",
                                  "LOCK TABLES shop.t WRITE",
                                  "UNLOCK TABLES",
                                  "CREATE TEMPORARY TABLE shop.tmp(a INT)",
                                  "CREATE USER app@'%' IDENTIFIED BY 'secret'",
                                  "GRANT ALL ON shop.* TO app@'%'",
                                  "GRANT SELECT ON oceanbase.* TO app@'%'",
                                  "CREATE ROLE reader",
                                  "GRANT SELECT ON shop.* TO reader",
                                  "GRANT reader TO app@'%'",
                                  "ALTER USER app@'%' IDENTIFIED BY 'other'",
                                  "SET PASSWORD = PASSWORD('mine')",
                                  "SHOW PROCESSLIST",
                                  "SHOW MASTER STATUS",
                                  "SHOW BINARY LOGS",
                                  "SHOW ENGINE INNODB STATUS",
                                  "SHOW GRANTS",
                                  "SELECT COUNT(*) FROM oceanbase.v",
                                  "SELECT COUNT(*) FROM mysql.user",
                                  "ALTER TABLE shop.t ADD c INT",
                                  "SET SESSION sql_mode=''",
                                  "SET SESSION time_zone='+00:00'",
                                  "DROP DATABASE shop"}) {
        EXPECT_EQ(tried(root, statement), 0) << statement;
    }
    auto app = client(*server_, "app", "other");
    EXPECT_EQ(app.scalar("SELECT COUNT(*) FROM oceanbase.v"), "0");
}

TEST_F(TenantAccounts, LoadsDataFromTheClient) {
    const auto file = directory_.path() / "rows";
    std::ofstream(file) << "one\ntwo\n";
    runProgram(
        {.arguments = {"mariadb", "--no-defaults", "--local-infile=1", "--user=root", "--socket=" + server_->socket(),
                       "--execute", "LOAD DATA LOCAL INFILE '" + file.string() + "' INTO TABLE app.t"}});
    EXPECT_EQ(administrator(*server_).scalar("SELECT COUNT(*) FROM app.t"), "2");
}

TEST_F(TenantAccounts, APatternOpensNoGuardedSchemaToAnybody) {
    auto root = administrator(*server_);
    root.script(
        "CREATE USER wide@'%'; GRANT ALL ON `%`.* TO wide@'%'; CREATE USER my@'%'; GRANT ALL ON `my%`.* TO my@'%'");
    auto wide = client(*server_, "wide", "");
    auto my = client(*server_, "my", "");
    EXPECT_EQ(tried(wide, "INSERT INTO app.t VALUES ('x')"), 0);
    for (const char* statement : {"DELETE FROM mysql.db", "INSERT INTO oceanbase.v VALUES (1)",
                                  "SELECT * FROM tidemark.secret", "INSERT INTO mysql.proc(db) VALUES ('x')"}) {
        EXPECT_TRUE(refused(tried(wide, statement))) << statement;
        EXPECT_TRUE(refused(tried(my, statement))) << statement;
    }
}

TEST_F(TenantAccounts, AStartTakesForbiddenPrivilegesFromForeignAccounts) {
    server_->stop();
    // As a backup from elsewhere would bring it: an account that may do everything.
    const auto init = readFile(server_->paths().initFile());
    replaceFile(server_->paths().initFile(),
                "SET sql_log_bin=0;\nCREATE USER boss@'%';\nGRANT ALL ON *.* TO boss@'%' WITH GRANT OPTION;\n" + *init);
    server_->start();
    auto boss = client(*server_, "boss", "");
    EXPECT_TRUE(refused(tried(boss, "SET GLOBAL max_connections=7")));
    EXPECT_TRUE(refused(tried(boss, "SET sql_log_bin=0")));
    EXPECT_TRUE(refused(tried(boss, "GRANT FILE ON *.* TO boss@'%'")));
    EXPECT_EQ(tried(boss, "SELECT COUNT(*) FROM app.t"), 0);
    EXPECT_EQ(mysql::SqlClient(server_->endpoint()).scalar("SELECT 1"), "1");
}

/// What an administrator who outwitted the grants could do, had it the daemon's privileges: log into a file.
TEST_F(TenantAccounts, EvenTheDaemonsPrivilegesReachNoFileOutsideOfTheTenant) {
    if (!sandboxAvailable()) GTEST_SKIP() << "this kernel has no Landlock";
    mysql::SqlClient daemon(server_->endpoint());
    const auto outside = directory_.path() / "outside";
    EXPECT_NE(tried(daemon, "SET GLOBAL general_log_file='" + outside.string() + "'; SET GLOBAL general_log=ON"), 0);
    EXPECT_FALSE(std::filesystem::exists(outside));
    const auto inside = server_->paths().directory / "inside";
    EXPECT_EQ(tried(daemon, "SET GLOBAL general_log_file='" + inside.string() + "'; SET GLOBAL general_log=ON"), 0);
    EXPECT_TRUE(std::filesystem::exists(inside));
}

TEST_F(TenantAccounts, AnAccountOfTheUnixSocketPluginLetsNobodyIn) {
    auto root = administrator(*server_);
    EXPECT_EQ(tried(root, "CREATE USER sock@localhost IDENTIFIED VIA unix_socket"), 1524);
}

}  // namespace
}  // namespace tidemark::tenant
