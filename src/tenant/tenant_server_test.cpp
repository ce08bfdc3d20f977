#include "tenant/tenant_server.h"

#include <gmock/gmock.h>
#include <sys/stat.h>

#include <chrono>
#include <csignal>
#include <fstream>

#include "base/file.h"
#include "tenant/tenant_fixture.h"

namespace tidemark::tenant {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using TenantServerTest = TenantFixture;

std::string errorOf(const std::function<void()>& call) {
    try {
        call();
    } catch (const Error& error) {
        return error.what();
    }
    return "no error";
}

std::uint64_t bytesOnDisk(const fs::path& directory) {
    std::uint64_t bytes = 0;
    for (const auto& entry : fs::recursive_directory_iterator(directory)) {
        struct stat info {};
        if (entry.is_regular_file() && ::stat(entry.path().c_str(), &info) == 0) bytes += 512UL * info.st_blocks;
    }
    return bytes;
}

TEST_F(TenantServerTest, StartsWithWhatTheTenantWasPromised) {
    const auto server = started(1002);
    mysql::SqlClient sql(server->endpoint());
    const auto row = sql.query(
        "SELECT @@global.gtid_domain_id, @@global.server_id, @@global.gtid_binlog_pos, "
        "@@global.lower_case_table_names, "
        "@@global.secure_file_priv, @@global.sync_binlog, @@global.innodb_flush_log_at_trx_commit, @@global.log_bin, "
        "@@global.character_set_server, @@global.read_only, @@global.event_scheduler, @@global.binlog_format, "
        "@@global.skip_networking");
    const std::vector<std::string> expected = {"1002", "6002",    "",  "1",  "/dev/null/", "1", "1",
                                               "1",    "utf8mb4", "0", "ON", "ROW",        "1"};
    ASSERT_EQ(row.rows.size(), 1U);
    for (std::size_t i = 0; i < expected.size(); ++i)
        EXPECT_EQ(row.rows[0].text(i), expected[i]) << row.columns[i];
}

TEST_F(TenantServerTest, KeepsItsDirectoryAndSecretsFromOthers) {
    const auto server = started(1002);
    const auto mode = [](const fs::path& path) { return static_cast<unsigned>(fs::status(path).permissions()); };
    EXPECT_EQ(mode(server->paths().directory), 0700U);
    EXPECT_EQ(mode(server->paths().data()), 0700U);
    EXPECT_EQ(mode(server->paths().secret()), 0600U);
    EXPECT_EQ(mode(server->paths().initFile()), 0600U);
    const auto arguments = commandLine(*server->pid());
    EXPECT_EQ(arguments.size(), 2U) << "nothing secret can be in the process list";
}

TEST_F(TenantServerTest, CopiesTheTemplateSparsely) {
    const auto server = object(1002);
    server->create(sharedTemplate());
    EXPECT_LT(bytesOnDisk(server->paths().data()), 12U << 20);
    EXPECT_TRUE(fs::exists(server->paths().data() / "ibdata1"));
    for (const auto& entry : fs::directory_iterator(server->paths().data())) {
        EXPECT_FALSE(entry.path().filename().string().starts_with("bin.")) << entry.path();
    }
}

TEST_F(TenantServerTest, ATemplateWithOtherContentIsMadeAnew) {
    const auto content = [](const std::string& version) {
        return TemplateContent{
            .version = version, .install = [version](mysql::SqlClient& client, auto) {
                client.query("CREATE TABLE oceanbase.made AS SELECT ? AS version, CURRENT_USER() AS u", {version});
            }};
    };
    TenantTemplate made(directory_.path() / "template");
    const fs::path base = made.prepare();
    made.setContent(content("old"));
    const fs::path old = made.prepare();
    EXPECT_EQ(made.prepare(), old);
    made.setContent(content("new"));
    const fs::path current = made.prepare();
    EXPECT_TRUE(fs::exists(base));
    EXPECT_FALSE(fs::exists(old));
    const auto server = object(1002);
    server->create(made);
    server->configure(settings(1002));
    server->start();
    mysql::SqlClient client(server->endpoint());
    EXPECT_EQ(client.scalar("SELECT CONCAT(version, ' ', u) FROM oceanbase.made"), "new tidemark@localhost");
    // One that fails leaves nothing that looks like a template.
    made.setContent({.version = "bad", .install = [](auto&, auto) { throw Error(ErrorCode::Internal, "no"); }});
    EXPECT_THROW(made.prepare(), Error);
    made.setContent(content("new"));
    EXPECT_EQ(made.prepare(), current);
}

TEST_F(TenantServerTest, TwentyTenantsCostLessThanFiveTemplates) {
    using Clock = std::chrono::steady_clock;
    TenantTemplate made(directory_.path() / "template");
    const auto before = Clock::now();
    made.prepare();
    const auto begin = Clock::now();
    for (catalog::TenantId id = 1002; id < 1042; id += 2) {
        const auto server = object(id);
        server->create(made);
        server->configure(settings(id));
        server->launch();
    }
    for (const auto& server : servers_)
        server->awaitReady();
    const auto took = Clock::now() - begin;
    EXPECT_LT(took, 5 * (begin - before)) << "each is made as the template is, instead of copied from it";
}

TEST_F(TenantServerTest, OutlivesItsObjectAndIsAdoptedByTheNext) {
    const pid_t pid = *started(1002)->pid();
    servers_.clear();
    const auto next = object(1002);
    EXPECT_FALSE(next->running());
    EXPECT_TRUE(next->adopt());
    EXPECT_EQ(next->pid(), pid);
    next->start();
    EXPECT_EQ(next->pid(), pid) << "starting what runs must not start another";
}

TEST_F(TenantServerTest, IsAdoptedWithoutItsPidFile) {
    const pid_t pid = *started(1002)->pid();
    servers_.clear();
    const auto next = object(1002);
    fs::remove(next->paths().pidFile());
    EXPECT_TRUE(next->adopt());
    EXPECT_EQ(next->pid(), pid);
}

TEST_F(TenantServerTest, DoesNotTrustAPidFileThatNamesAnotherProcess) {
    const auto server = started(1002);
    server->kill();
    replaceFile(server->paths().pidFile(), std::to_string(getpid()));
    servers_.clear();
    const auto next = object(1002);
    EXPECT_FALSE(next->adopt());
    next->start();
    EXPECT_NE(next->pid(), getpid());
    EXPECT_TRUE(next->stop());
}

TEST_F(TenantServerTest, KeepsCommittedRowsThroughAKill) {
    const auto server = started(1002);
    administrator(*server).script("CREATE DATABASE d; CREATE TABLE d.t(a INT); INSERT INTO d.t VALUES (7)");
    server->kill();
    EXPECT_FALSE(server->running());
    server->start();
    EXPECT_EQ(administrator(*server).scalar("SELECT a FROM d.t"), "7");
}

TEST_F(TenantServerTest, TellsWhyItDoesNotStart) {
    const auto server = object(1002);
    server->create(sharedTemplate());
    auto broken = settings(1002);
    broken.variables["sql_mode"] = "NO_SUCH_MODE";
    server->configure(broken);
    EXPECT_THAT(errorOf([&] { server->start(); }), HasSubstr("NO_SUCH_MODE"));
    EXPECT_FALSE(server->running());
}

TEST_F(TenantServerTest, TellsNothingOfARowThatItsServerHasPrinted) {
    const auto server = started(1002);
    std::ofstream(server->paths().log(), std::ios::app)
        << "2026-11-27 22:30:01 5 [ERROR] InnoDB: tried to purge TUPLE (info_bits=0, 1 fields): {[6]secret}\n"
        << " 0: len 6; hex 736563726574; asc secret;;\n"
        << "251127 22:30:01 [ERROR] mysqld got signal 11 ;\n"
        << "Query (0x7f12): INSERT INTO t VALUES (secret)\n"
        << "stack_bottom = secret\n";
    EXPECT_THAT(server->logTail(40), ::testing::Not(HasSubstr("secret")));
    EXPECT_THAT(server->logTail(2), HasSubstr("tried to purge ***\n251127 22:30:01 [ERROR] mysqld got signal 11 ;"));
}

TEST_F(TenantServerTest, RemovesItsFilesAndWhatAnInterruptedRemovalLeft) {
    const auto server = started(1002);
    server->kill();
    fs::create_directories(directory_.path() / ".dropping-1004-00000000" / "data");
    server->removeFiles();
    removeLeftovers(directory_.path());
    EXPECT_TRUE(fs::is_empty(directory_.path()));
    server->removeFiles();
}

TEST_F(TenantServerTest, RemovesWhatJobsOfADaemonThatDiedHaveLeft) {
    const auto server = object(1002);
    server->createEmpty();
    const fs::path tenant = server->paths().directory;
    fs::create_directory(tenant / "tidemark-a1B2c3");
    replaceFile(tenant / "tidemark-a1B2c3" / "options.cnf", "password=s3cr3t");
    replaceFile(tenant / "upgrade.cnf", "password=s3cr3t");
    removeLeftovers(directory_.path());
    std::vector<std::string> left;
    for (const auto& entry : fs::directory_iterator(tenant))
        left.push_back(entry.path().filename());
    EXPECT_THAT(left, ::testing::UnorderedElementsAre("data", "tmp", "secret"));
}

TEST_F(TenantServerTest, RefusesASecondDirectoryOfTheSameTenant) {
    const auto server = object(1002);
    server->createEmpty();
    EXPECT_THAT(errorOf([&] { server->create(sharedTemplate()); }), HasSubstr("File exists"));
}

TEST_F(TenantServerTest, RefusesADataDirectoryTooLongForASocket) {
    const std::string message = errorOf([&] { pathsOf(directory_.path() / std::string(100, 'x'), 1002); });
    EXPECT_THAT(message, HasSubstr("107 at most"));
}

TEST_F(TenantServerTest, MakesTheDaemonsAccountAgainInTheMiddleOfAReplay) {
    const auto server = object(1002);
    server->create(sharedTemplate());
    server->configure(settings(1002, Profile::Replay));
    server->start();
    const auto process = server->pid();
    for (const char* change : {"DROP USER tidemark@localhost", "RENAME USER tidemark@localhost TO other@localhost",
                               "REVOKE ALL PRIVILEGES, GRANT OPTION FROM tidemark@localhost"}) {
        mysql::SqlClient(server->endpoint()).query(change);
        EXPECT_EQ(mysql::SqlClient(server->endpoint()).scalar("SELECT CURRENT_USER()"), "tidemark@localhost") << change;
    }
    EXPECT_EQ(server->pid(), process) << "a restart would end the replay";
    EXPECT_TRUE(server->stop());
    server->configure(settings(1002, Profile::Standby));
    server->start();
    EXPECT_THROW(mysql::SqlClient(server->endpoint()).query("GRANT RELOAD ON *.* TO root"), Error)
        << "it has that right while replaying only";
}

TEST_F(TenantServerTest, RepairsTheDaemonsAccountAtEveryStart) {
    const auto server = started(1002);
    mysql::SqlClient sql(server->endpoint());
    sql.script("SET sql_log_bin=0; DROP USER tidemark@localhost");
    {
        const mysql::WithoutGuard unguarded;
        EXPECT_THROW(mysql::SqlClient(server->endpoint()), Error);
    }
    EXPECT_TRUE(server->stop());
    server->start();
    EXPECT_EQ(mysql::SqlClient(server->endpoint()).scalar("SELECT @@gtid_binlog_pos"), "")
        << "the repair must leave no trace in the binlog";
}

TEST_F(TenantServerTest, ReplaysWithoutBinlogAndThenRunsAsADurableStandby) {
    const auto server = object(1004);
    server->create(sharedTemplate());
    server->configure(settings(1004, Profile::Replay));
    server->start();
    const char* settings_now =
        "SELECT CONCAT_WS(' ', @@log_bin, @@innodb_flush_log_at_trx_commit, @@innodb_doublewrite, "
        "@@innodb_flush_method, "
        "@@read_only, @@event_scheduler, @@gtid_binlog_pos, @@gtid_current_pos)";
    EXPECT_EQ(mysql::SqlClient(server->endpoint()).scalar(settings_now), "OFF 0 OFF fsync ON OFF  ");
    EXPECT_THAT(errorOf([&] { administrator(*server).query("CREATE DATABASE d"); }), HasSubstr("read-only"));
    EXPECT_TRUE(server->stop());
    server->configure(settings(1004, Profile::Standby));
    server->start();
    EXPECT_EQ(mysql::SqlClient(server->endpoint()).scalar(settings_now), "ON 1 ON O_DIRECT ON OFF  ");
}

}  // namespace
}  // namespace tidemark::tenant
