#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <iostream>
#include <map>
#include <random>
#include <thread>

#include "backup/data_backup.h"
#include "backup/set_making.h"
#include "backup_set/backup_set.h"
#include "base/error.h"
#include "base/file.h"
#include "restore/data_restore.h"
#include "restore/write_back.h"
#include "source/mariadb_backup.h"
#include "storage/file_storage.h"
#include "testing/mariadb_server.h"

namespace tidemark {
namespace {

namespace fs = std::filesystem;
using backup_set::FoundBackupSet;

constexpr backup_set::SetId kSet{1, backup_set::SetKind::Full};

/// A tenant, a destination, and a place to restore to.
class RoundTripTest : public ::testing::Test {
protected:
    RoundTripTest() {
        fs::create_directory(destination_);
        auto client = server_.connect();
        client.query("CREATE DATABASE d");
        client.query("USE d");
        client.script(R"(
            CREATE TABLE still (a INT PRIMARY KEY, b VARCHAR(200), c DOUBLE, KEY (b), KEY (c)) ENGINE=InnoDB;
            CREATE TABLE parts (a INT PRIMARY KEY, b VARCHAR(100)) ENGINE=InnoDB PARTITION BY HASH (a) PARTITIONS 4;
            CREATE TABLE small_pages (a INT PRIMARY KEY, b TEXT) ENGINE=InnoDB ROW_FORMAT=COMPRESSED KEY_BLOCK_SIZE=4;
            CREATE TABLE aria (a INT PRIMARY KEY, b VARCHAR(100)) ENGINE=Aria;
            CREATE TABLE myisam (a INT PRIMARY KEY, b VARCHAR(100)) ENGINE=MyISAM;
            CREATE TABLE empty_one (a INT) ENGINE=InnoDB;
            CREATE TABLE ledger1 (id INT AUTO_INCREMENT PRIMARY KEY, v VARCHAR(300)) ENGINE=InnoDB;
            CREATE TABLE ledger2 LIKE ledger1;
            CREATE VIEW v AS SELECT a FROM still;
            CREATE PROCEDURE p() SELECT COUNT(*) FROM still;
            CREATE TRIGGER tr BEFORE INSERT ON empty_one FOR EACH ROW SET NEW.a = NEW.a + 1;
            INSERT INTO still SELECT seq, MD5(seq), RAND(seq) FROM seq_1_to_60000;
            INSERT INTO parts SELECT seq, MD5(seq) FROM seq_1_to_10000;
            INSERT INTO small_pages SELECT seq, REPEAT(MD5(seq), 10) FROM seq_1_to_5000;
            INSERT INTO aria SELECT seq, MD5(seq) FROM seq_1_to_5000;
            INSERT INTO myisam SELECT seq, MD5(seq) FROM seq_1_to_5000)");
    }
    ~RoundTripTest() override {
        if (HasFailure()) ADD_FAILURE() << "seed " << seed_;
    }

    std::unique_ptr<source::MariadbBackupSource> makeSource() const {
        return std::make_unique<source::MariadbBackupSource>(
            source::MariadbBackupOptions{.data_directory = server_.dataDirectory(), .endpoint = server_.endpoint()});
    }

    backup::DataBackupResult copyData(source::Source& source) {
        return backup::DataBackup(source, storage_, lane_, {.set = kSet, .data_file_size = 16 << 20}, backup_progress_)
            .run({});
    }

    /// As a job does: tries again when that may help.
    backup::DataBackupResult copyDataPatiently() {
        for (int attempt = 1;; ++attempt) {
            const auto source = makeSource();
            try {
                return copyData(*source);
            } catch (const Error& error) {
                std::cout << "attempt " << attempt << ": " << error.what() << "\n";
                if (error.code() != ErrorCode::Unavailable || attempt == 20) throw;
                backup_set::removeUnfinishedSet(storage_, kSet.number);
            }
        }
    }

