#include <gtest/gtest.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include <iostream>
#include <map>
#include <random>
#include <thread>

#include "backup/data_backup.h"
#include "backup/set_making.h"
#include "backup_set/backup_set.h"
#include "base/error.h"
#include "base/file.h"
#include "opened/mount.h"
#include "restore/data_restore.h"
#include "source/mariadb_backup.h"
#include "storage/file_storage.h"
#include "testing/mariadb_server.h"

namespace tidemark {
namespace {

namespace fs = std::filesystem;

constexpr backup_set::SetId kSet{1, backup_set::SetKind::Full};

/// From the program's start on, before there are threads: mounts are its own and that of what it starts. So whatever
/// ends it, none is left behind.
const bool kHasOwnMounts =
    ::unshare(CLONE_NEWNS) == 0 && ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0;

/// A process that serves an opened set, as the product has one: the test may kill it.
class ServedSet {
public:
    ServedSet(const fs::path& destination, const fs::path& local, const fs::path& at) : at_(at) {
        fs::create_directories(at);
        pid_ = ::fork();
        if (pid_ == 0) {
            serve(destination, local, at);
            ::_exit(0);
        }
        const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds(30);
        while (!fs::exists(at / "ibdata1")) {
            if (std::chrono::steady_clock::now() > limit) throw Error(ErrorCode::Unavailable, "was not mounted");
            std::this_thread::sleep_for(std::chrono::milliseconds(5));
        }
    }
    ~ServedSet() { end(SIGTERM); }

    void end(int signal) {
        if (pid_ < 0) return;
        if (signal == SIGTERM) ::umount2(at_.c_str(), 0);
        if (signal == SIGKILL) ::kill(pid_, SIGKILL);
        ::waitpid(pid_, nullptr, 0);
        pid_ = -1;
        ::umount2(at_.c_str(), MNT_DETACH);
    }

private:
    static void serve(const fs::path& destination, const fs::path& local, const fs::path& at) {
        try {
            storage::FileStorage storage(destination);
            const auto reader = backup_set::openBlocks(storage, backup_set::readBackupSet(storage, kSet));
            opened::OpenedSet set(*reader, local, 32 << 20);
            opened::Mount mount(set, at, makeLogger("opened"));
            mount.serve();
            set.sync();
        } catch (const std::exception& error) {
            std::cerr << "serving the set: " << error.what() << "\n";
        }
    }

    const fs::path at_;
    pid_t pid_ = -1;
};

class OpenedSetTest : public ::testing::Test {
protected:
    void SetUp() override {
        if (!kHasOwnMounts || ::access("/dev/fuse", R_OK | W_OK) != 0)
            GTEST_SKIP() << "mounting needs root's rights and FUSE";
        testing::MariadbServer server;
        auto client = server.connect();
        client.script(R"(
            CREATE DATABASE d;
            USE d;
            CREATE TABLE d.still (a INT PRIMARY KEY, b VARCHAR(200), c DOUBLE, KEY (b), KEY (c)) ENGINE=InnoDB;
            CREATE TABLE d.small_pages (a INT PRIMARY KEY, b TEXT) ENGINE=InnoDB ROW_FORMAT=COMPRESSED KEY_BLOCK_SIZE=4;
            CREATE TABLE d.aria (a INT PRIMARY KEY, b VARCHAR(100)) ENGINE=Aria;
            CREATE TABLE d.myisam (a INT PRIMARY KEY, b VARCHAR(100)) ENGINE=MyISAM;
            INSERT INTO d.still SELECT seq, MD5(seq), RAND(seq) FROM seq_1_to_60000;
            INSERT INTO d.small_pages SELECT seq, REPEAT(MD5(seq), 10) FROM seq_1_to_5000;
            INSERT INTO d.aria SELECT seq, MD5(seq) FROM seq_1_to_5000;
            INSERT INTO d.myisam SELECT seq, MD5(seq) FROM seq_1_to_5000)");
        source::MariadbBackupSource source({.data_directory = server.dataDirectory(), .endpoint = server.endpoint()});
        storage::FileStorage storage(destination_);
        backup::DataBackupProgress progress;
        block::WorkerPool pool;
        block::Lane lane(pool);
        const auto result = backup::DataBackup(source, storage, lane, {.set = kSet}, progress).run({});
        backup_set::BackupSetDescription description;
        description.id = kSet;
        backup::describeCopy(description, result, 1, result.facts.gtid);
        backup_set::finishBackupSet(storage, description);
        wanted_ = checksums(client);
    }

