#include "net/workers.h"

#include <gtest/gtest.h>

#include <atomic>
#include <latch>

#include "base/error.h"

namespace tidemark::net {
namespace {

/// Calls that hang until the test ends.
class Hanging {
public:
    ~Hanging() { release(); }
    Workers::Call call() {
        return [this](const Error* refusal) {
            if (refusal != nullptr) return;
            started.fetch_add(1);
            std::unique_lock lock(mutex_);
            released_.wait(lock, [this] { return is_released_; });
        };
    }
    void release() {
        const std::lock_guard lock(mutex_);
        is_released_ = true;
        released_.notify_all();
    }
    std::atomic<int> started = 0;

private:
    std::mutex mutex_;
    std::condition_variable released_;
    bool is_released_ = false;
};

/// Fails by the test's own limit if the call gets no thread.
void runs(Workers& workers, const std::string& owner) {
    std::latch done(1);
    workers.post(owner, [&](const Error*) { done.count_down(); });
    done.wait();
}

TEST(Workers, OneOwnerThatHangsLeavesThreadsToTheOthers) {
    Workers workers({.threads = 24, .first_owner = "sys", .reserved = 4, .most_of_one = 4});
    Hanging hanging;
    for (int i = 0; i < 100; ++i)
        workers.post("dead", hanging.call());
    runs(workers, "acme");
    runs(workers, "sys");
    EXPECT_LE(hanging.started, 4);
    hanging.release();
    workers.stop();
}

TEST(Workers, ManyOwnersThatHangLeaveThreadsToOneMore) {
    Workers workers({});
    Hanging hanging;
    for (int i = 0; i < 40; ++i) {
        for (int j = 0; j < 20; ++j)
            workers.post("dead" + std::to_string(i), hanging.call());
    }
    runs(workers, "acme");
    hanging.release();
    workers.stop();
}

TEST(Workers, ThreadsAreReservedForTheFirstOwnerHoweverManyOthersHang) {
    Workers workers({.threads = 8, .first_owner = "sys", .reserved = 2, .most_of_one = 4});
    Hanging hanging;
    for (int i = 0; i < 100; ++i)
        workers.post("dead" + std::to_string(i), hanging.call());
    runs(workers, "sys");
    EXPECT_LE(hanging.started, 6);
    hanging.release();
    workers.stop();
}

TEST(Workers, WhatWaitsIsRunWhenItsOwnerHasAThreadAgain) {
    Workers workers({.threads = 2, .reserved = 0, .most_of_one = 1});
    Hanging hanging;
    std::latch done(50);
    workers.post("acme", hanging.call());
    for (int i = 0; i < 50; ++i)
        workers.post(i % 2 == 0 ? "acme" : "shop", [&](const Error* refusal) {
            if (refusal == nullptr) done.count_down();
        });
    hanging.release();
    done.wait();
}

TEST(Workers, AQueueHasABoundAndTheRefusalSaysWhoseItIs) {
    Workers workers({.threads = 2, .reserved = 0, .most_of_one = 1, .most_waiting = 3});
    Hanging hanging;
    for (int i = 0; i < 4; ++i)
        workers.post("dead", hanging.call());
    try {
        workers.post("dead", hanging.call());
        ADD_FAILURE() << "a fifth call was taken";
    } catch (const Error& error) {
        EXPECT_EQ(error.sql()->number, 4023);
        EXPECT_NE(std::string(error.what()).find("'dead'"), std::string::npos) << error.what();
    }
    runs(workers, "acme");
    hanging.release();
    workers.stop();
}

TEST(Workers, NothingWaitsForEverAndWhatIsRefusedDoesNotRun) {
    Workers workers({.threads = 2, .reserved = 0, .most_of_one = 1, .longest_wait = std::chrono::milliseconds(20)});
    Hanging hanging;
    std::latch refused(10);
    workers.post("dead", hanging.call());
    for (int i = 0; i < 10; ++i) {
        workers.post("dead", [&](const Error* refusal) {
            ASSERT_NE(refusal, nullptr) << "it ran";
            EXPECT_EQ(refusal->sql()->number, 4023);
            EXPECT_NE(std::string(refusal->what()).find("has not begun"), std::string::npos) << refusal->what();
            refused.count_down();
        });
    }
    refused.wait();
    runs(workers, "acme");
    hanging.release();
    workers.stop();
}

TEST(Workers, WhoStillWaitsWhenTheyStopIsToldSo) {
    Workers workers({.threads = 2, .reserved = 0, .most_of_one = 1});
    Hanging hanging;
    std::atomic<int> refused = 0;
    workers.post("acme", hanging.call());
    for (int i = 0; i < 10; ++i)
        workers.post("acme", [&](const Error* refusal) {
            if (refusal != nullptr && refused.fetch_add(1) == 9) hanging.release();
        });
    workers.stop();
    EXPECT_EQ(refused, 10);
    EXPECT_THROW(workers.post("acme", hanging.call()), Error);
}

}  // namespace
}  // namespace tidemark::net
