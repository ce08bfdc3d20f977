#include "archive/archiver.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>

#include "archive/archive_reader.h"
#include "base/error.h"
#include "mysql/dump_client.h"
#include "storage/faulty_storage.h"
#include "storage/file_storage.h"
#include "storage/memory_storage.h"
#include "testing/archived_server.h"

namespace tidemark::archive {
namespace {

using storage::FaultRule;
using testing::ArchivedServer;
using Seen = testing::RecordingListener::Seen;

void writeSome(const testing::MariadbServer& server, int rows) {
    auto client = server.connect();
    if (client.query("SHOW DATABASES LIKE 'd'").empty()) {
        client.script("CREATE DATABASE d; CREATE TABLE d.t (a INT PRIMARY KEY AUTO_INCREMENT, b TEXT)");
    }
    for (int i = 0; i < rows; ++i)
        client.query("INSERT INTO d.t (b) VALUES ('x')");
}

/// The archive has every transaction of the server's binlog, once and in order.
void expectComplete(storage::Storage& storage, const ArchivedServer& source) {
    std::uint64_t expected = 0;
    ArchiveReader(storage).transactions(0, kScnUnlimited, [&](const TransactionEntry& entry) {
        EXPECT_EQ(entry.gtid.sequence, ++expected);
        return true;
    });
    EXPECT_EQ(expected, source.position().domains().at(1002).sequence);
}

TEST(Archiver, ChecksPointsOfAnIdleTenant) {
    storage::MemoryStorage storage;
    ArchivedServer source(storage);
    source.startArchiver();
    writeSome(source.server, 3);
    source.awaitArchived();
    const auto client_done = static_cast<Scn>(SystemClock().now());
    source.listener.await("the checkpoint to pass",
                          [&](const Seen& seen) { return seen.progress.round.checkpoint_scn > client_done; });
    const auto state = ArchiveReader(storage).rounds().at(0);
    EXPECT_GT(state.checkpoint_scn, client_done);
    EXPECT_LT(state.pieces.at(0).max_scn, client_done);
    EXPECT_EQ(source.listener.seen().progress.purge_before, "bin.000001");
    source.server.connect().script("FLUSH BINARY LOGS; INSERT INTO d.t (b) VALUES ('in the next file')");
    source.listener.await("the first file to be archived",
                          [](const Seen& seen) { return seen.progress.purge_before == "bin.000002"; });
    // Nothing of ours is in the tenant's log.
    expectComplete(storage, source);
    EXPECT_EQ(source.position().text(), "1002-101-6");
}

TEST(Archiver, KeepsTimeOfArrivalAndMarksWhatItCaughtUp) {
    storage::MemoryStorage storage;
    ArchivedServer source(storage);
    source.startArchiver();
    writeSome(source.server, 2);
    source.awaitArchived();
    source.crashArchiver();
    writeSome(source.server, 2);
    source.startArchiver();
    source.awaitArchived();
    const auto sent = static_cast<Scn>(SystemClock().now());
    writeSome(source.server, 1);
    const auto answered = static_cast<Scn>(SystemClock().now());
    source.awaitArchived();
    std::vector<TransactionEntry> entries;
    ArchiveReader(storage).transactions(0, kScnUnlimited, [&](const TransactionEntry& entry) {
        entries.push_back(entry);
        return true;
    });
    ASSERT_EQ(entries.size(), 2U + 2 + 2 + 1);
    const auto approximate = [&](std::size_t i) { return (entries.at(i).flags & TransactionEntry::kApproximate) != 0; };
    EXPECT_FALSE(approximate(3));
    EXPECT_TRUE(approximate(4) && approximate(5));
    EXPECT_FALSE(approximate(6));
    EXPECT_GT(entries.at(6).scn, sent);
    EXPECT_LT(entries.at(6).scn, answered + static_cast<Scn>(kSecond));
    EXPECT_EQ(entries.at(1).database, "");
    EXPECT_TRUE(entries.at(1).statement.starts_with("CREATE TABLE d.t")) << entries.at(1).statement;
}

TEST(Archiver, IsInterruptedWhenTheBinlogItNeedsIsGone) {
    storage::MemoryStorage storage;
    ArchivedServer source(storage);
    source.startArchiver();
    writeSome(source.server, 3);
    source.awaitArchived();
    source.abandonArchiver();
    writeSome(source.server, 3);
    auto client = source.server.connect();
    client.query("FLUSH BINARY LOGS");
    // Not before the server has noticed that the archiver's connection is gone.
    while (client.query("SHOW BINARY LOGS").rows.size() > 1)
        client.query("PURGE BINARY LOGS TO 'bin.000002'");
    source.startArchiver();
    const auto seen = source.listener.await("the interruption", [](const Seen& s) { return !s.interruption.empty(); });
    EXPECT_NE(seen.interruption.find("reading the binlog"), std::string::npos) << seen.interruption;
    EXPECT_FALSE(ArchiveReader(storage).rounds().at(0).end);
    source.stopArchiver();
    EXPECT_EQ(ArchiveReader(storage).rounds().at(0).end->reason, seen.interruption);
}

TEST(Archiver, IsInterruptedWhenTheBinlogBeginsAnew) {
    storage::MemoryStorage storage;
    ArchivedServer source(storage);
    source.startArchiver();
    writeSome(source.server, 5);
    source.awaitArchived();
    source.abandonArchiver();
    source.server.connect().query("RESET MASTER");
    source.startArchiver();
    const auto seen = source.listener.await("the interruption", [](const Seen& s) { return !s.interruption.empty(); });
    EXPECT_NE(seen.interruption.find("it was reset, or lost transactions"), std::string::npos) << seen.interruption;
}

TEST(Archiver, WaitsForATenantThatIsDown) {
    storage::MemoryStorage storage;
    ArchivedServer source(storage);
    source.startArchiver();
    writeSome(source.server, 5);
    source.server.kill();  // what had arrived by now is flushed, the rest comes later
    source.listener.await("the trouble", [](const Seen& seen) { return !seen.trouble.empty(); });
    source.server.start();
    source.listener.await("the recovery", [](const Seen& seen) { return seen.trouble.empty(); });
    writeSome(source.server, 5);
    source.awaitArchived();
    expectComplete(storage, source);
}

TEST(Archiver, NamesABinlogToPurgeOrNone) {
    storage::MemoryStorage storage;
    ArchivedServer source(storage);
    source.startArchiver();
    writeSome(source.server, 1);
    source.listener.await("a file's name", [](const Seen& seen) { return seen.progress.purge_before == "bin.000001"; });
    // The first report of the next connection is made before its stream has named a file.
    const int named = source.listener.seen().unnamed;
    source.server.kill();
    source.listener.await("the trouble", [](const Seen& seen) { return !seen.trouble.empty(); });
    source.server.start();
    source.listener.await("the recovery", [](const Seen& seen) { return seen.recoveries > 0; });
    source.listener.await("a file's name", [](const Seen& seen) { return seen.progress.purge_before == "bin.000002"; });
    EXPECT_EQ(source.listener.seen().unnamed, named) << "PURGE BINARY LOGS TO ''";
}

TEST(Archiver, WaitsForADestinationThatFails) {
    for (const auto error : {ErrorCode::NoSpace, ErrorCode::Denied, ErrorCode::Unavailable}) {
        storage::MemoryStorage inner;
        storage::FaultyStorage storage(
            inner, {{.on = FaultRule::Operation::Finish, .key_part = "/log/", .after = 2, .times = 2, .error = error}},
            1);
        ArchivedServer source(storage);
        source.startArchiver();
        for (int i = 0; i < 6; ++i) {
            writeSome(source.server, 2);
            source.awaitArchived();
        }
        const auto seen = source.listener.seen();
        EXPECT_EQ(seen.recoveries, 1);
        EXPECT_TRUE(seen.interruption.empty()) << seen.interruption;
        EXPECT_EQ(storage.struck(), 2U);
        source.stopArchiver();
        expectComplete(inner, source);
    }
}

/// A destination that can be exchanged for an empty directory, as when its file system is unmounted, and back.
class MountPoint {
public:
    MountPoint() {
        std::filesystem::create_directory(root());
        std::filesystem::create_directory(other());
    }
    std::filesystem::path root() const { return directory_.path() / "archive"; }
    void exchange() const {
        ASSERT_EQ(renameat2(AT_FDCWD, root().c_str(), AT_FDCWD, other().c_str(), RENAME_EXCHANGE), 0);
    }

private:
    std::filesystem::path other() const { return directory_.path() / "other"; }
    const testing::TemporaryDirectory directory_;
};

TEST(Archiver, DoesNotTakeTheDirectoryBeneathAnUnmountedDestinationForIt) {
    const MountPoint mount;
    storage::FileStorage storage(mount.root());
    ArchivedServer source(storage);
    source.startArchiver();
    writeSome(source.server, 3);
    source.awaitArchived();
    const auto durable = source.listener.seen().progress.round.checkpoint_scn;
    mount.exchange();
    writeSome(source.server, 3);
    const auto seen = source.listener.await("the trouble", [](const Seen& now) { return !now.trouble.empty(); });
    EXPECT_EQ(seen.progress.round.checkpoint_scn, durable) << "what went into the wrong directory is not archived";
    mount.exchange();
    source.listener.await("the recovery", [](const Seen& now) { return now.trouble.empty(); });
    source.awaitArchived();
    expectComplete(storage, source);
}

/// At a shutdown of the machine the mount may go first.
TEST(Archiver, DoesNotReportWhatItsEndWroteBeneathAnUnmountedDestination) {
    const MountPoint mount;
    storage::FileStorage storage(mount.root());
    ArchivedServer source(storage);
    source.options.lag_target = std::chrono::hours(1);
    source.startArchiver();
    source.listener.await("the beginning", [](const Seen& seen) { return seen.progress.round.checkpoint_scn != 0; });
    mount.exchange();
    writeSome(source.server, 3000);
    source.abandonArchiver();
    EXPECT_FALSE(storage.list("piece").empty()) << "nothing was pending: the test shows nothing";
    mount.exchange();
    source.options.known_checkpoint = source.listener.seen().progress.round.checkpoint_scn;
    source.options.lag_target = std::chrono::milliseconds(10);
    source.startArchiver();
    source.awaitArchived();
    expectComplete(storage, source);
}

TEST(Archiver, DoesNotMistakeAMissingMountForANewDestination) {
    const testing::TemporaryDirectory directory;
    const auto root = directory.path() / "archive";
    std::filesystem::create_directory(root);
    storage::FileStorage storage(root);
    ArchivedServer source(storage);
    source.startArchiver();
    writeSome(source.server, 3);
    source.awaitArchived();
    std::filesystem::rename(root, directory.path() / "away");
    writeSome(source.server, 3);
    source.listener.await("the trouble", [](const Seen& seen) { return !seen.trouble.empty(); });
    // An empty directory is there, as below an unmounted mount point.
    std::filesystem::create_directory(root);
    source.listener.await(
        "doubt", [](const Seen& seen) { return seen.trouble.find("has no round_d1001r1") != std::string::npos; });
    EXPECT_TRUE(std::filesystem::is_empty(root));
    std::filesystem::remove(root);
    std::filesystem::rename(directory.path() / "away", root);
    source.listener.await("the recovery", [](const Seen& seen) { return seen.trouble.empty(); });
    source.awaitArchived();
    expectComplete(storage, source);
}

/// The clock was ahead and is set right: what is committed now must not get the times of then.
TEST(Archiver, WaitsWhileTheClockIsBehindItsScns) {
    for (const Nanos ahead_by : {3600 * kSecond, 100 * kSecond}) {
        storage::MemoryStorage storage;
        ArchivedServer source(storage);
        source.clock.shift = ahead_by;
        source.startArchiver();
        writeSome(source.server, 3);
        source.awaitArchived();
        const auto ahead = source.listener.seen().progress.round.checkpoint_scn;
        source.clock.shift = 0;
        writeSome(source.server, 3);
        const auto seen = source.listener.await("the trouble", [](const Seen& now) { return !now.trouble.empty(); });
        EXPECT_NE(seen.trouble.find("behind the last SCN"), std::string::npos) << seen.trouble;
        EXPECT_EQ(ArchiveReader(storage).rounds().at(0).checkpoint_scn, ahead);
        source.clock.shift = ahead_by;
        source.listener.await("the recovery", [](const Seen& now) { return now.trouble.empty(); });
        source.awaitArchived();
        expectComplete(storage, source);
    }
}

/// While the archiver is away, each of these is what a session says of the time; the year 2038 is the last that it can.
TEST(Archiver, GivesNoScnAboveTheClockWhateverASessionSaysOfTheTime) {
    for (const std::string told : {"UNIX_TIMESTAMP() + 240", "2147483647", "1"}) {
        storage::MemoryStorage storage;
        ArchivedServer source(storage);
        source.startArchiver();
        writeSome(source.server, 2);
        source.awaitArchived();
        source.crashArchiver();
        auto client = source.server.connect();
        client.query("SET timestamp = " + told);
        client.query("INSERT INTO d.t (b) VALUES ('told')");
        writeSome(source.server, 2);
        source.startArchiver();
        source.awaitArchived();
        client.query("INSERT INTO d.t (b) VALUES ('told while we listen')");
        writeSome(source.server, 2);
        source.awaitArchived();
        const auto now = static_cast<Scn>(SystemClock().now());
        source.listener.await("a checkpoint after all of it",
                              [&](const Seen& seen) { return seen.progress.round.checkpoint_scn > now; });
        const ArchiveReader reader(storage);
        EXPECT_LT(reader.rounds().at(0).checkpoint_scn, static_cast<Scn>(SystemClock().now())) << told;
        EXPECT_EQ(reader.rounds().at(0).pieces.size(), 1U) << told << ": no piece ends before its time";
        EXPECT_EQ(reader.positionAt(now)->position.text(), source.position().text()) << told;
        expectComplete(storage, source);
    }
}

/// What the times of statements that were caught up with rest on.
TEST(Archiver, CanTellByAStatementsDurationWhenItReallyEnded) {
    const testing::MariadbServer server({"--gtid-domain-id=1002"});
    auto client = server.connect();
    const auto before = static_cast<std::uint32_t>(SystemClock().now() / kSecond);
    for (const char* told : {"2147483647", "1", "DEFAULT"})
        client.script(std::string("SET timestamp = ") + told + "; CREATE DATABASE d; DROP DATABASE d");
    mysql::DumpClient dump(server.endpoint(), {.server_id = 901}, {});
    for (int statements = 0; statements < 6;) {
        const auto part = dump.next(std::chrono::steady_clock::now() + std::chrono::seconds(30));
        ASSERT_TRUE(part);
        if (part->header.type != mysql::EventType::Query) continue;
        const std::uint32_t ended = part->header.timestamp + mysql::queryDuration(part->bytes);
        EXPECT_GE(ended, before);
        EXPECT_LE(ended, static_cast<std::uint32_t>(SystemClock().now() / kSecond));
        ++statements;
    }
}

TEST(Archiver, StopsAtOnceWhateverTheTenantDoes) {
    for (const int where : {0, 1}) {
        storage::MemoryStorage storage;
        ArchivedServer source(storage);
        source.startArchiver();
        writeSome(source.server, 3);
        source.awaitArchived();
        if (where == 1) source.crashArchiver();
        kill(source.server.pid(), SIGSTOP);
        if (where == 1) {
            // It will hang in the login, which the stopped server does not answer.
            source.options.known_checkpoint = source.listener.seen().progress.round.checkpoint_scn;
            source.startArchiver();
        }
        const auto before = std::chrono::steady_clock::now();
        source.stopArchiver();
        EXPECT_LT(std::chrono::steady_clock::now() - before, mysql::Endpoint{}.connect_timeout / 2) << where;
        kill(source.server.pid(), SIGCONT);
        EXPECT_TRUE(ArchiveReader(storage).rounds().at(0).end);
        expectComplete(storage, source);
    }
}

TEST(Archiver, FlushesWhatHasArrivedWhenItIsToEnd) {
    storage::MemoryStorage storage;
    ArchivedServer source(storage);
    source.options.lag_target = std::chrono::hours(1);
    source.startArchiver();
    writeSome(source.server, 3);
    // Far below 8 MiB and an hour: nothing is written yet. One more connection, which the server answers in order.
    source.abandonArchiver();
    source.startArchiver();
    writeSome(source.server, 3000);
    source.stopArchiver();
    const auto round = ArchiveReader(storage).rounds().at(0);
    EXPECT_TRUE(round.end);
    std::uint64_t expected = 0;
    ArchiveReader(storage).transactions(0, kScnUnlimited, [&](const TransactionEntry& entry) {
        EXPECT_EQ(entry.gtid.sequence, ++expected);
        return true;
    });
    EXPECT_EQ(expected, round.position.domains().at(1002).sequence);
    EXPECT_GT(expected, 100U);
}

}  // namespace
}  // namespace tidemark::archive
