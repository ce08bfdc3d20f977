#include <gtest/gtest.h>

#include <gmock/gmock.h>

#include "restore/log_replay_fixture.h"
#include "storage/memory_storage.h"

namespace tidemark::restore {
namespace {

using ::testing::HasSubstr;

/// A source whose MEMORY tables have rows that no copy has; and the copy, which has the tables without them.
class MissingMemoryRows : public ::testing::Test {
protected:
    MissingMemoryRows() : source(storage) {
        source.server.connect().script(kTables);
        source.server.connect().script(
            "INSERT INTO d.m SELECT seq, UUID(), 'x' FROM d.seq_1_to_5; INSERT INTO d.k SELECT seq, 'x' FROM "
            "d.seq_1_to_5");
        restored.connect().script(kTables);
        source.startArchiver();
    }
    /// What the replay of all that is archived throws.
    std::string replayed() {
        source.awaitArchived();
        source.stopArchiver();
        const ArchiveReader reader(storage);
        auto options =
            replayOptions(restored, reader.rounds().at(0).start.position, reader.rounds().at(0).checkpoint_scn);
        options.error_log = restored.errorLog();
        return messageOf([&] {
            LogReplay replay(reader, options);
            replay.run({}, [](const ReplayProgress&) {});
            missing = replay.missingRows();
        });
    }

    static constexpr const char* kTables =
        "CREATE DATABASE d; CREATE TABLE d.m (id INT PRIMARY KEY, u UUID, v VARCHAR(20)) ENGINE=MEMORY;"
        "CREATE TABLE d.k (a INT, b CHAR(10)) ENGINE=MEMORY; CREATE TABLE d.i (id INT PRIMARY KEY, v VARCHAR(20));"
        "INSERT INTO d.i SELECT seq, 'x' FROM d.seq_1_to_5";
    storage::MemoryStorage storage;
    ArchivedServer source;
    RestoredServer restored;
    MissingRows missing;
};

TEST_F(MissingMemoryRows, AreLeftOutAndCountedWhileAllElseIsExact) {
    auto client = source.server.connect();
    client.script(
        "UPDATE d.m SET v='y' WHERE id <= 3; INSERT INTO d.m VALUES (7, UUID(), 'new');"
        "UPDATE d.m JOIN d.i USING (id) SET d.m.v='z', d.i.v='z' WHERE id IN (1, 2);"
        "BEGIN; INSERT INTO d.i VALUES (10, 'a'); UPDATE d.m SET v='w' WHERE id IN (5, 7); SAVEPOINT s;"
        "INSERT INTO d.i VALUES (11, 'undone'); ROLLBACK TO s; DELETE FROM d.i WHERE id=5; COMMIT;"
        "INSERT INTO d.i VALUES (12, 'last but one'); DELETE FROM d.k WHERE a > 1");
    EXPECT_EQ(replayed(), "no error");
    EXPECT_EQ(missing, (MissingRows{{"d.k", 4}, {"d.m", 6}}));
    const auto rows = "SELECT GROUP_CONCAT(id, v ORDER BY id) FROM d.i";
    EXPECT_EQ(restored.connect().scalar(rows), source.server.connect().scalar(rows));
    EXPECT_EQ(restored.connect().scalar("SELECT GROUP_CONCAT(id, v) FROM d.m"), "7w");
    EXPECT_EQ(restored.connect().scalar("SELECT @@gtid_slave_pos"), source.position().text());
    EXPECT_EQ(restored.connect().scalar("SELECT @@global.slave_exec_mode"), "STRICT");
}

TEST_F(MissingMemoryRows, DoNotHideThoseOfOtherTables) {
    restored.connect().query("DELETE FROM d.i WHERE id = 2");
    source.server.connect().script("UPDATE d.m JOIN d.i USING (id) SET d.m.v='z', d.i.v='z' WHERE id IN (1, 2)");
    EXPECT_THAT(replayed(), HasSubstr("Can't find record in 'i'"));
    EXPECT_EQ(restored.connect().scalar("SELECT v FROM d.i WHERE id = 1"), "x") << "nothing half";
}

TEST_F(MissingMemoryRows, DoNotHideARowThatIsThereAlready) {
    restored.connect().query("INSERT INTO d.i VALUES (6, 'in the way')");
    source.server.connect().script("BEGIN; UPDATE d.m SET v='z' WHERE id = 1; INSERT INTO d.i VALUES (6, 'y'); COMMIT");
    EXPECT_THAT(replayed(), HasSubstr("Duplicate entry"));
    EXPECT_EQ(restored.connect().scalar("SELECT v FROM d.i WHERE id = 6"), "in the way");
}

TEST_F(MissingMemoryRows, OfAnInnodbTableEndTheReplay) {
    restored.connect().query("DELETE FROM d.i WHERE id = 2");
    source.server.connect().script("UPDATE d.i SET v='z' WHERE id IN (1, 2)");
    EXPECT_THAT(replayed(), HasSubstr("Can't find record in 'i'"));
}

}  // namespace
}  // namespace tidemark::restore
