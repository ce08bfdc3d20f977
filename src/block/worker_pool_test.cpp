#include "block/worker_pool.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <latch>
#include <semaphore>
#include <string>
#include <thread>

#include "base/error.h"
#include "block/block_reader.h"
#include "block/block_writer.h"
#include "storage/faulty_storage.h"
#include "storage/memory_storage.h"
#include "testing/eventually.h"

namespace tidemark::block {
namespace {

using namespace std::chrono_literals;

/// What tasks have cost so far, as they say themselves: turns can be counted, on a machine however busy.
double told_cost = 0;
double toldCost() {
    return told_cost;
}

/// One worker that notes whom it serves, and does not begin before all is queued.
class Turns {
public:
    Turns() {
        gate_.submit(Lane::Task([this](Codec&) { go_.acquire(); }));
    }
    ~Turns() { begin(); }

    /// Queues `count` tasks of `cost` each, noted as `name`.
    void queue(Lane& lane, char name, int count, double cost = 1) {
        for (int i = 0; i < count; ++i) {
            lane.submit(Lane::Task([this, name, cost](Codec&) {
                told_cost += cost;
                served_ += name;
                if (on_turn_) on_turn_(served_);
            }));
        }
    }
    /// Called by the worker after each turn.
    void onTurn(std::function<void(const std::string&)> action) { on_turn_ = std::move(action); }
    /// Whom it has served when all that is queued is done.
    std::string served(std::initializer_list<Lane*> lanes) {
        begin();
        for (Lane* lane : lanes)
            lane->drain();
        return served_;
    }
    WorkerPool& pool() { return pool_; }

private:
    void begin() {
        if (!std::exchange(begun_, true)) go_.release();
    }

    WorkerPool pool_{1, {}, toldCost};
    std::binary_semaphore go_{0};
    bool begun_ = false;
    std::string served_;
    std::function<void(const std::string&)> on_turn_;
    Lane gate_{pool_};
};

long countOf(std::string_view served, char name) {
    return std::count(served.begin(), served.end(), name);
}

TEST(WorkerPool, GivesTurnsByWeight) {
    for (const unsigned weight : {1U, 2U, 8U, 25U}) {
        Turns turns;
        Lane low(turns.pool(), {.weight = 2});
        Lane high(turns.pool(), {.weight = weight});
        turns.queue(low, 'l', 1000);
        turns.queue(high, 'h', 1000);
        // As long as both have something to do.
        const std::string both = turns.served({&low, &high}).substr(0, 540);
        EXPECT_NEAR(countOf(both, 'h'), 540.0 * weight / (2 + weight), 2) << weight;
    }
}

TEST(WorkerPool, CountsWhatTasksCostAndNotHowMany) {
    Turns turns;
    Lane small(turns.pool(), {.weight = 5});
    Lane large(turns.pool(), {.weight = 5});
    turns.queue(small, 's', 1000, 1);
    turns.queue(large, 'l', 1000, 4);
    const std::string both = turns.served({&small, &large}).substr(0, 500);
    EXPECT_NEAR(countOf(both, 's'), 400, 4);
}

TEST(WorkerPool, FollowsAWeightThatChanges) {
    Turns turns;
    Lane one(turns.pool(), {.weight = 5});
    Lane two(turns.pool(), {.weight = 5});
    turns.queue(one, '1', 1000);
    turns.queue(two, '2', 1000);
    turns.onTurn([&](const std::string& served) {
        if (served.size() == 200) two.setWeight(45);
    });
    const std::string served = turns.served({&one, &two});
    EXPECT_NEAR(countOf(served.substr(0, 200), '2'), 100, 2);
    EXPECT_NEAR(countOf(served.substr(200, 500), '2'), 450, 4);
}

TEST(WorkerPool, ServesFirstWhoHurriesAndLaterMakesUpForIt) {
    Turns turns;
    Lane hurried(turns.pool(), {.weight = 1});
    Lane heavy(turns.pool(), {.weight = 4});
    turns.queue(hurried, 'h', 1000);
    turns.queue(heavy, 'w', 1000);
    hurried.hurry(true);
    turns.onTurn([&](const std::string& served) {
        if (served.size() == 100) hurried.hurry(false);
    });
    const std::string served = turns.served({&hurried, &heavy});
    EXPECT_EQ(countOf(served.substr(0, 100), 'h'), 100);
    EXPECT_NEAR(countOf(served.substr(0, 600), 'h'), 120, 2) << "a fifth of all";
}

TEST(WorkerPool, ServesALaneThatComesLateOrAgainWithItsShareOnly) {
    Turns turns;
    Lane old(turns.pool(), {.weight = 1});
    Lane rare(turns.pool(), {.weight = 1});
    turns.queue(old, 'o', 1000);
    turns.queue(rare, 'r', 1);
    turns.onTurn([&](const std::string& served) {
        if (served.size() == 600) turns.queue(rare, 'r', 100);
    });
    // Neither waits behind all that the old one has queued, nor may it catch up on what it did not use.
    const std::string served = turns.served({&old, &rare});
    EXPECT_EQ(countOf(served.substr(0, 3), 'r'), 1) << served.substr(0, 10);
    EXPECT_NEAR(countOf(served.substr(600, 150), 'r'), 75, 2);
}

/// A lane that always has something to do, until it is closed.
class BusyLane {
public:
    BusyLane(WorkerPool& pool, LaneOptions options) : lane_(pool, options) {
        for (int i = 0; i < 64; ++i)
            add();
    }
    ~BusyLane() {
        open_ = false;
        lane_.drain();
    }
    std::uint64_t done() const { return done_; }
    unsigned mostAtOnce() const { return most_at_once_; }
    Lane& lane() { return lane_; }

private:
    void add() {
        lane_.submit(Lane::Task([this](Codec&) {
            const unsigned now = ++running_;
            if (now > most_at_once_) most_at_once_ = now;
            std::this_thread::yield();
            ++done_;
            --running_;
            if (open_) add();
        }));
    }

