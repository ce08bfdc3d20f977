#include "job/job_runner.h"

#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <optional>

#include "job/progress_gate.h"

namespace tidemark::job {
namespace {

using namespace std::chrono_literals;
using State = catalog::Outcome::State;

/// What became of a job, to be looked at from the test's thread.
struct Record {
    std::mutex mutex;
    std::optional<catalog::Outcome> outcome;
    std::string thread_name;
    int finish_calls = 0;

    std::optional<State> state() {
        const std::lock_guard lock(mutex);
        return outcome ? std::optional(outcome->state) : std::nullopt;
    }
};

class TestJob : public RunnerJob {
public:
    TestJob(Record& record, std::function<void(std::stop_token)> body, std::vector<std::function<void()>> failures = {})
        : record_(record), body_(std::move(body)), failures_(std::move(failures)) {}

    void run(std::stop_token stop) override {
        char name[16] = {};
        pthread_getname_np(pthread_self(), name, sizeof name);
        {
            const std::lock_guard lock(record_.mutex);
            record_.thread_name = name;
        }
        body_(stop);
    }

    void finish(const catalog::Outcome& outcome) override {
        const std::lock_guard lock(record_.mutex);
        const auto call = static_cast<std::size_t>(record_.finish_calls++);
        if (call < failures_.size()) failures_[call]();
        record_.outcome = outcome;
    }

private:
    Record& record_;
    std::function<void(std::stop_token)> body_;
    std::vector<std::function<void()>> failures_;  // of the first calls of finish()
};

/// Blocks until stopped, then throws Cancelled, as jobs do.
void untilStopped(std::stop_token stop) {
    std::mutex mutex;
    std::condition_variable_any condition;
    std::unique_lock lock(mutex);
    condition.wait(lock, stop, [] { return false; });
    throw Error(ErrorCode::Cancelled, "seen");
}

TEST(JobRunner, RunsAJobOnAThreadNamedAfterIt) {
    Record record;
    JobRunner runner;
    const JobKey key{"backup", 1002, 7};
    runner.submit(key, std::make_unique<TestJob>(record, [](std::stop_token) {}));
    ASSERT_TRUE(runner.waitFor(key, 5s));
    EXPECT_EQ(record.state(), State::Completed);
    EXPECT_EQ(record.thread_name, "backup-1002/7");
}

TEST(JobRunner, RecordsWhatAJobThrew) {
    Record record;
    JobRunner runner;
    const JobKey key{"backup", 1002, 1};
    runner.submit(key, std::make_unique<TestJob>(record, [](std::stop_token) {
                      throw Error(ErrorCode::NoSpace, "writing d/0: no space left", "make room");
                  }));
    ASSERT_TRUE(runner.waitFor(key, 5s));
    EXPECT_EQ(record.state(), State::Failed);
    EXPECT_LT(record.outcome->result, 0);
    EXPECT_EQ(record.outcome->comment, "writing d/0: no space left; make room");
}

TEST(JobRunner, CancelsRunningAndQueuedJobs) {
    Record running;
    Record queued;
    JobRunner runner({.concurrency = 1});
    const JobKey first{"backup", 1002, 1};
    const JobKey second{"backup", 1004, 1};
    std::atomic<bool> second_ran = false;
    runner.submit(first, std::make_unique<TestJob>(running, untilStopped));
    runner.submit(second, std::make_unique<TestJob>(queued, [&](std::stop_token) { second_ran = true; }));
    EXPECT_TRUE(runner.cancel(second));
    EXPECT_TRUE(runner.cancel(first));
    ASSERT_TRUE(runner.waitFor(second, 5s));
    EXPECT_EQ(running.state(), State::Canceled);
    EXPECT_EQ(running.outcome->result, -4072);
    EXPECT_EQ(queued.state(), State::Canceled);
    EXPECT_FALSE(second_ran);
    EXPECT_FALSE(runner.cancel(first));
}

TEST(JobRunner, NeverRunsMoreThanItsLimitAtOnce) {
    constexpr int kJobs = 20;
    std::vector<Record> records(kJobs);
    std::atomic<int> now = 0;
    std::atomic<int> most = 0;
    JobRunner runner({.concurrency = 3});
    for (int i = 0; i < kJobs; ++i) {
        runner.submit({"backup", i, 1}, std::make_unique<TestJob>(records[i], [&](std::stop_token) {
                          const int running = ++now;
                          int seen = most;
                          while (running > seen && !most.compare_exchange_weak(seen, running)) {
                          }
                          std::this_thread::yield();
                          --now;
                      }));
    }
    for (int i = 0; i < kJobs; ++i)
        ASSERT_TRUE(runner.waitFor({"backup", i, 1}, 5s));
    EXPECT_LE(most, 3);
}

TEST(JobRunner, RefusesTheSameJobTwiceAndAFullQueue) {
    Record a;
    Record b;
    JobRunner runner({.concurrency = 0, .queue_limit = 1});
    runner.submit({"backup", 1002, 1}, std::make_unique<TestJob>(a, untilStopped));
    EXPECT_THROW(runner.submit({"backup", 1002, 2}, std::make_unique<TestJob>(b, untilStopped)), Error);
    JobRunner roomy({.concurrency = 0});
    roomy.submit({"backup", 1002, 1}, std::make_unique<TestJob>(a, untilStopped));
    EXPECT_THROW(roomy.submit({"backup", 1002, 1}, std::make_unique<TestJob>(b, untilStopped)), Error);
}

TEST(JobRunner, TriesAgainToRecordAnEndWhateverFails) {
    Record record;
    JobRunner runner({.finish_retry = 1ms});
    const JobKey key{"backup", 1002, 1};
    const std::vector<std::function<void()>> failures = {
        [] { throw Error(ErrorCode::Unavailable, "sys is away"); },
        [] { throw Error(ErrorCode::Internal, "the table is full"); },
        [] { throw std::runtime_error("no space left on device"); },
    };
    const auto nothing = [](std::stop_token) {};
    runner.submit(key, std::make_unique<TestJob>(record, nothing, failures));
    ASSERT_TRUE(runner.waitFor(key, 5s));
    EXPECT_EQ(record.state(), State::Completed);
    EXPECT_EQ(record.finish_calls, 4);

    Record gone;
    const std::vector<std::function<void()>> final = {[] { throw Error(ErrorCode::Conflict, "it has ended"); }};
    runner.submit(key, std::make_unique<TestJob>(gone, nothing, final));
    ASSERT_TRUE(runner.waitFor(key, 5s));
    EXPECT_EQ(gone.finish_calls, 1);
}

TEST(JobRunner, LeavesInterruptedJobsForTheNextStart) {
    Record record;
    std::atomic<bool> began = false;
    {
        JobRunner runner;
        runner.submit({"backup", 1002, 1}, std::make_unique<TestJob>(record, [&](std::stop_token stop) {
                          began = true;
                          began.notify_all();
                          untilStopped(stop);
                      }));
        began.wait(false);
    }
    EXPECT_EQ(record.state(), std::nullopt);
    EXPECT_EQ(record.finish_calls, 0);
}

TEST(ProgressGate, OpensOncePerInterval) {
    ManualClock clock(1'000 * kSecond);
    ProgressGate gate(clock, kSecond);
    EXPECT_TRUE(gate.due());
    EXPECT_FALSE(gate.due());
    clock.advance(kSecond - 1);
    EXPECT_FALSE(gate.due());
    clock.advance(1);
    EXPECT_TRUE(gate.due());
}

}  // namespace
}  // namespace tidemark::job
