// Several nodes, daemons that die or sleep, and a sys that hangs: who has the work, and who may not end it.
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>

#include "job/work_engine_fixture.h"

namespace tidemark::job {
namespace {

/// A node in a process of its own, which can be killed and stopped. It writes what happens into a pipe.
class OtherProcess {
public:
    using Body = std::function<void(std::function<void(char)> tell)>;

    explicit OtherProcess(const Body& body) {
        if (pipe(pipe_.data()) != 0) throwErrno(errno, "making a pipe");
        pid_ = fork();
        if (pid_ != 0) {
            close(pipe_[1]);
            return;
        }
        body([this](char event) { static_cast<void>(!write(pipe_[1], &event, 1)); });
        _exit(0);
    }
    ~OtherProcess() {
        if (pid_ > 0) kill();
        close(pipe_[0]);
    }
    OtherProcess(const OtherProcess&) = delete;

    /// The next event.
    char told() const {
        char event = 0;
        return read(pipe_[0], &event, 1) == 1 ? event : '-';
    }
    void signal(int number) const { ::kill(pid_, number); }
    void kill() {
        signal(SIGKILL);
        waitpid(pid_, nullptr, 0);
        pid_ = -1;
    }

private:
    std::array<int, 2> pipe_{};
    pid_t pid_ = -1;
};

/// One that is renewed in time on a machine that is busy otherwise.
constexpr auto kLease = 1500ms;

TEST_F(WorkEngineTest, TwoNodesDoNotDisturbEachOther) {
    add({1, 2, 3, 4});
    std::atomic<int> running = 0;
    std::atomic<bool> over = false;
    const Script script{.step = [&](WorkContext&, std::stop_token stop) -> std::optional<Pause> {
        ++running;
        while (!over) {
            if (stop.stop_requested()) throw Error(ErrorCode::Cancelled, "stopped");
            std::this_thread::sleep_for(5ms);
        }
        return std::nullopt;
    }};
    Node first(sys_->endpoint(), {.lease = kLease, .look_interval = 20ms});
    Node second(sys_->endpoint(), {.lease = kLease, .look_interval = 20ms});
    // Who may begin it; once it is somebody's, the other one looks whether it may be taken over.
    first.here = [](const catalog::WorkRow& row) { return row.owner.node != 0 || row.job_id % 2 == 1; };
    second.here = [](const catalog::WorkRow& row) { return row.owner.node != 0 || row.job_id % 2 == 0; };
    first.start(1, {{0, script}});
    ASSERT_TRUE(eventually([&] { return running == 2; }));
    second.start(2, {{0, script}});
    ASSERT_TRUE(eventually([&] { return running == 4; }));
    // As many renewals as three leases need.
    ASSERT_TRUE(eventually([&] { return record(1)->renewals > 9 && record(2)->renewals > 9; }));
    over = true;
    for (std::int64_t job = 1; job <= 4; ++job) {
        ASSERT_TRUE(first.engine.waitFor(key(job), kLimit));
        EXPECT_EQ(theEnd(job).state, "COMPLETED");
        EXPECT_EQ(theEnd(job).node, job % 2 == 1 ? 1 : 2);
        EXPECT_EQ(theEnd(job).attempt, 1);
    }
    EXPECT_EQ(running, 4);
}

TEST_F(WorkEngineTest, ASysWhoseClockJumpsTakesNothingFromTheLiving) {
    std::atomic<int> begun = 0;
    const Script script{.step = [&](WorkContext& context, std::stop_token stop) -> std::optional<Pause> {
        ++begun;
        return untilStopped(context, std::move(stop));
    }};
    const WorkEngineOptions options{.lease = kLease, .look_interval = 10ms};
    add({1});
    Node first(sys_->endpoint(), options);
    first.start(1, {{0, script}});
    ASSERT_TRUE(eventually([&] { return begun == 1; }));
    Node second(sys_->endpoint(), options);
    second.start(2, {{0, script}});
    mysql::SqlClient sys = sys_->connect();
    ASSERT_TRUE(eventually([&] {
        sys.query("UPDATE tidemark.work SET lease_until = NOW(6) - INTERVAL 1 HOUR");
        return record(1)->renewals > 6;
    }));
    EXPECT_EQ(record(1)->owner.node, 1);
    EXPECT_EQ(begun, 1);
}

/// In another process: takes what there is, says B when a job has begun, and works until it is killed.
void workUntilKilled(const mysql::Endpoint& sys, std::int64_t id, WorkEngineOptions options,
                     const std::function<void(char)>& tell) {
    Node node(sys, options);
    node.start(id, {{0, {.step = [&](WorkContext& context, std::stop_token stop) {
                         tell('B');
                         return untilStopped(context, std::move(stop));
                     }}}});
    for (;;)
        pause();
}

TEST_F(WorkEngineTest, WhatAKilledNodeHeldIsTakenOverOnceAndNotBefore) {
    const WorkEngineOptions options{.lease = kLease, .look_interval = 20ms};
    add({1});
    OtherProcess dead([&](const auto& tell) { workUntilKilled(sys_->endpoint(), 9, options, tell); });
    ASSERT_EQ(dead.told(), 'B');
    std::atomic<int> begun = 0;
    const Script script{.step = [&](WorkContext&, std::stop_token) -> std::optional<Pause> {
        ++begun;
        return std::nullopt;
    }};
    Node first(sys_->endpoint(), options);
    Node second(sys_->endpoint(), options);
    first.start(1, {{0, script}});
    second.start(2, {{0, script}});
    ASSERT_TRUE(eventually([] { return record(1)->renewals > 4; }));  // over two leases: nobody takes it
    EXPECT_EQ(begun, 0);
    const auto killed = Steady::now();
    dead.kill();
    ASSERT_TRUE(eventually([] { return !ends(1).empty(); }));
    EXPECT_GE(Steady::now() - killed, kLease / 3);  // its last renewal was a third of a lease before, or a bit more
    ASSERT_TRUE(first.engine.waitFor(key(1), kLimit));
    EXPECT_EQ(theEnd(1).state, "COMPLETED");
    EXPECT_EQ(theEnd(1).attempt, 2);
    EXPECT_EQ(begun, 1);
}

TEST_F(WorkEngineTest, ANodeTakesWhatItsKilledDaemonHeldAtOnceAndFailsWhatWasBegunTooOften) {
    add({1, 2});
    OtherProcess dead([&](const auto& tell) { workUntilKilled(sys_->endpoint(), 1, {}, tell); });
    ASSERT_EQ(dead.told(), 'B');
    ASSERT_EQ(dead.told(), 'B');
    dead.kill();
    Node again(sys_->endpoint());  // with a lease of 30 s
    const auto started = Steady::now();
    again.start(1, {{0, {.step = nothing}}}, 1);
    ASSERT_TRUE(again.engine.waitFor(key(1), kLimit));
    ASSERT_TRUE(again.engine.waitFor(key(2), kLimit));
    EXPECT_LT(Steady::now() - started, WorkEngineOptions{}.lease / 2);
    for (const std::int64_t job : {1, 2}) {
        EXPECT_EQ(theEnd(job).state, "FAILED");
        EXPECT_EQ(theEnd(job).attempt, 2);
        EXPECT_EQ(theEnd(job).comment, "the daemon ended while it ran; start it again");
    }
}

TEST_F(WorkEngineTest, ANodeThatSleptPastItsLeaseChangesNothing) {
    const WorkEngineOptions options{.lease = 300ms, .look_interval = 20ms};
    add({1});
    OtherProcess sleeper([&](const auto& tell) {
        Node node(sys_->endpoint(), options);
        const auto attempt = [&](const std::function<void()>& write) {
            try {
                write();
                tell('W');
            } catch (const Error& error) {
                tell(error.code() == ErrorCode::Conflict ? 'C' : '?');
            }
        };
        Script script{.step = [&](WorkContext& context, std::stop_token) -> std::optional<Pause> {
            attempt([&] { context.saveProgress("begun"); });
            tell('B');
            ::raise(SIGSTOP);
            attempt([&] { context.saveProgress("late"); });
            attempt([&] { node.work.setWaiting(context.claim(), "late"); });
            attempt([&] { node.work.end(context.claim()); });
            return std::nullopt;  // and its finish() has no effect either
        }};
        node.start(9, {{0, script}});
        node.engine.waitFor(key(1), 1h);
        tell('E');
    });
    ASSERT_EQ(sleeper.told(), 'W');
    ASSERT_EQ(sleeper.told(), 'B');
    std::atomic<bool> over = false;
    std::string progress;
    Node node(sys_->endpoint(), options);
    node.start(1, {{0, {.step = [&](WorkContext& context, std::stop_token) -> std::optional<Pause> {
                        progress = context.progress();
                        over.wait(false);
                        return std::nullopt;
                    }}}});
    ASSERT_TRUE(eventually([] { return record(1)->owner.node == 1; }));
    sleeper.signal(SIGCONT);
    EXPECT_EQ(sleeper.told(), 'C');
    EXPECT_EQ(sleeper.told(), 'C');
    EXPECT_EQ(sleeper.told(), 'C');
    EXPECT_EQ(record(1)->progress, "begun");
    EXPECT_TRUE(ends(1).empty());
    over = true;
    over.notify_all();
    ASSERT_TRUE(node.engine.waitFor(key(1), kLimit));
    EXPECT_EQ(sleeper.told(), 'E');
    EXPECT_EQ(progress, "begun");
    EXPECT_EQ(theEnd(1).node, 1);
    EXPECT_EQ(theEnd(1).attempt, 2);
}

TEST_F(WorkEngineTest, ASysThatHangsForLongerThanALeaseEndsNothing) {
    constexpr auto kShortLease = 300ms;
    std::atomic<int> begun = 0;
    std::atomic<bool> hung = false;
    Node node(sys_->endpoint(), {.lease = kShortLease, .look_interval = 20ms});
    add({1});
    node.start(1, {{0, {.step = [&](WorkContext& context, std::stop_token stop) -> std::optional<Pause> {
                        ++begun;
                        hung.wait(false);
                        context.saveProgress("while it hung");  // waits, and goes through after the renewal
                        if (stop.stop_requested()) throw Error(ErrorCode::Cancelled, "stopped");
                        return std::nullopt;
                    }}}});
    ASSERT_TRUE(eventually([&] { return begun == 1; }));
    ::kill(sys_->pid(), SIGSTOP);
    hung = true;
    hung.notify_all();
    std::this_thread::sleep_for(3 * kShortLease);  // what is waited for is this time
    ::kill(sys_->pid(), SIGCONT);
    ASSERT_TRUE(node.engine.waitFor(key(1), kLimit));
    EXPECT_EQ(theEnd(1).state, "COMPLETED");
    EXPECT_EQ(theEnd(1).attempt, 1);
    EXPECT_EQ(begun, 1);
}

TEST(LeaseWatch, CountsFromTheLastSignOfLife) {
    LeaseWatch watch;
    const LeaseWatch::Time start{};
    catalog::WorkRow row{.work_id = 5, .epoch = 1, .renewals = 3};
    watch.see({row}, start);
    watch.see({row}, start + 2s);
    EXPECT_EQ(watch.silence(row, start + 2s), 2s);
    ++row.renewals;
    watch.see({row}, start + 3s);
    EXPECT_EQ(watch.silence(row, start + 4s), 1s);
    watch.see({}, start + 5s);
    EXPECT_EQ(watch.silence(row, start + 6s), 0s);
}

}  // namespace
}  // namespace tidemark::job