    /// A whole backup, made visible.
    backup::DataBackupResult backUp() {
        const backup::DataBackupResult result = copyDataPatiently();
        backup_set::BackupSetDescription description;
        description.id = kSet;
        backup::describeCopy(description, result, 1, result.facts.gtid);
        backup_set::finishBackupSet(storage_, description);
        return result;
    }

    void restore() {
        const auto reader = backup_set::openBlocks(storage_, backup_set::readBackupSet(storage_, kSet));
        std::atomic<std::uint64_t> unsynced{0};
        restore::WriteBack write_back(target_.parent_path(), unsynced);
        restore::restoreFiles(*reader, lane_, {.directory = target_, .write_back = &write_back}, restore_progress_, {});
        write_back.finish({});
    }

    /// What `work` throws; its text must name `object`.
    template <typename Work>
    ErrorCode failureNaming(const std::string& object, Work work) {
        try {
            work();
        } catch (const Error& error) {
            EXPECT_NE(std::string(error.what()).find(object), std::string::npos) << object << ": " << error.what();
            return error.code();
        }
        ADD_FAILURE() << "no Error was thrown for " << object;
        return ErrorCode::Internal;
    }

    static std::map<std::string, std::string> checksums(mysql::SqlClient client) {
        std::map<std::string, std::string> sums;
        for (const char* table : {"still", "parts", "small_pages", "aria", "myisam", "empty_one"}) {
            const mysql::Result result = client.query(std::string("CHECKSUM TABLE d.") + table);
            sums[table] = result.rows.at(0).text("Checksum");
        }
        return sums;
    }

    /// Damages or removes one file of the set.
    fs::path objectPath(const storage::Key& key) const { return destination_ / key; }

