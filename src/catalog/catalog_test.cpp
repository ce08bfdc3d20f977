#include "catalog/catalog.h"

#include <gtest/gtest.h>

#include <atomic>
#include <csignal>
#include <future>
#include <mutex>
#include <random>
#include <thread>

#include "catalog/schema.h"
#include "catalog/sql_row.h"
#include "testing/mariadb_server.h"

namespace tidemark::catalog {
namespace {

using namespace std::chrono_literals;

class CatalogTest : public ::testing::Test {
protected:
    CatalogTest() { catalog_.migrate(); }

    std::int64_t events() {
        return catalog_.read([](mysql::SqlClient& client) {
            return std::stoll(client.scalar("SELECT COUNT(*) FROM tidemark.zone").value());
        });
    }

    void addZone(const std::string& name) {
        catalog_.write({{kSysTenantId, Topic::Cluster}}, [&](mysql::SqlClient& client) {
            insertRow(client, "zone", {{"name", name}, {"region", std::string("r")}, {"idc", std::string()}});
        });
    }

    testing::MariadbServer sys_;
    SystemClock clock_;
    Catalog catalog_{{.endpoint = sys_.endpoint()}, clock_};
};

TEST_F(CatalogTest, MigratesOnceAndIsThenLeftAlone) {
    addZone("zone1");
    catalog_.migrate();
    EXPECT_EQ(events(), 1);
    EXPECT_EQ(sys_.connect().scalar("SELECT MAX(version) FROM tidemark.schema_version"),
              std::to_string(schemaSteps().size()));
}

TEST_F(CatalogTest, ReadsARowInOneRoundTripAndWritesInTwoMore) {
    mysql::SqlClient observer = sys_.connect();
    const auto packets = [&] {
        return std::stoll(observer.query("SHOW GLOBAL STATUS LIKE 'Questions'").rows[0].text(1));
    };
    events();  // connected
    const auto before = packets();
    events();
    EXPECT_EQ(packets() - before, 2) << "one, and the observer's own";
    addZone("zone1");
    EXPECT_EQ(packets() - before, 2 + 5) << "START TRANSACTION, INSERT, the marker and COMMIT, and the observer's own";
}

/// The daemon's end joins threads that may be asking sys.
TEST_F(CatalogTest, ClosingEndsACallThatWaitsForTheAnswerOfASysThatHangs) {
    events();  // connected
    std::atomic<int> answers = 0;
    auto reading = std::async(std::launch::async, [&] {
        for (;; ++answers)
            events();
    });
    ::kill(sys_.pid(), SIGSTOP);
    for (int before = -1; before != answers; std::this_thread::sleep_for(300ms))
        before = answers;  // until it hangs
    catalog_.close();
    const bool ended = reading.wait_for(60s) == std::future_status::ready;
    ::kill(sys_.pid(), SIGCONT);
    EXPECT_TRUE(ended);
    EXPECT_THROW(reading.get(), Error);
}

TEST_F(CatalogTest, ReadRefusesWhatNeedsASnapshot) {
    const auto twice = [](mysql::SqlClient& client) {
        client.query("SELECT 1");
        client.query("SELECT 2");
    };
    EXPECT_THROW(catalog_.read(twice), Error);
    EXPECT_NO_THROW(catalog_.readSnapshot(twice));
}

TEST_F(CatalogTest, RunsAnInterruptedStepAgain) {
    sys_.connect().script("DELETE FROM tidemark.schema_version; DROP TABLE tidemark.restore_job_history");
    addZone("zone1");
    catalog_.migrate();
    EXPECT_EQ(events(), 1);
    EXPECT_EQ(sys_.connect().scalar("SELECT COUNT(*) FROM tidemark.restore_job_history"), "0");
}

TEST_F(CatalogTest, RefusesASchemaFromTheFuture) {
    sys_.connect().query("INSERT INTO tidemark.schema_version VALUES (1000)");
    try {
        catalog_.migrate();
        FAIL() << "no error";
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), ErrorCode::Conflict);
    }
}