    static std::map<std::string, std::string> checksums(mysql::SqlClient& client) {
        std::map<std::string, std::string> sums;
        for (const char* table : {"still", "small_pages", "aria", "myisam"})
            sums[table] = client.query(std::string("CHECKSUM TABLE d.") + table).rows.at(0).text("Checksum");
        return sums;
    }

    const unsigned seed_ = std::random_device()();
    std::mt19937 random_{seed_};
    testing::TemporaryDirectory place_;
    const fs::path destination_ = [this] {
        fs::create_directory(place_.path() / "destination");
        return place_.path() / "destination";
    }();
    const fs::path local_ = place_.path() / "local";
    const fs::path mounted_ = place_.path() / "m";
    std::map<std::string, std::string> wanted_;
};

TEST_F(OpenedSetTest, IsPreparedAndRunsADatabaseWhereItIs) {
    {
        ServedSet served(destination_, local_, mounted_);
        restore::prepareFiles(mounted_, 64 << 20, {});
        {
            testing::MariadbServer server(mounted_, {});
            auto client = server.connect();
            EXPECT_EQ(checksums(client), wanted_);
            client.script(R"(
                UPDATE d.still SET c = c + 1 WHERE a % 7 = 0;
                CREATE TABLE d.made AS SELECT * FROM d.still WHERE a < 1000;
                RENAME TABLE d.aria TO d.other;
                TRUNCATE TABLE d.myisam;
                ALTER TABLE d.small_pages ADD KEY (b(20));
                RENAME TABLE d.other TO d.aria)");
            wanted_ = checksums(client);
        }
    }
    // Another process goes on with what is local.
    ServedSet served(destination_, local_, mounted_);
    testing::MariadbServer server(mounted_, {});
    auto client = server.connect();
    EXPECT_EQ(checksums(client), wanted_);
    EXPECT_EQ(client.query("SELECT COUNT(*) n FROM d.made").rows.at(0).text("n"), "999");
}

/// TIDEMARK_OPENED_ROUNDS: how many, for a longer run.
int rounds() {
    const char* wanted = std::getenv("TIDEMARK_OPENED_ROUNDS");
    return wanted != nullptr ? std::atoi(wanted) : 3;
}

TEST_F(OpenedSetTest, LosesNoCommittedRowWhenItsProcessIsKilled) {
    auto served = std::make_unique<ServedSet>(destination_, local_, mounted_);
    restore::prepareFiles(mounted_, 64 << 20, {});
    syncDirectory(mounted_);  // --prepare syncs nothing, and the redo log is gone
    std::uint64_t committed = 0;
    for (int round = 0; round < rounds(); ++round) {
        auto server = std::make_unique<testing::MariadbServer>(mounted_, std::vector<std::string>{"--sync-binlog=1"});
        auto client = server->connect();
        client.query("CREATE TABLE IF NOT EXISTS d.ledger (a INT AUTO_INCREMENT PRIMARY KEY, b VARCHAR(300))");
        ASSERT_GE(client.query("SELECT COUNT(*) n FROM d.ledger").rows.at(0).unsignedInteger("n"), committed);
        EXPECT_EQ(checksums(client), wanted_);
        std::jthread killer([&] {
            std::this_thread::sleep_for(std::chrono::milliseconds(random_() % 1000));
            served->end(SIGKILL);
        });
        try {
            for (committed = client.query("SELECT COUNT(*) n FROM d.ledger").rows.at(0).unsignedInteger("n");;
                 ++committed)
                client.query("INSERT INTO d.ledger (b) VALUES (REPEAT(MD5(RAND()), 9))");
        } catch (const Error& error) {
            std::cout << committed << " rows: " << error.what() << "\n";
        }
        killer.join();
        server->kill();
        server.reset();
        served = std::make_unique<ServedSet>(destination_, local_, mounted_);
    }
    testing::MariadbServer server(mounted_, {});
    auto client = server.connect();
    EXPECT_GE(client.query("SELECT COUNT(*) n FROM d.ledger").rows.at(0).unsignedInteger("n"), committed);
    EXPECT_EQ(checksums(client), wanted_);
    EXPECT_EQ(client.query("CHECK TABLE d.still EXTENDED").rows.at(0).text("Msg_text"), "OK");
}

}  // namespace
}  // namespace tidemark
