#include "restore/log_replay.h"

#include <gtest/gtest.h>

#include <condition_variable>
#include <thread>

#include "archive/archiver.h"
#include "base/error.h"
#include "storage/memory_storage.h"
#include "testing/mariadb_server.h"

namespace tidemark::restore {
namespace {

using archive::ArchiveReader;
using std::chrono::seconds;

constexpr std::uint32_t kPrimaryId = 7;

/// Keeps the last word of an archiver, and lets a test wait for one.
class Listener : public archive::ArchiveListener {
public:
    void progress(const archive::ArchiveProgress& progress) override {
        change([&] { last_ = progress; });
    }
    void interrupted(const std::string& reason) override {
        change([&] { interruption_ = reason; });
    }
    void trouble(const std::string& text) override {
        change([&] { trouble_ = text; });
    }
    void recovered() override {
        change([&] { trouble_.clear(); });
    }

    /// Waits until `condition` holds; fails the test after 30 s.
    template <typename Condition>
    void await(const char* what, Condition condition) {
        std::unique_lock lock(mutex_);
        ASSERT_TRUE(changed_.wait_for(lock, seconds(30), [&] { return condition(*this); }))
            << what << "; trouble: " << trouble_ << "; interruption: " << interruption_;
    }

    archive::ArchiveProgress last_;
    std::string interruption_;
    std::string trouble_;

private:
    template <typename Change>
    void change(Change make) {
        const std::lock_guard lock(mutex_);
        make();
        changed_.notify_all();
    }
    std::mutex mutex_;
    std::condition_variable changed_;
};

archive::ArchiverOptions optionsFor(const testing::MariadbServer& server) {
    archive::ArchiverOptions options;
    options.tenant = server.endpoint();
    options.server_id = 901;
    options.round = {{1001, 1}, 1002, 1};
    options.tenant_name = "acme";
    options.lag_target = std::chrono::milliseconds(100);
    return options;
}

TEST(LogReplay, Smoke) {
    testing::MariadbServer source;
    testing::MariadbServer restored({"--skip-log-bin", "--server-id=202"});
    storage::MemoryStorage storage;
    SystemClock clock;
    Listener listener;
    archive::Archiver archiver(optionsFor(source), storage, clock, listener);
    archiver.start();
    listener.await("begun", [](const auto& l) { return l.last_.round.start_scn != 0; });
    auto client = source.connect();
    client.script(
        "CREATE DATABASE d; CREATE TABLE d.t (a INT PRIMARY KEY) ENGINE=InnoDB; INSERT INTO d.t VALUES (1); INSERT "
        "INTO d.t VALUES (2)");
    listener.await("archived", [](const auto& l) { return l.last_.round.max_scn != 0; });
    archiver.stop();
    for (auto& o : storage.list(""))
        std::cout << o.key << " " << o.size << "\n";
    ArchiveReader reader(storage);
    const auto& round = reader.rounds().at(0);
    LogReplay replay(reader, {restored.endpoint(), round.start.position, round.checkpoint_scn, kPrimaryId});
    auto target = replay.run({}, [](const ReplayProgress& p) {
        std::cout << p.transactions << "/" << p.transactions_total << " " << p.bytes << "\n";
    });
    std::cout << target.position.text() << "\n";
    EXPECT_EQ(restored.connect().scalar("SELECT COUNT(*) FROM d.t"), "2");
}

}  // namespace
}  // namespace tidemark::restore
