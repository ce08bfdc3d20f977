#include "source/mariadb_backup.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>

#include <fstream>
#include <map>
#include <thread>

#include "base/error.h"
#include "base/file.h"
#include "source/data_directory.h"
#include "testing/mariadb_server.h"

namespace tidemark::source {
namespace {

namespace fs = std::filesystem;

class MariadbBackupTest : public ::testing::Test {
protected:
    MariadbBackupOptions options() const {
        return {
            .data_directory = server_.dataDirectory(), .endpoint = server_.endpoint(), .work_directory = work_.path()};
    }
    /// Sizes of all files of the stream.
    static std::map<std::string, std::uint64_t> drain(Source& source) {
        std::map<std::string, std::uint64_t> sizes;
        Bytes buffer(1 << 20);
        while (const auto chunk = source.next()) {
            if (chunk->kind != Chunk::Kind::Data) continue;
            sizes[chunk->path] += chunk->size;
            for (std::uint64_t left = chunk->size; left > 0;) {
                const auto piece = std::span(buffer).first(std::min<std::uint64_t>(left, buffer.size()));
                source.read(piece);
                left -= piece.size();
            }
        }
        return sizes;
    }
    /// What a copy says that is stopped in the middle of a stage, as if nobody took what it writes. Stages last for
    /// milliseconds only, so that the signal may come too late: then it is tried again.
    std::string stoppedIn(Stage wanted, const MariadbBackupOptions& options) {
        std::string text;
        for (int attempt = 0; attempt < 10 && text.empty(); ++attempt) {
            MariadbBackupSource source(options);
            source.open({});
            StageLog stages(work_.path() / *privateDirectory() / "log");
            std::jthread stopper([&](const std::stop_token& stop) {
                while (!stop.stop_requested() && stages.update() != wanted) {
                }
                kill(source.pid(), SIGSTOP);
                if (stages.update() != wanted) kill(source.pid(), SIGCONT);
            });
            try {
                drain(source);
                stopper.request_stop();
                stopper.join();
                source.finish();
            } catch (const Error& error) {
                EXPECT_EQ(error.code(), ErrorCode::Conflict);
                text = error.what();
            }
        }
        return text;
    }

    void fillTable() {
        auto client = server_.connect();
        client.script(
            "CREATE DATABASE d; CREATE TABLE d.t (a INT PRIMARY KEY, b VARCHAR(1000)) ENGINE=InnoDB;"
            "CREATE TABLE d.m (a INT) ENGINE=MyISAM; CREATE TABLE d.r (a INT) ENGINE=Aria");
        client.query("USE d");
        client.query("INSERT INTO t SELECT seq, REPEAT('x', 900) FROM seq_1_to_30000");
    }
    /// Where the source keeps its options and log.
    std::optional<fs::path> privateDirectory() const {
        for (const auto& entry : fs::directory_iterator(work_.path()))
            if (entry.is_directory()) return entry.path().filename();
        return std::nullopt;
    }
    static std::string failureOf(const std::function<void()>& work, ErrorCode code) {
        try {
            work();
        } catch (const Error& error) {
            EXPECT_EQ(error.code(), code) << error.what();
            return error.what();
        }
        ADD_FAILURE() << "no Error was thrown";
        return {};
    }

