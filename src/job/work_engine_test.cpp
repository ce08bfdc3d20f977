#include "job/work_engine.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <functional>

#include "catalog/sql_row.h"
#include "testing/mariadb_server.h"

namespace tidemark::job {
namespace {

using namespace std::chrono_literals;
using Steady = std::chrono::steady_clock;
using Step = std::function<std::optional<Pause>(WorkContext&, std::stop_token)>;

constexpr auto kLimit = 20s;  // for what has to happen, on a machine that is busy otherwise

/// How a job ended, as it was recorded under its claim.
struct End {
    std::int64_t job = 0;
    std::int64_t node = 0;
    std::int64_t attempt = 0;
    std::string state;
    std::string comment;
};

struct Script {
    Step step;
    bool heavy = true;
    std::optional<std::chrono::milliseconds> retry;
    std::shared_ptr<std::atomic<int>> failing_ends = std::make_shared<std::atomic<int>>(0);
};

const char* stateOf(const catalog::Outcome& outcome) {
    using State = catalog::Outcome::State;
    return outcome.state == State::Completed ? "COMPLETED" : outcome.state == State::Failed ? "FAILED" : "CANCELED";
}

class ScriptedJob : public Job {
public:
    ScriptedJob(catalog::Catalog& catalog, WorkContext& context, Script script)
        : catalog_(catalog), context_(context), script_(std::move(script)) {}

    bool heavy() const override { return script_.heavy; }
    std::optional<Pause> run(std::stop_token stop) override { return script_.step(context_, std::move(stop)); }
    std::optional<std::chrono::milliseconds> retryAfter(const Error&) override { return script_.retry; }

    void finish(const catalog::Outcome& outcome) override {
        if (script_.failing_ends->fetch_sub(1) > 0) throw Error(ErrorCode::Internal, "the table is full");
        catalog_.write({}, [&](mysql::SqlClient& client) {
            catalog::endWork(client, context_.claim());
            client.query("INSERT INTO test.ended VALUES (?, ?, ?, ?, ?)",
                         {context_.key().id, context_.claim().owner.node, std::int64_t{context_.attempt()},
                          std::string(stateOf(outcome)), outcome.comment});
        });
    }

private:
    catalog::Catalog& catalog_;
    WorkContext& context_;
    const Script script_;
};

/// Blocks until stopped, then throws Cancelled, as jobs do.
std::optional<Pause> untilStopped(WorkContext&, std::stop_token stop) {
    std::mutex mutex;
    std::condition_variable_any condition;
    std::unique_lock lock(mutex);
    condition.wait(lock, stop, [] { return false; });
    throw Error(ErrorCode::Cancelled, "seen");
}

std::optional<Pause> nothing(WorkContext&, std::stop_token) {
    return std::nullopt;
}

template <typename Condition>
bool eventually(Condition condition) {
    const auto until = Steady::now() + kLimit;
    while (!condition()) {
        if (Steady::now() > until) return false;
        std::this_thread::sleep_for(5ms);
    }
    return true;
}

/// One node: what it has of its own in a cluster.
struct Node {
    Node(const mysql::Endpoint& sys, WorkEngineOptions options = {})
        : catalog({.endpoint = sys, .retry_limit = 2s}, clock), work(catalog), engine(work, options) {}

    /// Jobs of the kind "test" do what the script of their id says, or the one of id 0.
    void start(std::int64_t id, std::map<std::int64_t, Script> scripts, int attempts = 3) {
        WorkKind kind{.name = "test", .attempts = attempts};
        kind.make = [this, scripts = std::move(scripts)](WorkContext& context) {
            const auto found = scripts.find(context.key().id);
            return std::make_unique<ScriptedJob>(catalog, context,
                                                 found == scripts.end() ? scripts.at(0) : found->second);
        };
        if (here) kind.here = here;
        engine.add(std::move(kind));
        engine.start(id);
    }

    SystemClock clock;
    catalog::Catalog catalog;
    catalog::WorkStore work;
    WorkEngine engine;
    std::function<bool(const catalog::WorkRow&)> here;
};

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

class WorkEngineTest : public ::testing::Test {
protected:
    static void SetUpTestSuite() { sys_ = std::make_unique<testing::MariadbServer>(); }
    static void TearDownTestSuite() { sys_.reset(); }

    WorkEngineTest() {
        sys_->connect().script(
            "DROP DATABASE IF EXISTS tidemark; DROP DATABASE IF EXISTS test; CREATE DATABASE test;"
            "CREATE TABLE test.ended (job BIGINT, node BIGINT, attempt BIGINT, state VARCHAR(16), comment TEXT)");
        Node(sys_->endpoint()).catalog.migrate();
    }

