#include "restore/log_replay.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <mutex>
#include <random>
#include <set>
#include <thread>

#include "base/file.h"
#include "restore/log_replay_fixture.h"
#include "storage/faulty_storage.h"
#include "storage/file_storage.h"
#include "storage/memory_storage.h"

namespace tidemark::restore {
namespace {

// What a server writes in all the ways that are not a plain row transaction.
void doEverythingUnusual(MariadbServer& server) {
    auto client = server.connect();
    client.script(
        "CREATE DATABASE odd; USE odd; CREATE TABLE t (id INT PRIMARY KEY AUTO_INCREMENT, v VARCHAR(100)) "
        "ENGINE=InnoDB;"
        "CREATE TABLE m (id INT PRIMARY KEY AUTO_INCREMENT, v VARCHAR(100)) ENGINE=MyISAM;"
        "CREATE TABLE a (id INT PRIMARY KEY, v VARCHAR(100)) ENGINE=Aria;"
        "INSERT INTO t (v) VALUES ('one'),('two'),('three'); INSERT INTO m (v) VALUES ('one'),('two');"
        "INSERT INTO a VALUES (1,'one'); UPDATE m SET v='zwei' WHERE id=2;"
        "BEGIN; INSERT INTO t (v) VALUES ('kept'); SAVEPOINT s; INSERT INTO t (v) VALUES ('undone'); ROLLBACK TO s;"
        "INSERT INTO t (v) VALUES ('after'); COMMIT;"
        "BEGIN; INSERT INTO t (v) VALUES ('mixed'); INSERT INTO m (v) VALUES ('mixed'); ROLLBACK;"
        "CREATE TABLE c AS SELECT id, v FROM t; CREATE OR REPLACE TABLE c2 ENGINE=MyISAM SELECT * FROM m;");
    client.script(
        "XA START 'x1'; INSERT INTO t (v) VALUES ('xa one'); XA END 'x1'; XA PREPARE 'x1'; XA COMMIT 'x1';"
        "XA START 'x2'; INSERT INTO t (v) VALUES ('xa two'); XA END 'x2'; XA PREPARE 'x2'; XA ROLLBACK 'x2';"
        "XA START 'x3'; INSERT INTO t (v) VALUES ('xa three'); XA END 'x3'; XA COMMIT 'x3' ONE PHASE");
    client.script(
        "SET SESSION binlog_format=STATEMENT; CREATE TEMPORARY TABLE tmp (v INT); INSERT INTO tmp VALUES (5),(6);"
        "SET @u='user variable'; INSERT INTO t (v) VALUES (@u); INSERT INTO t (v) VALUES (NOW(6)); INSERT INTO t (v) "
        "VALUES (RAND());"
        "INSERT INTO t (v) SELECT v FROM tmp; UPDATE t SET v=CONCAT(v,'!') WHERE id % 2 = 0; DROP TEMPORARY TABLE tmp;"
        "INSERT INTO m (v) VALUES (LAST_INSERT_ID()); SET SESSION binlog_format=ROW;"
        "CREATE TEMPORARY TABLE tmp2 (v INT); INSERT INTO tmp2 VALUES (7); INSERT INTO t (v) SELECT v FROM tmp2; DROP "
        "TABLE tmp2");
    const auto file = server.dataDirectory() / "load.txt";
    std::string lines;
    for (int i = 0; i < 3000; ++i)
        lines += std::to_string(100000 + i) + "\tline " + std::to_string(i) + "\n";
    replaceFile(file, lines, 0644);
    client.query("LOAD DATA INFILE ? INTO TABLE odd.t", {file.string()});
    client.script("SET SESSION binlog_format=STATEMENT; CREATE TABLE odd.loaded LIKE odd.t");
    client.query("LOAD DATA INFILE ? INTO TABLE odd.loaded", {file.string()});
    client.script(
        "CREATE PROCEDURE odd.p() BEGIN INSERT INTO odd.t (v) VALUES ('by procedure'); DELETE FROM odd.m WHERE id=1; "
        "END;");
    client.script(
        "SET SESSION binlog_format=ROW; CALL odd.p(); CREATE TRIGGER odd.tr AFTER INSERT ON odd.a FOR EACH ROW INSERT "
        "INTO odd.t (v) "
        "VALUES (NEW.v); INSERT INTO odd.a VALUES (2,'fires'); CREATE VIEW odd.vw AS SELECT * FROM odd.t;"
        "CREATE USER u@localhost IDENTIFIED BY 'x'; GRANT SELECT ON odd.* TO u@localhost;"
        "CREATE SEQUENCE odd.s; SELECT NEXTVAL(odd.s); ALTER TABLE odd.t ADD COLUMN w INT DEFAULT 3, ADD INDEX (v);"
        "CREATE TABLE odd.p1 (a INT) PARTITION BY HASH(a) PARTITIONS 3; INSERT INTO odd.p1 VALUES (1),(2),(3);"
        "ALTER TABLE odd.p1 TRUNCATE PARTITION p1; RENAME TABLE odd.c TO odd.renamed; TRUNCATE TABLE odd.c2; ANALYZE "
        "TABLE odd.t;"
        "FLUSH TABLES; OPTIMIZE TABLE odd.m; DROP TABLE IF EXISTS odd.never");
}

TEST(LogReplay, BringsBackEveryKindOfTransaction) {
    storage::MemoryStorage storage;
    ArchivedServer source(storage, {"--max-allowed-packet=128M"});
    source.startArchiver();
    doEverythingUnusual(source.server);
    auto client = source.server.connect();
    client.script("CREATE TABLE odd.big (id INT PRIMARY KEY, b LONGBLOB); SET SESSION binlog_format=ROW");
    client.query("INSERT INTO odd.big VALUES (1, REPEAT('0123456789abcdef', 2500000))");  // an event of 40 MB
    // A row event whose packets are filled to the last byte, and its neighbours.
    for (int size = (1 << 24) - 80; size < (1 << 24) - 20; size += 1 + size % 13) {
        client.query("REPLACE INTO odd.big VALUES (2, REPEAT('x', ?))", {std::int64_t{size}});
    }
    client.query("FLUSH BINARY LOGS");
    client.query("INSERT INTO odd.a VALUES (3,'in another file')");
    source.awaitArchived();
    source.stopArchiver();

    const ArchiveReader reader(storage);
    for (const unsigned threads : {0U, 4U}) {
        const RestoredServer restored;
        const auto target = replayAll(reader, restored, threads);
        EXPECT_EQ(target.position, source.position());
        EXPECT_EQ(checksums(restored), checksums(source.server)) << threads << " threads";
        EXPECT_EQ(restored.connect().scalar("SELECT COUNT(*) FROM mysql.user WHERE User='u'"), "1");
    }
}

/// Writers that go on over lost connections until they are told to stop.
class Writers {
public:
    using Step = std::function<void(mysql::SqlClient&, std::mt19937_64&, int)>;
    void add(const MariadbServer& server, std::uint64_t seed, const Step& step) {
        threads_.emplace_back([&server, seed, step](std::stop_token stop) {
            std::mt19937_64 random(seed);
            std::optional<mysql::SqlClient> client;
            for (int i = 0; !stop.stop_requested(); ++i) {
                try {
                    if (!client) client.emplace(server.endpoint());
                    step(*client, random, i);
                } catch (const Error& error) {
                    if (error.code() == ErrorCode::Unavailable) client.reset();
                    std::this_thread::yield();
                }
            }
        });
    }
    void stop() { threads_.clear(); }

private:
    std::vector<std::jthread> threads_;
};

void addRowWriters(Writers& writers, const MariadbServer& server, std::uint64_t seed, int count) {
    for (int w = 0; w < count; ++w) {
        writers.add(server, seed + static_cast<std::uint64_t>(w), [w](auto& client, auto& random, int i) {
            client.query("REPLACE INTO w.rows VALUES (?, ?, REPEAT('y', ?))",
                         {std::int64_t{w * 1000 + static_cast<int>(random() % 500)}, std::int64_t{i},
                          std::int64_t{static_cast<int>(random() % 3000)}});
            if (i % 5 == 0)
                client.query("DELETE FROM w.rows WHERE id=?",
                             {std::int64_t{w * 1000 + static_cast<int>(random() % 500)}});
        });
    }
}

void addOtherWriters(Writers& writers, const MariadbServer& server, std::uint64_t seed) {
    writers.add(server, seed + 10, [](auto& client, auto&, int i) {
        client.query("INSERT INTO w.isam VALUES (?)", {std::int64_t{i}});
        if (i % 3 == 0) client.query("UPDATE w.isam SET id=id+1 ORDER BY id DESC LIMIT 2");
    });
    writers.add(server, seed + 11, [](auto& client, auto&, int i) {
        const std::string name = "w.d" + std::to_string(i % 7);
        client.script("CREATE TABLE IF NOT EXISTS " + name + " (a INT, b INT); INSERT INTO " + name +
                      " VALUES (1,2),(3,4); ALTER TABLE " + name + " ADD c INT DEFAULT 5; RENAME TABLE " + name +
                      " TO " + name + "x; TRUNCATE TABLE " + name + "x; INSERT INTO " + name + "x VALUES (7,8,9)" +
                      (i % 2 == 0 ? "; DROP TABLE " + name + "x" : ""));
        if (i % 2 == 1) client.query("DROP TABLE " + name + "x");
    });
    writers.add(server, seed + 12, [](auto& client, auto& random, int) {
        if (random() % 10 == 0) client.query("FLUSH BINARY LOGS");
        client.query("REPLACE INTO w.big VALUES (?, REPEAT(CHAR(?), ?))",
                     {std::int64_t{static_cast<int>(random() % 3)}, std::int64_t{65 + static_cast<int>(random() % 26)},
                      std::int64_t{static_cast<int>(random() % (20 << 20))}});
    });
}

TEST(LogReplay, LosesNothingAndAddsNothingWhateverDiesOnTheWay) {
    const std::uint64_t seed = newSeed();
    std::mt19937_64 random(seed);
    const testing::TemporaryDirectory directory;
    storage::FileStorage storage(directory.path());
    ArchivedServer source(storage, {"--max-allowed-packet=128M"});
    source.options.round.piece_interval = 2 * kSecond;  // so that pieces change on the way, too
    source.startArchiver();
    source.server.connect().script(
        "CREATE DATABASE w; CREATE TABLE w.rows (id INT PRIMARY KEY, n INT, v TEXT) ENGINE=InnoDB;"
        "CREATE TABLE w.isam (id INT, KEY(id)) ENGINE=MyISAM; CREATE TABLE w.big (id INT PRIMARY KEY, b LONGBLOB) "
        "ENGINE=InnoDB");
    for (int phase = 0; phase < 6; ++phase) {
        Writers writers;
        addRowWriters(writers, source.server, seed + static_cast<std::uint64_t>(phase) * 100, 3);
        // What is not crash-safe in the server itself would differ from its own binlog after a kill.
        const bool kill = phase % 2 == 1;
        if (!kill) addOtherWriters(writers, source.server, seed + static_cast<std::uint64_t>(phase) * 100);
        for (int restart = 0; restart < 3; ++restart) {
            std::this_thread::sleep_for(std::chrono::milliseconds(random() % 600));
            (random() % 2 == 0) ? source.crashArchiver() : source.abandonArchiver();
            if (kill && restart == 1) {
                source.server.kill();
                source.server.start();
            }
            source.options.known_checkpoint = source.listener.seen().progress.round.checkpoint_scn;
            source.startArchiver();
        }
        if (kill) {
            source.server.kill();  // under a running archiver
            source.server.start();
        }
    }
    source.awaitArchived();
    source.stopArchiver();

    const ArchiveReader reader(storage);
    EXPECT_GT(reader.rounds().at(0).pieces.size(), 2U);
    EXPECT_TRUE(reader.rounds().at(0).gaps.empty());
    const RestoredServer restored;
    EXPECT_EQ(replayAll(reader, restored, 2).position, source.position());
    EXPECT_EQ(checksums(restored), checksums(source.server));
}

std::vector<Scn> scnsIn(const ArchiveReader& reader) {
    std::vector<Scn> scns;
    reader.transactions(0, kScnUnlimited, [&](const auto& entry) {
        scns.push_back(entry.scn);
        return true;
    });
    return scns;
}

/// A table with one row per transaction, by several writers that note what they were told.
class Ledger {
public:
    explicit Ledger(const MariadbServer& server) {
        server.connect().script(
            "CREATE DATABASE l; CREATE TABLE l.ledger (writer INT, n INT, PRIMARY KEY (writer, n)) ENGINE=InnoDB");
        for (int w = 0; w < 3; ++w) {
            threads_.emplace_back([this, &server, w](std::stop_token stop) {
                auto client = server.connect();
                for (int n = 0; !stop.stop_requested(); ++n) {
                    client.query("INSERT INTO l.ledger VALUES (?, ?)", {std::int64_t{w}, std::int64_t{n}});
                    const auto gtid = mysql::Gtid::parse(client.scalar("SELECT @@last_gtid").value());
                    const std::lock_guard lock(mutex_);
                    rows_[gtid] = std::to_string(w) + "/" + std::to_string(n);
                }
            });
        }
    }
    std::size_t size() {
        const std::lock_guard lock(mutex_);
        return rows_.size();
    }
    void stop() { threads_.clear(); }

