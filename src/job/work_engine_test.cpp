#include "job/work_engine_fixture.h"

namespace tidemark::job {
namespace {

TEST_F(WorkEngineTest, DoesWorkThatIsAddedOnAThreadNamedAfterIt) {
    std::string name;
    Node node(sys_->endpoint());
    node.start(1, {{0, {.step = [&](WorkContext&, std::stop_token) -> std::optional<Pause> {
                        char buffer[16] = {};
                        pthread_getname_np(pthread_self(), buffer, sizeof buffer);
                        name = buffer;
                        return std::nullopt;
                    }}}});
    add({7});
    node.engine.wake();
    ASSERT_TRUE(node.engine.waitFor(key(7), kLimit));
    EXPECT_EQ(name, "test-1007/7");
    EXPECT_EQ(theEnd(7).state, "COMPLETED");
    EXPECT_EQ(theEnd(7).attempt, 1);
    EXPECT_FALSE(record(7));
}

TEST_F(WorkEngineTest, RecordsWhatAJobThrewWhateverFailsMeanwhile) {
    Script script{.step = [](WorkContext&, std::stop_token) -> std::optional<Pause> {
        throw Error(ErrorCode::NoSpace, "writing d/0: no space left", "make room");
    }};
    *script.failing_ends = 3;
    Node node(sys_->endpoint(), {.retry = 1ms});
    add({1});
    node.start(1, {{0, script}});
    ASSERT_TRUE(node.engine.waitFor(key(1), kLimit));
    EXPECT_EQ(theEnd(1).state, "FAILED");
    EXPECT_EQ(theEnd(1).comment, "writing d/0: no space left; make room");
}

TEST_F(WorkEngineTest, CancelsRunningQueuedAndWaitingJobs) {
    std::atomic<bool> queued_ran = false;
    Node node(sys_->endpoint(), {.slots = 1, .lease = 1h});  // no renewal tells it
    add({1, 2, 3, 4});
    node.here = [](const catalog::WorkRow& row) { return row.job_id != 4 || row.cancelled; };  // nobody's yet
    const auto waits = [](WorkContext&, std::stop_token) { return Pause{.at_most = 1h, .waiting_for = "a day"}; };
    node.start(1, {{0, {.step = untilStopped}},
                   {2, {.step = [&](WorkContext&, std::stop_token) -> std::optional<Pause> {
                        queued_ran = true;
                        return std::nullopt;
                    }}},
                   {3, {.step = waits, .heavy = false}}});
    ASSERT_TRUE(eventually([] { return isWaiting(3); }));
    for (const std::int64_t job : {2, 3, 1, 4}) {
        // Taken by now, whether it has begun or is queued.
        ASSERT_TRUE(job == 4 || eventually([&] { return node.engine.cancel(key(job)); })) << job;
        cancel(node, job);
        ASSERT_TRUE(node.engine.waitFor(key(job), kLimit)) << job;
        EXPECT_EQ(theEnd(job).state, "CANCELED") << job;
    }
    EXPECT_FALSE(queued_ran);
}

/// How many steps there were at the same time at most.
struct Meeting {
    /// Once so many have met, nobody waits any more but for a moment in which one more would be seen.
    void attend(int wanted) {
        const int running = ++now;
        int seen = most;
        while (running > seen && !most.compare_exchange_weak(seen, running)) {
        }
        eventually([&] { return most >= wanted; });
        std::this_thread::sleep_for(5ms);
        --now;
    }