    testing::MariadbServer server_;
    testing::TemporaryDirectory work_;
};

TEST_F(MariadbBackupTest, ReadsTheDiskInSmallParts) {
    MariadbBackupSource source(options());
    source.open({});
    const auto first = source.next();
    ASSERT_TRUE(first);
    Bytes content(first->size);
    source.read(content);
    const auto maps = readFile("/proc/" + std::to_string(source.pid()) + "/maps").value();
    EXPECT_NE(maps.find("small_reads.so"), std::string::npos);
    drain(source);
    source.finish();
}

TEST_F(MariadbBackupTest, StreamsAWholeTenantAndSaysWhereItStands) {
    fillTable();
    MariadbBackupSource source(options());
    const SourceTotals totals = source.measure();
    source.open({});
    const auto sizes = drain(source);
    const SourceFacts facts = source.finish();

    EXPECT_TRUE(sizes.contains("d/t.ibd"));
    EXPECT_TRUE(sizes.contains("d/m.MYD") || sizes.contains("d/m.frm"));
    EXPECT_TRUE(sizes.contains("ib_logfile0"));
    EXPECT_GT(sizes.at("d/t.ibd"), 20U << 20);
    std::uint64_t bytes = 0;
    std::uint64_t tablets = 0;
    for (const auto& [path, size] : sizes) {
        if (path != "ib_logfile0") bytes += size;
        tablets += isTablet(path) ? 1 : 0;
    }
    EXPECT_NEAR(static_cast<double>(totals.bytes), static_cast<double>(bytes), static_cast<double>(bytes) / 20);
    EXPECT_NEAR(static_cast<double>(totals.tablets), static_cast<double>(tablets), 4);
    EXPECT_EQ(facts.gtid, server_.connect().scalar("SELECT @@gtid_binlog_pos"));
    EXPECT_FALSE(facts.gtid.empty());
    EXPECT_EQ(facts.binlog_file, "bin.000001");
    EXPECT_GT(facts.binlog_position, 0U);
    EXPECT_GE(facts.last_lsn, facts.to_lsn);
    EXPECT_EQ(facts.server_version.substr(0, 3), "10.");
}

TEST_F(MariadbBackupTest, IsEndedWhenItHoldsUpTheTenant) {
    fillTable();
    auto limited = options();
    limited.limits = {.commits = std::chrono::milliseconds(500)};
    EXPECT_THAT(stoppedIn(Stage::HoldsCommits, limited),
                ::testing::HasSubstr("held up the tenant's commits for 500 ms"));
    server_.connect().query("INSERT INTO d.t VALUES (-1, 'goes on')");
    limited.limits = {.stalled = std::chrono::milliseconds(500)};
    EXPECT_THAT(stoppedIn(Stage::HoldsDdl, limited), ::testing::HasSubstr("held up the tenant's DDL for 500 ms"));
    server_.connect().query("CREATE TABLE d.goes_on (a INT)");
}

TEST_F(MariadbBackupTest, DoesNotWaitForLockedTablesForEver) {
    auto client = server_.connect();
    client.script("CREATE DATABASE d; CREATE TABLE d.locked (a INT); LOCK TABLES d.locked WRITE");
    auto limited = options();
    limited.limits.beginning = std::chrono::milliseconds(500);
    MariadbBackupSource source(limited);
    source.open({});
    try {
        drain(source);
        source.finish();
        FAIL() << "no error";
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), ErrorCode::Unavailable);
        EXPECT_THAT(error.what(), ::testing::HasSubstr("LOCK TABLES"));
    }
    client.query("UNLOCK TABLES");
    client.query("CREATE TABLE d.free (a INT)");
}

TEST_F(MariadbBackupTest, GivesNoSecretAway) {
    auto client = server_.connect();
    const std::string password = "a\"b\\c d#e'f";
    client.query("CREATE USER keeper@localhost IDENTIFIED BY ?", {password});
    client.query("GRANT ALL ON *.* TO keeper@localhost");
    MariadbBackupOptions with_password = options();
    with_password.endpoint.user = "keeper";
    with_password.endpoint.password = password;
    MariadbBackupSource source(with_password);
    source.open({});
    ASSERT_TRUE(source.next());
    std::vector<std::string> arguments = commandLine(source.pid());
    EXPECT_FALSE(arguments.empty());
    for (const std::string& argument : arguments)
        EXPECT_EQ(argument.find(password), std::string::npos);
    for (const auto& entry : fs::recursive_directory_iterator(work_.path())) {
        struct stat info {};
        ASSERT_EQ(stat(entry.path().c_str(), &info), 0);
        EXPECT_EQ(info.st_mode & 077, 0U) << entry.path();
        // As much of the password as is the same however it is quoted.
        if (!entry.is_regular_file()) continue;
        EXPECT_EQ(readFile(entry.path())->find("c d#e'f"), std::string::npos) << entry.path();
    }
}

TEST_F(MariadbBackupTest, IsConfinedToTheTenantsFiles) {
    if (!sandboxAvailable()) GTEST_SKIP() << "this kernel has no Landlock";
    MariadbBackupSource source(options());
    source.open({});
    ASSERT_TRUE(source.next());
    const auto status = readFile("/proc/" + std::to_string(source.pid()) + "/status").value();
    EXPECT_NE(status.find("NoNewPrivs:\t1"), std::string::npos) << status;
}

TEST_F(MariadbBackupTest, CopiesTablesWhoseNamesHaveBackquotes) {
    server_.connect().script(
        "CREATE DATABASE `q``q`; CREATE DATABASE d;"
        "CREATE TABLE `q``q`.`a``r` (a INT) ENGINE=Aria; CREATE TABLE d.`m``` (a INT) ENGINE=MyISAM;"
        "CREATE TABLE d.```.``.``` (a INT NOT NULL) ENGINE=CSV; CREATE TABLE d.`g``m` (a INT) ENGINE=MERGE "
        "UNION=(d.`m```);"
        "CREATE TABLE d.`p``p` (a INT) ENGINE=Aria PARTITION BY HASH (a) PARTITIONS 2");
    MariadbBackupSource source(options());
    source.open({});
    const auto sizes = drain(source);
    source.finish();
    for (const char* path : {"q@0060q/a@0060r.MAI", "d/m@0060.MYI", "d/@0060@002e@0060@002e@0060.CSM", "d/g@0060m.MRG",
                             "d/p@0060p#P#p1.MAI"}) {
        EXPECT_TRUE(sizes.contains(path)) << path;
    }
}