    std::atomic<bool> open_ = true;
    std::atomic<std::uint64_t> done_ = 0;
    std::atomic<unsigned> running_ = 0;
    std::atomic<unsigned> most_at_once_ = 0;
    Lane lane_;
};

TEST(WorkerPool, GivesALaneNoMoreWorkersThanItMayHave) {
    WorkerPool pool(6);
    BusyLane narrow(pool, {.weight = 100, .most = 2});
    BusyLane wide(pool, {});
    ASSERT_TRUE(testing::eventually(
        [&] { return narrow.done() > 500 && narrow.mostAtOnce() == 2 && wide.mostAtOnce() >= 4; }, 60s));
    EXPECT_EQ(narrow.mostAtOnce(), 2U);
    EXPECT_EQ(narrow.lane().workers(), 2U);
    EXPECT_EQ(wide.lane().workers(), 6U);
}

TEST(WorkerPool, TellsWhoWaitsWhatWentWrong) {
    WorkerPool pool(2);
    Lane lane(pool);
    EXPECT_THROW(lane.run([](Codec&) { throw Error(ErrorCode::Corrupt, "it is damaged"); }), Error);
    bool done = false;
    lane.run([&](Codec&) { done = true; });
    EXPECT_TRUE(done);
}

TEST(WorkerPool, ForgetsWhatHasNotBegunWhenALaneCloses) {
    WorkerPool pool(1);
    std::atomic<int> begun = 0;
    std::binary_semaphore go(0);
    const auto held = std::make_shared<int>();
    std::jthread later;  // lets the one that has begun end when the others are forgotten
    {
        Lane lane(pool);
        std::latch busy(1);
        lane.submit(Lane::Task([&](Codec&) { ++begun, busy.count_down(), go.acquire(); }));
        busy.wait();
        for (int i = 0; i < 10; ++i)
            lane.submit(Lane::Task([&, held](Codec&) { ++begun; }));
        EXPECT_EQ(held.use_count(), 11);
        later = std::jthread([&] {
            EXPECT_TRUE(testing::eventually([&] { return held.use_count() == 1; }));
            go.release();
        });
    }
    EXPECT_EQ(begun, 1);
    EXPECT_EQ(held.use_count(), 1) << "what the tasks held is free";
}

constexpr std::uint64_t kPieces = 40;
constexpr std::size_t kOne = BlockWriter::kPromisedBuffers;  // of what a writer needs

/// A file of so many macro blocks, through a writer of its own.
void writeFile(Lane& lane, storage::Storage& storage) {
    BlockProgress progress;
    BlockWriter writer(storage, lane, {.directory = "set/", .set_id = 1}, progress);
    const FileNumber file = writer.beginFile("t.ibd");
    Bytes piece(kMacroBlockSize);
    for (std::uint64_t i = 0; i < kPieces; ++i) {
        std::fill(piece.begin(), piece.end(), static_cast<std::uint8_t>(i));
        writer.add(file, i * piece.size(), piece);
    }
    writer.endFile(file);
    writer.finish();
}

/// Takes no blocks until it is told to; then, if it is told so, it fails.
class HungStorage : public storage::MemoryStorage {
public:
    std::unique_ptr<storage::ObjectWriter> create(const storage::Key& key) override {
        if (key.find("data.") != storage::Key::npos) hung_.wait(true);
        if (fails_) throw Error(ErrorCode::Unavailable, "the storage is gone");
        return MemoryStorage::create(key);
    }
    void goOn(bool fails = false) {
        fails_ = fails;
        hung_ = false;
        hung_.notify_all();
    }

private:
    std::atomic<bool> fails_ = false;
    std::atomic<bool> hung_ = true;
};

TEST(WorkerPool, AHungStorageOfOneJobKeepsNobodyElseFromTheWorkers) {
    HungStorage hung;
    WorkerPool pool(2, {.guaranteed = 2 * kOne, .extra = 4});
    std::jthread stuck([&] {
        Lane lane(pool);
        writeFile(lane, hung);
    });
    ASSERT_TRUE(
        testing::eventually([&] { return pool.memory().held() >= kOne + 4; }, 60s));  // it has filled all it may have
    storage::MemoryStorage storage;
    Lane lane(pool);
    writeFile(lane, storage);
    EXPECT_TRUE(storage.stat("set/" + std::string(kRangeIndexName)));
    hung.goOn();
}

TEST(WorkerPool, AnErrorOfOneJobEndsThatJobOnlyAndFreesItsMemory) {
    HungStorage failing;
    HungStorage slow;
    storage::MemoryStorage waiting;
    WorkerPool pool(2, {.guaranteed = 2 * kOne, .extra = 0});  // for two writers
    std::jthread fails([&] {
        Lane lane(pool);
        EXPECT_THROW(writeFile(lane, failing), Error);
    });
    std::jthread goes_on([&] {
        Lane lane(pool);
        writeFile(lane, slow);
    });
    ASSERT_TRUE(testing::eventually([&] { return pool.memory().held() == 2 * kOne; }, 60s));
    std::jthread comes([&] {
        Lane lane(pool);
        writeFile(lane, waiting);
    });
    ASSERT_TRUE(testing::eventually([&] { return pool.memory().waiting() == 1; }, 60s));
    failing.goOn(true);
    comes.join();  // with the memory of the one that failed, for the other still has all of its own
    EXPECT_EQ(pool.memory().held(), kOne);
    slow.goOn();
    goes_on.join();
    EXPECT_TRUE(slow.stat("set/" + std::string(kRangeIndexName)));
    EXPECT_TRUE(waiting.stat("set/" + std::string(kRangeIndexName)));
}

TEST(WorkerPool, ACancelledJobFreesItsMemoryAtOnceWhateverOthersDo) {
    HungStorage slow;
    WorkerPool pool(2, {.guaranteed = 2 * kOne, .extra = 0});
    std::jthread other([&] {
        Lane lane(pool);
        writeFile(lane, slow);
    });
    {
        storage::MemoryStorage storage;
        Lane lane(pool);
        BlockProgress progress;
        std::stop_source stop;
        BlockWriter writer(storage, lane, {.directory = "set/", .set_id = 1}, progress, stop);
        for (std::size_t i = 0; i < BlockWriter::kMostOpenBlocks; ++i)
            writer.add(writer.beginFile(std::to_string(i)), 0, Bytes(1));
        ASSERT_TRUE(
            testing::eventually([&] { return pool.memory().held() == kOne + 2 + BlockWriter::kMostOpenBlocks; }, 60s));
        stop.request_stop();
    }
    EXPECT_EQ(pool.memory().held(), kOne);
    slow.goOn();
}

TEST(WorkerPool, ManyJobsEndWithATinyBudgetAndGiveAllOfItBack) {
    // Room for two writers at a time; ten of them, and readers in between.
    WorkerPool pool(3, {.guaranteed = 2 * kOne + 2, .extra = 1});
    storage::MemoryStorage whole;
    {
        Lane lane(pool);
        writeFile(lane, whole);
    }
    std::atomic<int> done = 0;
    std::atomic<std::size_t> most_held = 0;
    {
        std::jthread watcher([&](std::stop_token stop) {
            while (!stop.stop_requested())
                most_held = std::max(most_held.load(), pool.memory().held());
        });
        std::vector<std::jthread> jobs;
        for (int i = 0; i < 10; ++i) {
            jobs.emplace_back([&] {
                storage::MemoryStorage storage;
                Lane lane(pool);
                writeFile(lane, storage);
                ++done;
            });
            jobs.emplace_back([&] {
                const BlockReader reader(whole, "set/", 1);
                Lane lane(pool);
                MemoryShare memory(pool.memory(), {.minimum = 1, .most = 3});
                ReadPlan plan(reader.index(), {});
                for (auto frames = plan.next(); !frames.empty(); frames = plan.next()) {
                    const Buffer buffer = memory.take();
                    reader.frames().read(frames, buffer);
                    lane.run([&](Codec& codec) { reader.frames().decode(frames, buffer, codec, plan.files()); });
                }
                ++done;
            });
        }
        jobs.clear();
    }
    EXPECT_EQ(done, 20);
    EXPECT_LE(most_held, 2 * kOne + 3);
    EXPECT_EQ(pool.memory().held(), 0U);
}

}  // namespace
}  // namespace tidemark::block