    std::atomic<int> now = 0;
    std::atomic<int> most = 0;
};

TEST_F(WorkEngineTest, NeverDoesMoreHeavyStepsAtOnceThanItHasSlots) {
    Meeting meeting;
    Node node(sys_->endpoint(), {.slots = 3});
    add({1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12});
    node.start(1, {{0, {.step = [&](WorkContext&, std::stop_token) -> std::optional<Pause> {
                        meeting.attend(3);
                        return std::nullopt;
                    }}}});
    for (std::int64_t job = 1; job <= 12; ++job)
        ASSERT_TRUE(node.engine.waitFor(key(job), kLimit));
    EXPECT_EQ(meeting.most, 3);
}

/// Twenty destinations are dead: half of the jobs ask every moment, the others hang in a step, heavy or not.
TEST_F(WorkEngineTest, JobsThatWaitOrHangDoNotDelayOthers) {
    std::atomic<bool> over = false;
    std::atomic<int> hanging = 0;
    const auto hangs = [&](WorkContext&, std::stop_token) -> std::optional<Pause> {
        ++hanging;
        over.wait(false);
        return std::nullopt;
    };
    const Script waiting{
        .step = [](WorkContext&, std::stop_token) { return Pause{.at_most = 10ms, .waiting_for = "it"}; }};
    std::map<std::int64_t, Script> scripts{{0, {.step = nothing}}};
    for (std::int64_t job = 1; job <= 20; ++job)
        scripts[job] = job % 2 == 0 ? waiting : Script{.step = hangs, .heavy = job % 4 == 1};
    Node node(sys_->endpoint(), {.slots = 2, .look_interval = 1h, .stalled = 100ms});
    add({1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20});
    node.start(1, std::move(scripts));
    EXPECT_TRUE(eventually([&] { return hanging == 10; }));
    add({21});
    node.engine.wake();
    EXPECT_TRUE(node.engine.waitFor(key(21), kLimit));
    over = true;
    over.notify_all();
    for (std::int64_t job = 2; job <= 20; job += 2)
        cancel(node, job);
}

TEST_F(WorkEngineTest, AHeavyStepKeepsItsSlotAsLongAsItMoves) {
    std::atomic<bool> moving = false;
    std::atomic<bool> met = false;
    Node node(sys_->endpoint(), {.slots = 1, .stalled = 500ms});
    add({1, 2});
    node.start(1, {{1, {.step = [&](WorkContext& context, std::stop_token) -> std::optional<Pause> {
                        moving = true;
                        for (const auto until = Steady::now() + 1500ms; Steady::now() < until;) {
                            context.moved();
                            std::this_thread::sleep_for(5ms);
                        }
                        moving = false;
                        return std::nullopt;
                    }}},
                   {2, {.step = [&](WorkContext&, std::stop_token) -> std::optional<Pause> {
                        met = met || moving;
                        return std::nullopt;
                    }}}});
    ASSERT_TRUE(node.engine.waitFor(key(1), kLimit));
    ASSERT_TRUE(node.engine.waitFor(key(2), kLimit));
    EXPECT_FALSE(met);
}

/// Ten hang when they are asked, which is for longer than anybody waits here; a slot would never be lent.
TEST_F(WorkEngineTest, DestinationsThatDoNotAnswerGetNoSlot) {
    std::atomic<bool> over = false;
    std::atomic<int> asked = 0;
    Meeting meeting;
    const Script dead{.step = [&](WorkContext&, std::stop_token) -> std::optional<Pause> {
                          meeting.attend(2);
                          return std::nullopt;
                      },
                      .ask = [&]() -> std::optional<Pause> {
                          ++asked;
                          over.wait(false);
                          return std::nullopt;
                      }};
    Node node(sys_->endpoint(), {.slots = 2, .stalled = 1h, .answer = 10ms});
    add({1, 2, 3, 4, 5, 6, 7, 8, 9, 10});
    node.start(1, {{0, dead}, {11, {.step = nothing}}});
    EXPECT_TRUE(eventually([&] { return asked == 10; }));
    add({11});
    node.engine.wake();
    EXPECT_TRUE(node.engine.waitFor(key(11), kLimit));
    over = true;
    over.notify_all();
    for (std::int64_t job = 1; job <= 10; ++job)
        EXPECT_TRUE(node.engine.waitFor(key(job), kLimit)) << job;
    EXPECT_EQ(meeting.most, 2) << "they all answered at once";
}

TEST_F(WorkEngineTest, AsksAfterTheQueueAndNotBefore) {
    std::atomic<bool> over = false;
    std::atomic<bool> away = false;
    std::atomic<int> asked = 0;
    std::atomic<bool> ran = false;
    Node node(sys_->endpoint(), {.slots = 1});
    add({1});
    node.start(1, {{1, {.step = [&](WorkContext&, std::stop_token) -> std::optional<Pause> {
                        over.wait(false);
                        return std::nullopt;
                    }}},
                   {2,
                    {.step = [&](WorkContext&, std::stop_token) -> std::optional<Pause> {
                         ran = true;
                         return std::nullopt;
                     },
                     .ask = [&]() -> std::optional<Pause> {
                         ++asked;
                         if (!away) return std::nullopt;
                         return Pause{.at_most = 10ms, .waiting_for = "its destination"};
                     }}},
                   {3, {.step = nothing}}});
    ASSERT_TRUE(eventually([] { return record(1)->state == catalog::WorkState::Running; }));
    add({2, 3});
    node.engine.wake();
    ASSERT_TRUE(eventually([] { return record(2)->state == catalog::WorkState::Running; }));
    away = true;  // while it queues
    EXPECT_EQ(asked, 0);
    over = true;
    over.notify_all();
    EXPECT_TRUE(node.engine.waitFor(key(3), kLimit));
    EXPECT_TRUE(eventually([] { return isWaiting(2); }));
    EXPECT_EQ(record(2)->waiting_for, "its destination");
    EXPECT_FALSE(ran);
    away = false;
    EXPECT_TRUE(node.engine.waitFor(key(2), kLimit));
    EXPECT_TRUE(ran);
}

/// Its slot is another one's each time, by the time it answers; so it is given more time.
TEST_F(WorkEngineTest, ASlowDestinationHasItsTurnAmongFastOnes) {
    std::atomic<bool> over = false;
    std::atomic<int> asked = 0;
    std::atomic<int> others = 0;
    const Script fast{.step = [&](WorkContext&, std::stop_token) -> std::optional<Pause> {
        ++others;
        std::this_thread::sleep_for(300ms);  // for longer than the slow one takes to answer
        if (over) return std::nullopt;
        return Pause{};
    }};
    Node node(sys_->endpoint(), {.slots = 1, .answer = 10ms});
    add({2, 3});
    node.start(1, {{0, fast},
                   {1,
                    {.step = [&](WorkContext&, std::stop_token) -> std::optional<Pause> {
                         over = true;
                         return std::nullopt;
                     },
                     .ask = [&]() -> std::optional<Pause> {
                         ++asked;
                         std::this_thread::sleep_for(100ms);
                         return std::nullopt;
                     }}}});
    ASSERT_TRUE(eventually([&] { return others > 1; }));
    add({1});
    node.engine.wake();
    EXPECT_TRUE(node.engine.waitFor(key(1), kLimit));
    over = true;
    EXPECT_LE(asked, 3);
}

TEST_F(WorkEngineTest, APauseEndsWhenItIsWoken) {
    std::atomic<int> steps = 0;
    Node node(sys_->endpoint());
    add({1});
    node.start(1, {{0, {.step = [&](WorkContext&, std::stop_token) -> std::optional<Pause> {
                        if (++steps > 1) return std::nullopt;
                        return Pause{.at_most = 1h, .waiting_for = "a call"};
                    }}}});
    ASSERT_TRUE(eventually([] { return isWaiting(1); }));
    EXPECT_EQ(record(1)->waiting_for, "a call");
    node.engine.wake("test", 1001);
    EXPECT_TRUE(node.engine.waitFor(key(1), kLimit));
    EXPECT_EQ(steps, 2);
}

TEST_F(WorkEngineTest, WhatMayPassIsTriedAgainByTheRuleOfTheKind) {
    Script passing{.step = [](WorkContext& context, std::stop_token) -> std::optional<Pause> {
                       if (context.attempt() < 3) throw Error(ErrorCode::Unavailable, "away");
                       return std::nullopt;
                   },
                   .retry = 20ms};
    Script lasting = passing;
    lasting.retry = std::nullopt;
    Node node(sys_->endpoint());
    add({1, 2});
    node.start(1, {{1, passing}, {2, lasting}});
    EXPECT_TRUE(node.engine.waitFor(key(1), kLimit));
    EXPECT_TRUE(node.engine.waitFor(key(2), kLimit));
    EXPECT_EQ(theEnd(1).state, "COMPLETED");
    EXPECT_EQ(theEnd(1).attempt, 3);
    EXPECT_EQ(theEnd(2).state, "FAILED");
}

TEST_F(WorkEngineTest, AnIdleEngineCommitsNothing) {
    Node node(sys_->endpoint(), {.lease = 30ms, .look_interval = 10ms});
    add({1});
    node.start(1, {{0, {.step = nothing}}});
    ASSERT_TRUE(node.engine.waitFor(key(1), kLimit));
    mysql::SqlClient sys = sys_->connect();
    const auto looks = [&] {
        return std::stoll(sys.query("SHOW GLOBAL STATUS LIKE 'Com_select'").rows.at(0).text("Value"));
    };
    // A renewal of the lease may still be under way when the work ends, so it is waited for a time without a commit.
    EXPECT_TRUE(eventually([&] {
        const auto position = sys.scalar("SELECT @@gtid_binlog_pos");
        const auto before = looks();
        EXPECT_TRUE(eventually([&] { return looks() > before + 20; }));
        return sys.scalar("SELECT @@gtid_binlog_pos") == position;
    }));
}

TEST_F(WorkEngineTest, AnEndInOrderGivesTheWorkBackToWhoeverComes) {
    std::atomic<int> begun = 0;
    add({1, 2});
    {
        Node first(sys_->endpoint());
        first.start(
            1, {{1,
                 {.step =
                      [&](WorkContext& context, std::stop_token stop) {
                          ++begun;
                          return untilStopped(context, std::move(stop));
                      }}},
                {2, {.step = [](WorkContext&, std::stop_token) { return Pause{.at_most = 1h, .waiting_for = "x"}; }}}});
        ASSERT_TRUE(eventually([&] { return begun == 1 && isWaiting(2); }));
    }
    EXPECT_EQ(record(1)->owner.node, 0);
    Node second(sys_->endpoint());  // its lease would keep it from taking anything that is owned
    second.start(2, {{0, {.step = nothing}}}, 1);
    for (const std::int64_t job : {1, 2}) {
        ASSERT_TRUE(second.engine.waitFor(key(job), kLimit));
        EXPECT_EQ(theEnd(job).state, "COMPLETED");
        EXPECT_EQ(theEnd(job).attempt, 1);
    }
}

}  // namespace
}  // namespace tidemark::job