    static void add(std::initializer_list<std::int64_t> jobs) {
        Node node(sys_->endpoint());
        for (const std::int64_t job : jobs)
            node.work.add("test", 1000 + job, job);
    }
    static JobKey key(std::int64_t job) { return {.kind = "test", .tenant = 1000 + job, .id = job}; }
    static std::optional<catalog::WorkRow> record(std::int64_t job) {
        return Node(sys_->endpoint()).work.find("test", 1000 + job, job);
    }
    static bool isWaiting(std::int64_t job) { return record(job)->state == catalog::WorkState::Waiting; }
    static void cancel(Node& node, std::int64_t job) {
        node.catalog.write({}, [&](mysql::SqlClient& client) { catalog::cancelWork(client, "test", 1000 + job, job); });
        node.engine.cancel(key(job));
    }
    /// All ends of a job: that there is one says that it was not done twice.
    static std::vector<End> ends(std::int64_t job) {
        std::vector<End> ends;
        for (const mysql::Row& row : sys_->connect().query("SELECT * FROM test.ended WHERE job = ?", {job}).rows) {
            ends.push_back({.job = job,
                            .node = row.integer("node"),
                            .attempt = row.integer("attempt"),
                            .state = row.text("state"),
                            .comment = row.text("comment")});
        }
        return ends;
    }
    static End theEnd(std::int64_t job) {
        const auto found = ends(job);
        EXPECT_EQ(found.size(), 1) << "of job " << job;
        return found.empty() ? End{} : found.front();
    }

    static inline std::unique_ptr<testing::MariadbServer> sys_;
};

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
    Node node(sys_->endpoint(), {.slots = 1});
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
    ASSERT_TRUE(eventually([&] { return node.engine.isActive(key(1)) && node.engine.isActive(key(2)); }));
    for (const std::int64_t job : {2, 3, 1, 4}) {
        cancel(node, job);
        ASSERT_TRUE(node.engine.waitFor(key(job), 5s)) << job;  // before a renewal would tell it
        EXPECT_EQ(theEnd(job).state, "CANCELED") << job;
    }
    EXPECT_FALSE(queued_ran);
}

TEST_F(WorkEngineTest, NeverDoesMoreHeavyStepsAtOnceThanItHasSlots) {
    std::atomic<int> now = 0;
    std::atomic<int> most = 0;
    Node node(sys_->endpoint(), {.slots = 3});
    add({1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12});
    node.start(1, {{0, {.step = [&](WorkContext&, std::stop_token) -> std::optional<Pause> {
                        const int running = ++now;
                        int seen = most;
                        while (running > seen && !most.compare_exchange_weak(seen, running)) {
                        }
                        std::this_thread::sleep_for(5ms);  // so that they would meet
                        --now;
                        return std::nullopt;
                    }}}});
    for (std::int64_t job = 1; job <= 12; ++job)
        ASSERT_TRUE(node.engine.waitFor(key(job), kLimit));
    EXPECT_EQ(most, 3);
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
    Node node(sys_->endpoint(), {.slots = 2, .stalled = 100ms});
    add({1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20});
    node.start(1, std::move(scripts));
    EXPECT_TRUE(eventually([&] { return hanging == 10; }));
    add({21});
    const auto asked = Steady::now();
    node.engine.wake();
    EXPECT_TRUE(node.engine.waitFor(key(21), kLimit));
    EXPECT_LT(Steady::now() - asked, 2s);
    over = true;
    over.notify_all();
    for (std::int64_t job = 2; job <= 20; job += 2)
        cancel(node, job);
}

TEST_F(WorkEngineTest, AHeavyStepKeepsItsSlotAsLongAsItMoves) {
    std::atomic<bool> moving = false;
    std::atomic<bool> met = false;
    Node node(sys_->endpoint(), {.slots = 1, .stalled = 100ms});
    add({1, 2});
    node.start(1, {{1, {.step = [&](WorkContext& context, std::stop_token) -> std::optional<Pause> {
                        moving = true;
                        for (const auto until = Steady::now() + 500ms; Steady::now() < until;) {
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
    const auto position = sys.scalar("SELECT @@gtid_binlog_pos");
    const auto before = looks();
    ASSERT_TRUE(eventually([&] { return looks() > before + 20; }));
    EXPECT_EQ(sys.scalar("SELECT @@gtid_binlog_pos"), position);
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

TEST_F(WorkEngineTest, TwoNodesDoNotDisturbEachOther) {
    constexpr auto kLease = 300ms;
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
    const WorkEngineOptions options{.lease = 600ms, .look_interval = 10ms};
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
    constexpr auto kLease = 600ms;
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
    EXPECT_GE(Steady::now() - killed, kLease / 2);  // its last renewal was a third of a lease before, at most
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
    EXPECT_LT(Steady::now() - started, 5s);
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
    constexpr auto kLease = 300ms;
    std::atomic<int> begun = 0;
    std::atomic<bool> hung = false;
    Node node(sys_->endpoint(), {.lease = kLease, .look_interval = 20ms});
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
    std::this_thread::sleep_for(3 * kLease);  // what is waited for is this time
    EXPECT_TRUE(node.engine.isActive(key(1)));
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