    /// The rows whose transactions have, by the archive, an SCN up to `scn`.
    std::set<std::string> expectedAt(const ArchiveReader& reader, Scn scn) const {
        std::set<std::string> expected;
        reader.transactions(0, scn, [&](const archive::TransactionEntry& entry) {
            const auto row = rows_.find(entry.gtid);
            if (row != rows_.end()) expected.insert(row->second);
            return true;
        });
        return expected;
    }
    static std::set<std::string> rowsIn(const MariadbServer& server) {
        std::set<std::string> rows;
        auto client = server.connect();
        if (client.query("SHOW DATABASES LIKE 'l'").empty() || client.query("SHOW TABLES IN l").empty()) return rows;
        for (const auto& row : client.query("SELECT CONCAT(writer, '/', n) FROM l.ledger").rows)
            rows.insert(row.text(0));
        return rows;
    }

private:
    std::mutex mutex_;
    std::map<mysql::Gtid, std::string> rows_;
    std::vector<std::jthread> threads_;
};

TEST(LogReplay, StopsAtAnyScnExactly) {
    const std::uint64_t seed = newSeed();
    std::mt19937_64 random(seed);
    storage::MemoryStorage storage;
    ArchivedServer source(storage);
    source.startArchiver();
    Ledger ledger(source.server);
    while (ledger.size() < 3000)
        std::this_thread::yield();
    source.crashArchiver();  // what was written meanwhile gets approximate SCNs
    while (ledger.size() < 4000)
        std::this_thread::yield();
    source.startArchiver();
    while (ledger.size() < 6000)
        std::this_thread::yield();
    ledger.stop();
    source.awaitArchived();
    source.stopArchiver();

    const ArchiveReader reader(storage);
    const auto& round = reader.rounds().at(0);
    const auto scns = scnsIn(reader);
    std::set<Scn> targets{round.start.scn, round.checkpoint_scn};
    for (int i = 0; i < 5; ++i)
        targets.insert(scns[random() % scns.size()]);  // exactly at a transaction
    for (int i = 0; i < 5; ++i)
        targets.insert(round.start.scn + random() % (round.checkpoint_scn - round.start.scn));
    const RestoredServer restored;
    GtidPosition at = round.start.position;
    std::size_t step = 0;
    for (const Scn target : targets) {
        auto options = replayOptions(restored, at, target);
        options.parallel_threads = step++ % 2 == 0 ? 0 : 4;
        at = replay(reader, options).position;
        const auto rows = Ledger::rowsIn(restored);
        EXPECT_EQ(rows, ledger.expectedAt(reader, target)) << "at " << target;
        EXPECT_EQ(restored.connect().scalar("SELECT @@gtid_slave_pos"), at.text());
        EXPECT_EQ(reader.scnOf(round.start.key, at)->scn, reader.positionAt(target)->scn);
    }
    EXPECT_GT(ledger.expectedAt(reader, round.checkpoint_scn).size(), 5999U);
}

std::uintmax_t relayLogBytes(const MariadbServer& server) {
    std::uintmax_t bytes = 0;
    for (const auto& entry : std::filesystem::directory_iterator(server.dataDirectory())) {
        std::error_code gone;
        const auto size = entry.file_size(gone);
        if (!gone && entry.path().filename().string().starts_with("relay.")) bytes += size;
    }
    return bytes;
}

/// Whether the replica stops taking log before a limit of time is over.
bool comesToWaitForRoom(const MariadbServer& server) {
    auto watcher = server.connect();
    const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (std::chrono::steady_clock::now() < limit) {
        const auto status = watcher.query("SHOW SLAVE STATUS");
        if (!status.empty() && status.rows[0].text("Slave_IO_State").find("free enough relay log") != std::string::npos)
            return true;
        // A pause between two looks at a state that the server tells nobody of.
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    return false;
}

/// The log arrives faster than it is applied: what waits must not fill the disk that all tenants share. Nor may the
/// limit stop a replay, though a transaction be larger than it.
TEST(LogReplay, KeepsTheRelayLogWithinItsLimit) {
    storage::MemoryStorage storage;
    ArchivedServer source(storage);
    source.startArchiver();
    auto client = source.server.connect();
    client.script("CREATE DATABASE d; CREATE TABLE d.t (a INT PRIMARY KEY, b LONGBLOB)");
    for (int i = 0; i < 40; ++i)
        client.query("INSERT INTO d.t VALUES (?, REPEAT('x', 1000000))", {std::int64_t{i}});
    client.query("INSERT INTO d.t VALUES (100, REPEAT('x', 12000000))");
    source.awaitArchived();
    source.stopArchiver();
    const ArchiveReader reader(storage);
    const auto& round = reader.rounds().at(0);
    const auto scns = scnsIn(reader);

    const RestoredServer restored(
        {"--relay-log=relay", "--relay-log-space-limit=4194304", "--max-relay-log-size=1048576"});
    auto options = replayOptions(restored, round.start.position, scns.at(1));
    options.start = replay(reader, options).position;
    options.target = round.checkpoint_scn;
    auto holder = restored.connect();
    holder.query("LOCK TABLES d.t READ");
    ArchiveReader::Target reached;
    std::jthread replaying([&] { reached = replay(reader, options); });
    EXPECT_TRUE(comesToWaitForRoom(restored));
    EXPECT_LT(relayLogBytes(restored), 8U << 20);
    holder.query("UNLOCK TABLES");
    replaying.join();
    EXPECT_EQ(reached.position, source.position());
    EXPECT_EQ(checksums(restored), checksums(source.server));
}

TEST(LogReplay, KeepsTheOrderOfSeveralDomains) {
    storage::MemoryStorage storage;
    ArchivedServer source(storage);
    source.startArchiver();
    auto client = source.server.connect();
    client.script("CREATE DATABASE d; CREATE TABLE d.t (a INT PRIMARY KEY, b INT)");
    for (int i = 0; i < 300; ++i) {
        client.query("SET SESSION gtid_domain_id=?", {std::int64_t{2000 + i % 3}});
        // Each depends on the one before it, which is in another domain.
        client.query(
            i == 0 ? "INSERT INTO d.t VALUES (0, 0)" : "INSERT INTO d.t SELECT a + 1, b + 1 FROM d.t WHERE a=?",
            i == 0 ? std::vector<mysql::Value>{} : std::vector<mysql::Value>{std::int64_t{i - 1}});
        client.query("UPDATE d.t SET b=b+1 WHERE a=?", {std::int64_t{i}});
    }
    source.awaitArchived();
    source.stopArchiver();
    const ArchiveReader reader(storage);
    const auto scns = scnsIn(reader);
    ASSERT_EQ(scns.size(), 602U);
    const RestoredServer restored;
    const auto start = reader.rounds().at(0).start.position;
    auto options = replayOptions(restored, start, scns[301]);  // 2 of the schema, then 300: the row 149 with its update
    options.parallel_threads = 4;
    const auto middle = replay(reader, options);
    EXPECT_EQ(middle.position.domains().size(), 4U);
    EXPECT_EQ(restored.connect().scalar("SELECT COUNT(*) FROM d.t"), "150");
    options.start = middle.position;
    options.target = reader.rounds().at(0).checkpoint_scn;
    EXPECT_EQ(replay(reader, options).position, source.position());
    EXPECT_EQ(checksums(restored), checksums(source.server));
}

}  // namespace
}  // namespace tidemark::restore