TEST_F(MariadbBackupTest, RefusesASchemaNamedLikeAFileOfTheTool) {
    server_.connect().query("CREATE DATABASE xtrabackup_info");
    const std::string text = failureOf(
        [&] {
            MariadbBackupSource source(options());
            source.open({});
        },
        ErrorCode::Conflict);
    EXPECT_THAT(text, ::testing::HasSubstr("schema xtrabackup_info"));
}

TEST_F(MariadbBackupTest, LeavesNothingInItsWorkDirectory) {
    {
        MariadbBackupSource source(options());
        source.open({});
        drain(source);
        source.finish();
    }
    EXPECT_TRUE(fs::is_empty(work_.path()));
}

TEST_F(MariadbBackupTest, SaysWhyItCouldNotStart) {
    const auto failureWith = [&](const MariadbBackupOptions& wrong, ErrorCode code) {
        return failureOf(
            [&] {
                MariadbBackupSource source(wrong);
                source.open({});
                drain(source);
                source.finish();
            },
            code);
    };
    MariadbBackupOptions stranger = options();
    stranger.endpoint.user = "nobody";
    stranger.endpoint.password = "s3cr3t";
    // By our own login, which comes first.
    const std::string refused = failureWith(stranger, ErrorCode::Denied);
    EXPECT_NE(refused.find("Access denied"), std::string::npos) << refused;
    EXPECT_EQ(refused.find("s3cr3t"), std::string::npos);

    MariadbBackupOptions elsewhere = options();
    elsewhere.data_directory = work_.path() / "nothing";
    const std::string text = failureWith(elsewhere, ErrorCode::Unavailable);
    EXPECT_NE(text.find("exit code 1"), std::string::npos) << text;
}

TEST_F(MariadbBackupTest, SaysThatItWasKilledAndTheTenantGoesOn) {
    fillTable();
    MariadbBackupSource source(options());
    source.open({});
    const auto first = source.next();
    ASSERT_TRUE(first);
    const std::string text = failureOf(
        [&] {
            kill(source.pid(), SIGKILL);
            Bytes rest(first->size);
            source.read(rest);
            drain(source);
            source.finish();
        },
        ErrorCode::Unavailable);
    EXPECT_NE(text.find("Killed"), std::string::npos) << text;
    mysql::Endpoint impatient = server_.endpoint();
    impatient.statement_timeout = std::chrono::seconds(10);
    mysql::SqlClient client(impatient);
    client.script("CREATE TABLE d.after (a INT); INSERT INTO d.after VALUES (1); DROP TABLE d.t");
}

TEST_F(MariadbBackupTest, StopsWhileItWaitsForBytes) {
    // A lock that BACKUP STAGE has to wait for keeps mariadb-backup silent.
    fillTable();
    auto holder = server_.connect();
    holder.query("BACKUP STAGE START");
    std::stop_source stop;
    MariadbBackupSource source(options());
    source.open(stop.get_token());
    std::jthread canceller([&] {
        const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
        auto watcher = server_.connect();
        while (std::chrono::steady_clock::now() < deadline &&
               !watcher.scalar("SELECT 1 FROM information_schema.processlist WHERE info LIKE 'BACKUP STAGE%' "
                               "OR info LIKE 'BACKUP LOCK%'")) {
        }
        stop.request_stop();
    });
    failureOf(
        [&] {
            drain(source);
            source.finish();
        },
        ErrorCode::Cancelled);
}

TEST_F(MariadbBackupTest, EndsTheProcessWhenItIsGivenUp) {
    fillTable();
    std::optional<ProcessHandle> process;
    {
        MariadbBackupSource source(options());
        source.open({});
        ASSERT_TRUE(source.next());
        process = ProcessHandle::open(source.pid());
        ASSERT_TRUE(process);
    }
    EXPECT_TRUE(process->ended());
}

TEST(InfoFiles, AreReadUnderBothNames) {
    for (const std::string first : {"xtrabackup_", "mariadb_backup_"}) {
        const SourceFacts facts = parseInfoFiles(
            {{first + "checkpoints", "backup_type = full-backuped\nfrom_lsn = 0\nto_lsn = 44848\nlast_lsn = 47066\n"},
             {first + "info", "uuid = x\nserver_version = 10.11.19-MariaDB\n"},
             {first + "binlog_info", "bin.000002\t1258\t0-1-6,1002-101-7\n"}});
        EXPECT_EQ(facts.to_lsn, 44848U);
        EXPECT_EQ(facts.last_lsn, 47066U);
        EXPECT_EQ(facts.server_version, "10.11.19-MariaDB");
        EXPECT_EQ(facts.binlog_file, "bin.000002");
        EXPECT_EQ(facts.binlog_position, 1258U);
        EXPECT_EQ(facts.gtid, "0-1-6,1002-101-7");
    }
    EXPECT_THROW(parseInfoFiles({}), Error);
    EXPECT_THROW(parseInfoFiles({{"xtrabackup_checkpoints", "from_lsn = x\nto_lsn = 1\nlast_lsn = 2\n"}}), Error);
}

}  // namespace
}  // namespace tidemark::source