    const unsigned seed_ = std::random_device()();
    std::mt19937 random_{seed_};
    testing::MariadbServer server_;
    testing::TemporaryDirectory directory_;
    const fs::path destination_ = directory_.path() / "destination";
    const fs::path target_ = directory_.path() / "restored";
    storage::FileStorage storage_{destination_};
    block::WorkerPool pool_;
    block::Lane lane_{pool_};
    backup::DataBackupProgress backup_progress_;
    restore::DataRestoreProgress restore_progress_;
};

/// Inserts into a ledger until it is stopped.
std::jthread writer(const testing::MariadbServer& server, const std::string& table) {
    return std::jthread([client = server.connect(), table](const std::stop_token& stop) mutable {
        while (!stop.stop_requested())
            client.query("INSERT INTO d." + table + " (v) VALUES (REPEAT('x', 300))");
    });
}

/// Creates, alters, renames, truncates and drops until it is stopped; returns how many rounds were complete.
std::jthread definer(const testing::MariadbServer& server, unsigned seed, std::atomic<int>& rounds) {
    return std::jthread([client = server.connect(), random = std::mt19937(seed),
                         &rounds](const std::stop_token& stop) mutable {
        const char* engines[] = {"InnoDB", "InnoDB", "Aria", "MyISAM"};
        for (; !stop.stop_requested(); ++rounds) {
            const std::string a = "d.x" + std::to_string(random() % 5);
            const std::string b = "d.y" + std::to_string(random() % 5);
            client.script("CREATE OR REPLACE TABLE " + a + " (a INT PRIMARY KEY, b VARCHAR(100)) ENGINE=" +
                          engines[random() % 4] + "; INSERT INTO " + a + " VALUES (1, 'x'), (2, 'y'); ALTER TABLE " +
                          a + " ADD c INT, ALGORITHM=COPY; DROP TABLE IF EXISTS " + b + "; RENAME TABLE " + a + " TO " +
                          b + "; TRUNCATE TABLE " + b + "; INSERT INTO " + b + " VALUES (3, 'z', 4)" +
                          (random() % 2 == 0 ? "; DROP TABLE " + b : ""));
        }
    });
}

TEST_F(RoundTripTest, BringsEverythingBackWhileTheTenantGoesOn) {
    const auto before = checksums(server_.connect());
    std::atomic<int> rounds{0};
    backup::DataBackupResult result;
    std::int64_t rows_at_start = 0;
    {
        auto one = writer(server_, "ledger1");
        auto two = writer(server_, "ledger2");
        auto three = definer(server_, seed_, rounds);
        auto client = server_.connect();
        const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
        while (rows_at_start < 50 || rounds == 0) {
            rows_at_start = std::stoll(*client.scalar("SELECT COUNT(*) FROM d.ledger1"));
            ASSERT_LT(std::chrono::steady_clock::now(), deadline);
        }
        const int rounds_before = rounds;
        result = backUp();
        EXPECT_GT(rounds, rounds_before) << "no DDL ran during the backup";
    }
    EXPECT_EQ(before, checksums(server_.connect()));
    EXPECT_EQ(backup_set::listBackupSets(storage_).at(0).state, FoundBackupSet::State::Complete);

    restore();
    EXPECT_EQ(restore_progress_.finished_bytes, result.blocks.plain_bytes);
    EXPECT_EQ(restore_progress_.finished_macro_blocks, restore_progress_.total_macro_blocks);
    for (const auto& entry : fs::recursive_directory_iterator(target_)) {
        struct stat info {};
        ASSERT_EQ(::stat(entry.path().c_str(), &info), 0);
        EXPECT_EQ(info.st_mode & 077, 0U) << entry.path();
    }
    restore::prepareFiles(target_, 64 << 20, {});

    testing::MariadbServer restored(target_, {});
    auto client = restored.connect();
    EXPECT_EQ(checksums(restored.connect()), before);
    for (const char* ledger : {"d.ledger1", "d.ledger2"}) {
        const mysql::Result rows = client.query(std::string("SELECT COUNT(*) n, MAX(id) top FROM ") + ledger);
        EXPECT_EQ(rows.rows[0].integer("n"), rows.rows[0].integer("top")) << "a gap in " << ledger;
    }
    EXPECT_GE(std::stoll(*client.scalar("SELECT COUNT(*) FROM d.ledger1")), rows_at_start);
    for (const mysql::Row& table : client
                                       .query("SELECT table_name FROM information_schema.tables WHERE "
                                              "table_schema = 'd' AND table_type = 'BASE TABLE'")
                                       .rows) {
        const mysql::Result check = client.query("CHECK TABLE d." + table.text("table_name"));
        EXPECT_EQ(check.rows.back().text("Msg_text"), "OK")
            << table.text("table_name") << ": " << check.rows.front().text("Msg_text");
    }
    EXPECT_EQ(client.scalar("SELECT COUNT(*) FROM d.v"), "60000");
    client.query("INSERT INTO d.empty_one VALUES (1)");
    EXPECT_EQ(client.scalar("SELECT a FROM d.empty_one"), "2") << "the trigger";
    client.query("CALL d.p()");
}

TEST_F(RoundTripTest, ASetThatIsDamagedAnywhereIsNotRestored) {
    backUp();
    const backup_set::BackupSetDescription description = backup_set::readBackupSet(storage_, kSet);
    for (int round = 0; round < 30; ++round) {
        const block::StoredObject& object = description.objects[random_() % description.objects.size()];
        const auto damage = random_() % 3;
        const fs::path path = objectPath(object.key);
        const fs::path kept = directory_.path() / "kept";
        fs::copy_file(path, kept);
        ErrorCode expected = ErrorCode::Corrupt;
        switch (damage) {
            case 0: {
                const Fd fd = openFile(path, O_RDWR);
                // A restore reads frames, groups and the directory; heads and tables of frames are for other readers.
                const bool data = object.key.find("data.") != storage::Key::npos;
                const Bytes end = storage_.get(object.key, object.size - block::kTrailerSize, block::kTrailerSize);
                const auto& kind = data ? block::kDataObject : block::kIndexObject;
                const std::uint64_t read =
                    data ? block::decodeTrailer(kind, end, object.size, object.key).begin : object.size;
                const std::uint64_t at = block::kHeadSize + random_() % (read - block::kHeadSize);
                Bytes byte(1);
                readAt(fd.get(), byte, at, path);
                byte[0] ^= static_cast<std::uint8_t>(1U << (random_() % 8));
                writeAt(fd.get(), byte, at, path);
                break;
            }
            case 1:
                fs::resize_file(path, random_() % object.size);
                break;
            default:
                fs::remove(path);
                expected = ErrorCode::NotFound;
        }
        EXPECT_EQ(failureNaming(object.key, [&] { restore(); }), expected) << object.key;
        fs::rename(kept, path);
        fs::remove_all(target_);
    }
    restore();
}

TEST_F(RoundTripTest, AKilledBackupLeavesTheTenantFreeAndTheDestinationClean) {
    for (const int chunks : {1, 40, 200}) {
        const auto source = makeSource();
        /// Kills mariadb-backup in the middle of its stream.
        struct Killer : source::Source {
            source::MariadbBackupSource& inner;
            int left;
            Killer(source::MariadbBackupSource& of, int chunks_left) : inner(of), left(chunks_left) {}
            source::SourceTotals measure() override { return inner.measure(); }
            void open(std::stop_token stop) override { inner.open(std::move(stop)); }
            std::optional<source::Chunk> next() override {
                if (--left == 0) ::kill(inner.pid(), SIGKILL);
                return inner.next();
            }
            void read(std::span<std::uint8_t> into) override { inner.read(into); }
            source::SourceFacts finish() override { return inner.finish(); }
        } killer(*source, chunks);
        EXPECT_EQ(failureNaming("signal 9", [&] { copyData(killer); }), ErrorCode::Unavailable);
        EXPECT_EQ(backup_set::listBackupSets(storage_).at(0).state, FoundBackupSet::State::Unfinished);
        mysql::Endpoint impatient = server_.endpoint();
        impatient.statement_timeout = std::chrono::seconds(10);
        mysql::SqlClient(impatient).script(
            "CREATE TABLE d.after (a INT) ENGINE=MyISAM; INSERT INTO d.after VALUES (1); DROP TABLE d.after");
        backup_set::removeUnfinishedSet(storage_, kSet.number);
        EXPECT_FALSE(storage_.any(""));
        EXPECT_TRUE(fs::is_empty(destination_));
    }
    backUp();
}

TEST_F(RoundTripTest, AFullDestinationIsToldAndWorksAgainWithRoom) {
    if (mount("tmpfs", destination_.c_str(), "tmpfs", 0, "size=4m") != 0) {
        ASSERT_NE(geteuid(), 0U) << "mounting failed";
        GTEST_SKIP() << "only root can mount a small disk; DataBackupTest fills one of its own";
    }
    {
        const auto source = makeSource();
        EXPECT_EQ(failureNaming(destination_.string(), [&] { copyData(*source); }), ErrorCode::NoSpace);
        EXPECT_EQ(backup_set::listBackupSets(storage_).at(0).state, FoundBackupSet::State::Unfinished);
        backup_set::removeUnfinishedSet(storage_, kSet.number);
        EXPECT_TRUE(fs::is_empty(destination_));
        EXPECT_EQ(mount("tmpfs", destination_.c_str(), "tmpfs", MS_REMOUNT, "size=200m"), 0);
        backUp();
        restore();
    }
    umount(destination_.c_str());
}

TEST_F(RoundTripTest, ATargetWithoutRoomOrInUseIsRefusedBeforeAnythingIsWritten) {
    backUp();
    fs::create_directory(target_);
    std::ofstream(target_ / "somebody's") << "x";
    EXPECT_EQ(failureNaming("restored", [&] { restore(); }), ErrorCode::Conflict);
    fs::remove(target_ / "somebody's");
    if (mount("tmpfs", target_.c_str(), "tmpfs", 0, "size=4m") != 0) return;
    EXPECT_EQ(failureNaming("restored", [&] { restore(); }), ErrorCode::NoSpace);
    EXPECT_TRUE(fs::is_empty(target_));
    umount(target_.c_str());
}

TEST_F(RoundTripTest, ATenantWithABrokenTableCanBeBackedUp) {
    server_.connect().query("CREATE TABLE d.broken (a INT) ENGINE=MyISAM");
    fs::remove(server_.dataDirectory() / "d/broken.MYD");
    const auto source = makeSource();
    copyData(*source);
}

TEST_F(RoundTripTest, ARestoreCanBeCancelled) {
    backUp();
    std::stop_source stop;
    stop.request_stop();
    const block::BlockReader reader(storage_, backup_set::blockDirectory(kSet), kSet.number);
    EXPECT_EQ(
        failureNaming(
            "cancelled",
            [&] { restore::restoreFiles(reader, lane_, {.directory = target_}, restore_progress_, stop.get_token()); }),
        ErrorCode::Cancelled);
    EXPECT_EQ(failureNaming("cancelled", [&] { restore::prepareFiles(target_, 64 << 20, stop.get_token()); }),
              ErrorCode::Cancelled);
}

TEST_F(RoundTripTest, PreparingDoesNotObeyAHostileSet) {
    backUp();
    restore();
    const testing::TemporaryDirectory outside;
    // Renames are followed wherever they lead.
    const auto renames = target_ / "d" / "still.ren";
    replaceFile(renames, fs::relative(outside.path() / "moved", target_).string());
    EXPECT_EQ(failureNaming("still.ren", [&] { restore::prepareFiles(target_, 64 << 20, {}); }), ErrorCode::Corrupt);
    EXPECT_TRUE(fs::is_empty(outside.path()));
    EXPECT_TRUE(fs::exists(target_ / "d" / "still.ibd"));
    fs::remove(renames);
    // Whatever it is made to open: other files are out of reach.
    const auto checkpoints = target_ / "xtrabackup_checkpoints";
    if (sandboxAvailable()) {
        fs::copy_file(checkpoints, outside.path() / "checkpoints");
        fs::rename(checkpoints, target_ / "checkpoints");
        fs::create_symlink(outside.path() / "checkpoints", checkpoints);
        EXPECT_EQ(failureNaming("exit code 1", [&] { restore::prepareFiles(target_, 64 << 20, {}); }),
                  ErrorCode::Corrupt);
        EXPECT_EQ(readFile(outside.path() / "checkpoints"), readFile(target_ / "checkpoints"));
        fs::rename(target_ / "checkpoints", checkpoints);
    }
    // A plugin is code.
    const auto options = target_ / "backup-my.cnf";
    const std::string innocent = readFile(options).value();
    EXPECT_NE(innocent.find("innodb_page_size=16384"), std::string::npos);
    replaceFile(options, innocent + "plugin_load=evil=evil.so\nplugin_dir=/tmp\n");
    restore::prepareFiles(target_, 64 << 20, {});
    const std::string obeyed = readFile(options).value();
    EXPECT_EQ(obeyed.find("plugin"), std::string::npos) << obeyed;
    EXPECT_NE(obeyed.find("innodb_page_size=16384"), std::string::npos) << obeyed;
}

TEST_F(RoundTripTest, PreparingWhatIsNoCopySaysWhatIsWrong) {
    fs::create_directory(target_);
    EXPECT_EQ(failureNaming("exit code 1", [&] { restore::prepareFiles(target_, 64 << 20, {}); }), ErrorCode::Corrupt);
}

}  // namespace
}  // namespace tidemark
