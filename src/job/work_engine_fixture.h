#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <functional>

#include "base/stop_sleep.h"
#include "catalog/sql_row.h"
#include "job/work_engine.h"
#include "testing/eventually.h"
#include "testing/mariadb_server.h"

namespace tidemark::job {

using namespace std::chrono_literals;
using Steady = std::chrono::steady_clock;
using Step = std::function<std::optional<Pause>(WorkContext&, std::stop_token)>;

constexpr auto kLimit = 60s;  // for what has to happen, on a machine that is busy otherwise

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
    std::function<std::optional<Pause>()> ask = []() -> std::optional<Pause> { return std::nullopt; };
    std::optional<std::chrono::milliseconds> retry;
    std::shared_ptr<std::atomic<int>> failing_ends = std::make_shared<std::atomic<int>>(0);
};

inline const char* stateOf(const catalog::Outcome& outcome) {
    using State = catalog::Outcome::State;
    return outcome.state == State::Completed ? "COMPLETED" : outcome.state == State::Failed ? "FAILED" : "CANCELED";
}

class ScriptedJob : public Job {
public:
    ScriptedJob(catalog::Catalog& catalog, WorkContext& context, Script script)
        : catalog_(catalog), context_(context), script_(std::move(script)) {}

    bool heavy() const override { return script_.heavy; }
    std::optional<Pause> ask() override { return script_.ask(); }
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
inline std::optional<Pause> untilStopped(WorkContext&, std::stop_token stop) {
    sleepUntilStopped(stop);
    throw Error(ErrorCode::Cancelled, "seen");
}

inline std::optional<Pause> nothing(WorkContext&, std::stop_token) {
    return std::nullopt;
}

using testing::eventually;

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

}  // namespace tidemark::job
