#include <gtest/gtest.h>

#include <chrono>
#include <random>

#include "restore/log_replay_fixture.h"
#include "storage/faulty_storage.h"
#include "storage/memory_storage.h"

namespace tidemark::restore {
namespace {

TEST(LogReplay, NamesTheSegmentThatIsDamagedOrMissing) {
    const std::uint64_t seed = newSeed();
    std::mt19937_64 random(seed);
    storage::MemoryStorage storage;
    const SmallLog log(storage);
    const RestoredServer restored;
    const std::string key = archive::segmentKey({1001, 1, 1}, 3);
    const Bytes whole = storage.getAll(key);
    const auto attempt = [&] {
        return messageOf([&] {
            const ArchiveReader reader(storage);
            replayAll(reader, restored);
        });
    };
    for (int i = 0; i < 8; ++i) {
        Bytes damaged = whole;
        damaged[random() % damaged.size()] ^= static_cast<std::uint8_t>(1U << random() % 8);
        storage.remove(key);
        storage.put(key, damaged);
        EXPECT_NE(attempt().find(key), std::string::npos) << attempt();
    }
    for (const std::size_t size : {std::size_t{0}, std::size_t{5}, whole.size() / 2, whole.size() - 1}) {
        storage.remove(key);
        storage.put(key, ByteView(whole).first(size));
        EXPECT_NE(attempt().find(key), std::string::npos) << attempt();
    }
    storage.remove(key);
    const ArchiveReader reader(storage);
    ASSERT_EQ(reader.rounds().at(0).gaps.size(), 1U);
    EXPECT_EQ(reader.rounds().at(0).gaps.at(0).first_missing, key);
    EXPECT_NE(attempt().find(key), std::string::npos) << attempt();
    storage.put(key, whole);
    EXPECT_EQ(attempt(), "no error");
    EXPECT_EQ(checksums(restored), checksums(log.source.server));
}

TEST(LogReplay, FailsWhenTheArchiveCannotBeRead) {
    storage::MemoryStorage storage;
    const SmallLog log(storage);
    storage::FaultyStorage broken(storage,
                                  {{.on = storage::FaultRule::Operation::Get, .key_part = "/log/", .after = 20}}, 1);
    const ArchiveReader reader(broken);
    const RestoredServer restored;
    const auto begin = std::chrono::steady_clock::now();
    const std::string message = messageOf([&] { replayAll(reader, restored); });
    EXPECT_NE(message.find("/log/"), std::string::npos) << message;
    EXPECT_GT(broken.struck(), 0U);
    EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(30)) << "nobody retries for a day";
    EXPECT_TRUE(restored.connect().query("SHOW SLAVE STATUS").empty());
}

TEST(LogReplay, TellsWhichTransactionTheServerRefused) {
    storage::MemoryStorage storage;
    const SmallLog log(storage);
    const RestoredServer restored;
    restored.connect().script(
        "CREATE DATABASE d; CREATE TABLE d.t (a INT PRIMARY KEY, b TEXT); INSERT INTO d.t VALUES (20, 'in the way')");
    const ArchiveReader reader(storage);
    auto options = replayOptions(restored, GtidPosition::parse("1002-101-2"), reader.rounds().at(0).checkpoint_scn);
    const std::string message = messageOf([&] { replay(reader, options); });
    EXPECT_NE(message.find("1002-101-23"), std::string::npos) << message;
    EXPECT_NE(message.find("Duplicate entry"), std::string::npos) << message;
    EXPECT_NE(message.find("statement: INSERT INTO d.t VALUES (20"), std::string::npos) << message;
    EXPECT_TRUE(restored.connect().query("SHOW SLAVE STATUS").empty());
}

TEST(LogReplay, TellsWhereALogEndsThatCannotBeReplayed) {
    storage::MemoryStorage storage;
    ArchivedServer source(storage);
    source.startArchiver();
    auto client = source.server.connect();
    client.script("CREATE DATABASE d; CREATE TABLE d.t (a INT); INSERT INTO d.t VALUES (1)");
    client.query("CREATE USER u@localhost IDENTIFIED BY 'se\\'cret word' /* " + std::string(3000, 'x') + " */");
    client.query("INSERT INTO d.t VALUES (2)");
    source.awaitArchived();
    source.stopArchiver();
    const ArchiveReader reader(storage);
    Scn refused = 0;
    reader.transactions(0, kScnUnlimited, [&](const auto& entry) {
        if (entry.gtid.sequence == 4) refused = entry.scn;
        return true;
    });
    const RestoredServer restored;
    restored.connect().query("CREATE USER u@localhost");  // in the way
    const auto& round = reader.rounds().at(0);
    try {
        replay(reader, replayOptions(restored, round.start.position, round.checkpoint_scn));
        FAIL() << "replayed";
    } catch (const Error& error) {
        const std::string message = error.what(), all = message + error.hint();
        EXPECT_NE(message.find("1002-101-4 (SCN " + std::to_string(refused) + ")"), std::string::npos) << message;
        EXPECT_NE(message.find("Operation CREATE USER failed"), std::string::npos) << message;
        EXPECT_NE(message.find("CREATE USER u@localhost IDENTIFIED BY '***'"), std::string::npos) << message;
        EXPECT_EQ(all.find("cret"), std::string::npos) << all;
        EXPECT_LT(all.size(), 2000U) << all;
        EXPECT_NE(error.hint().find("UNTIL SCN = " + std::to_string(refused - 1)), std::string::npos) << error.hint();
        const auto at = error.hint().find("UNTIL TIME = '");
        ASSERT_NE(at, std::string::npos) << error.hint();
        const Scn time = static_cast<Scn>(parseTimestamp(error.hint().substr(at + 14, 26)));
        EXPECT_EQ(time, (refused - 1) / 1000 * 1000);
    }
    const MariadbServer another({"--skip-log-bin", "--server-id=202"});
    EXPECT_EQ(messageOf([&] { replay(reader, replayOptions(another, round.start.position, refused - 1)); }),
              "no error");
    EXPECT_EQ(another.connect().scalar("SELECT COUNT(*) FROM d.t"), "1");
}

TEST(LogReplay, SeesThatTransactionsWereDropped) {
    storage::MemoryStorage storage;
    const SmallLog log(storage);
    const ArchiveReader reader(storage);
    // The archived events carry the id 101: a replica with that id drops them silently.
    const MariadbServer same_id({"--skip-log-bin"});
    const std::string message = messageOf([&] { replayAll(reader, same_id); });
    EXPECT_NE(message.find("instead of 1002-101-42"), std::string::npos) << message;
}

TEST(LogReplay, EndsWhenTheServerDiesAndWhenItIsCancelled) {
    storage::MemoryStorage storage;
    const SmallLog log(storage);
    const ArchiveReader reader(storage);
    // Reading the archive takes its time, so that the replay is under way when it is hit.
    storage::FaultyStorage slow(storage,
                                {{.on = storage::FaultRule::Operation::Get,
                                  .effect = storage::FaultRule::Effect::Delay,
                                  .key_part = "/log/",
                                  .after = 20,
                                  .delay = std::chrono::milliseconds(60)}},
                                1);
    const ArchiveReader slow_reader(slow);
    RestoredServer restored;
    const auto& round = slow_reader.rounds().at(0);
    std::stop_source stop;
    const auto replay_until = [&](const std::function<void()>& hit) {
        return LogReplay(slow_reader, replayOptions(restored, round.start.position, round.checkpoint_scn))
            .run(stop.get_token(), [&, done = false](const ReplayProgress& progress) mutable {
                if (progress.transactions > 0 && !std::exchange(done, true)) hit();
            });
    };
    try {
        replay_until([&] { stop.request_stop(); });
        ADD_FAILURE() << "not cancelled";
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), ErrorCode::Cancelled) << error.what();
    }
    stop = {};
    restored.connect().script("DROP DATABASE IF EXISTS d");
    try {
        replay_until([&] { restored.kill(); });
        ADD_FAILURE() << "the death of the server was not seen";
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), ErrorCode::Unavailable) << error.what();
    }
}

TEST(LogReplay, RefusesWhatTheArchiveDoesNotReach) {
    storage::MemoryStorage storage;
    const SmallLog log(storage);
    const ArchiveReader reader(storage);
    const auto& round = reader.rounds().at(0);
    const RestoredServer restored;
    const auto attempt = [&](const char* start, Scn target) {
        return messageOf([&] { replay(reader, replayOptions(restored, GtidPosition::parse(start), target)); });
    };
    EXPECT_NE(attempt("", round.start.scn - 1).find("does not reach SCN"), std::string::npos);
    EXPECT_NE(attempt("", round.checkpoint_scn + 1).find("does not reach SCN"), std::string::npos);
    EXPECT_NE(attempt("1002-101-30", round.start.scn + 1).find("later than SCN"), std::string::npos);
    EXPECT_EQ(attempt("1002-101-42,5-5-5", round.checkpoint_scn),
              "no error");  // nothing to do, and a domain of the past
    EXPECT_EQ(restored.connect().scalar("SELECT @@gtid_slave_pos"), "5-5-5,1002-101-42");
}

}  // namespace
}  // namespace tidemark::restore