TEST_F(CatalogTest, EveryTableHasAPrimaryKey) {
    EXPECT_EQ(sys_.connect().scalar(
                  "SELECT GROUP_CONCAT(table_name) FROM information_schema.tables t WHERE table_schema = 'tidemark' "
                  "AND NOT EXISTS (SELECT 1 FROM information_schema.statistics s WHERE s.table_schema = 'tidemark' "
                  "    AND s.table_name = t.table_name AND s.index_name = 'PRIMARY')"),
              std::nullopt);
}

TEST_F(CatalogTest, AFailingTransactionLeavesNothingBehind) {
    EXPECT_THROW(
        catalog_.write({{kSysTenantId, Topic::Cluster}},
                       [&](mysql::SqlClient& client) {
                           insertRow(client, "zone",
                                     {{"name", std::string("z")}, {"region", std::string()}, {"idc", std::string()}});
                           throw Error(ErrorCode::Conflict, "no");
                       }),
        Error);
    EXPECT_EQ(events(), 0);
    EXPECT_EQ(catalog_.changes().count(kSysTenantId), 0);
}

TEST_F(CatalogTest, RefusesACallInsideACall) {
    EXPECT_THROW(catalog_.write({}, [&](mysql::SqlClient&) { events(); }), Error);
    EXPECT_EQ(events(), 0);  // and is usable afterwards
}

TEST_F(CatalogTest, HandsOutNumbersWithoutDuplicatesToManyWriters) {
    std::mutex mutex;
    std::multiset<std::int64_t> seen;
    {
        std::vector<std::jthread> writers;
        for (int i = 0; i < 8; ++i) {
            writers.emplace_back([&] {
                for (int n = 0; n < 25; ++n) {
                    const std::int64_t id = catalog_.write(
                        {}, [](mysql::SqlClient& client) { return nextId(client, "test", 1002, 1002, 2); });
                    const std::lock_guard lock(mutex);
                    seen.insert(id);
                }
            });
        }
    }
    EXPECT_EQ(seen.size(), 200);
    EXPECT_EQ(*seen.begin(), 1002);
    EXPECT_EQ(*seen.rbegin(), 1002 + 2 * 199);
    EXPECT_EQ(std::set(seen.begin(), seen.end()).size(), 200);
}

TEST_F(CatalogTest, SurvivesADeadlock) {
    catalog_.write({}, [](mysql::SqlClient& client) {
        for (const char* name : {"a", "b"}) {
            insertRow(client, "zone", {{"name", std::string(name)}, {"region", std::string()}, {"idc", std::string()}});
        }
    });
    // Both have their first row when they ask for the other's: one of them is rolled back and must come again.
    std::atomic<int> arrived = 0;
    const auto lock_both = [&](const std::string& first, const std::string& second) {
        int attempts = 0;
        catalog_.write({}, [&](mysql::SqlClient& client) {
            updateRows(client, "zone", {{"region", first}}, {{"name", first}});
            if (attempts++ == 0) {
                ++arrived;
                for (int seen = arrived; seen < 2; seen = arrived)
                    arrived.wait(seen);
                arrived.notify_all();
            }
            updateRows(client, "zone", {{"idc", first}}, {{"name", second}});
        });
        return attempts;
    };
    int total = 0;
    {
        std::mutex mutex;
        const auto run = [&](const std::string& first, const std::string& second) {
            const int attempts = lock_both(first, second);
            const std::lock_guard lock(mutex);
            total += attempts;
        };
        const std::jthread one(run, "a", "b");
        const std::jthread two(run, "b", "a");
    }
    EXPECT_EQ(total, 3);
    EXPECT_EQ(sys_.connect().scalar("SELECT idc FROM tidemark.zone WHERE name = 'a'"), "b");
}

TEST_F(CatalogTest, CallsSucceedThoughSysIsKilledInTheirMiddle) {
    const auto seed = std::random_device{}();
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937 random(seed);
    std::atomic<bool> stop = false;
    std::atomic<int> written = 0;
    {
        std::vector<std::jthread> writers;
        for (int w = 0; w < 4; ++w) {
            writers.emplace_back([&, w] {
                // A primary key per write: one that happened twice would fail, one that was lost would be missed below.
                for (int n = 0; !stop; ++n) {
                    addZone(std::to_string(w) + "-" + std::to_string(n));
                    ++written;
                }
            });
        }
        for (int round = 0; round < 3; ++round) {
            const int target = written + 50 + static_cast<int>(random() % 50);
            while (written < target)
                std::this_thread::sleep_for(1ms);
            sys_.kill();
            sys_.start();
        }
        stop = true;
    }
    EXPECT_EQ(events(), written);
    EXPECT_EQ(catalog_.changes().count(kSysTenantId), static_cast<std::uint64_t>(written));
}

TEST_F(CatalogTest, GivesUpAfterTheLimitAndSaysWhy) {
    Catalog impatient({.endpoint = sys_.endpoint(), .retry_limit = 100ms}, clock_);
    sys_.kill();
    try {
        impatient.read([](mysql::SqlClient& client) { client.query("SELECT 1"); });
        FAIL() << "no error";
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), ErrorCode::Unavailable);
        EXPECT_NE(std::string(error.what()).find("sys tenant's database is away"), std::string::npos);
    }
}

TEST_F(CatalogTest, CloseEndsWaitingCalls) {
    sys_.kill();
    std::atomic<bool> waiting = false;
    std::jthread caller([&] {
        waiting = true;
        waiting.notify_all();
        EXPECT_THROW(events(), Error);
    });
    waiting.wait(false);
    const auto start = std::chrono::steady_clock::now();
    catalog_.close();
    caller.join();
    EXPECT_LT(std::chrono::steady_clock::now() - start, CatalogOptions{}.retry_limit / 2);
}

TEST(SqlRow, KeepsTimesToTheMicrosecond) {
    const testing::MariadbServer server;
    mysql::SqlClient client = server.connect();
    client.query("SET time_zone = '+00:00'");
    // 2026-10-25 00:30 and 01:30 UTC are both 02:30 by the clocks of central Europe.
    for (const Nanos time : {Nanos{1'792'888'200'123'456'000}, Nanos{1'792'891'800'000'001'000}, kSecond}) {
        const auto result = client.query("SELECT CAST(? AS DATETIME(6)) AS t", {sqlTime(time)});
        EXPECT_EQ(timeOf(result.rows[0], "t"), time);
    }
    EXPECT_EQ(maybeTimeOf(client.query("SELECT NULL AS t").rows[0], "t"), std::nullopt);
}

TEST(SqlRow, MakesAnyTextFit) {
    EXPECT_EQ(fitting("plain", 10), "plain");
    EXPECT_EQ(fitting("größer", 4), "größ");
    EXPECT_EQ(fitting("bad \xff\xc3 end", 20), "bad ?? end");
    EXPECT_EQ(fitting("\xf0\x9f\x98\x80!", 1), "\xf0\x9f\x98\x80");
    EXPECT_EQ(fitting("\xed\xa0\x80", 9), "???");  // a surrogate is no character
}

TEST(SqlRow, WhatFitsIsAcceptedByTheServerWhateverTheBytes) {
    const testing::MariadbServer server;
    mysql::SqlClient client = server.connect();
    client.script(
        "SET sql_mode = 'STRICT_ALL_TABLES'; CREATE DATABASE d;"
        "CREATE TABLE d.t (a VARCHAR(20)) ENGINE=InnoDB CHARACTER SET utf8mb4");
    const auto seed = std::random_device{}();
    std::mt19937 random(seed);
    for (int i = 0; i < 2000; ++i) {
        std::string text(random() % 40, '\0');
        for (char& c : text)
            c = static_cast<char>(random() % 3 == 0 ? random() : 0x80 | random() % 128);
        ASSERT_NO_THROW(client.query("INSERT INTO d.t VALUES (?)", {fitting(text, 20)})) << "seed " << seed;
    }
}

TEST(Changes, GathersPerTenantAndWakesTheOneWhoWaits) {
    Changes changes;
    EXPECT_TRUE(changes.take({}, 0s).empty());
    changes.add({{1002, Topic::Backup}, {1, Topic::Backup}});
    changes.add({{1002, Topic::Archive}});
    const auto taken = changes.take({}, 0s);
    EXPECT_EQ(taken.size(), 2);
    EXPECT_EQ(taken.at(1002), Topic::Backup | Topic::Archive);
    EXPECT_EQ(changes.count(1002), 2);
    const std::jthread writer([&] { changes.add({{1004, Topic::Tenant}}); });
    EXPECT_EQ(changes.take({}, 30s).at(1004), Topic::Tenant);
}

}  // namespace
}  // namespace tidemark::catalog
