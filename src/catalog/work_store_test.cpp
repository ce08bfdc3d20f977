#include "catalog/work_store.h"

#include <gtest/gtest.h>

#include "testing/mariadb_server.h"

namespace tidemark::catalog {
namespace {

using namespace std::chrono_literals;

constexpr WorkOwner kFirst{.node = 1, .session = 11};
constexpr WorkOwner kFirstAgain{.node = 1, .session = 12};
constexpr WorkOwner kSecond{.node = 2, .session = 21};

class WorkStoreTest : public ::testing::Test {
protected:
    static void SetUpTestSuite() { server_ = std::make_unique<testing::MariadbServer>(); }
    static void TearDownTestSuite() { server_.reset(); }

    WorkStoreTest() {
        server_->connect().script("DROP DATABASE IF EXISTS tidemark");
        catalog_.migrate();
        work_.add("backup", 1002, 1, "begun");
    }

    WorkRow row() { return work_.find("backup", 1002, 1).value(); }
    void passLease() { server_->connect().query("UPDATE tidemark.work SET lease_until = NOW(6) - INTERVAL 1 SECOND"); }
    template <typename Action>
    static std::optional<ErrorCode> failure(Action action) {
        try {
            action();
            return std::nullopt;
        } catch (const Error& error) {
            return error.code();
        }
    }

    static inline std::unique_ptr<testing::MariadbServer> server_;
    SystemClock clock_;
    Catalog catalog_{{.endpoint = server_->endpoint(), .retry_limit = 100ms}, clock_};
    WorkStore work_{catalog_};
};

TEST_F(WorkStoreTest, IsTakenByOneAndEndedByIt) {
    EXPECT_EQ(failure([&] { work_.add("backup", 1002, 1); }), ErrorCode::AlreadyExists);
    const WorkRow seen = row();
    EXPECT_EQ(seen.progress, "begun");
    const auto taken = work_.take(seen, kFirst, 1h);
    ASSERT_TRUE(taken);
    EXPECT_EQ(taken->claim(), row().claim());
    EXPECT_EQ(row().state, WorkState::Running);
    EXPECT_FALSE(work_.take(seen, kSecond, 1h)) << "it has been taken since it was seen";
    EXPECT_FALSE(work_.take(row(), kSecond, 1h)) << "its lease is not over";
    EXPECT_FALSE(work_.take(row(), kFirst, 1h)) << "it is its own";
    EXPECT_EQ(work_.othersThan(kFirst).size(), 0);
    EXPECT_EQ(work_.othersThan(kSecond).size(), 1);
    work_.end(taken->claim());
    EXPECT_FALSE(work_.find("backup", 1002, 1));
}

TEST_F(WorkStoreTest, AClaimThatIsVoidChangesNothing) {
    const WorkClaim old = work_.take(row(), kFirst, 1h)->claim();
    const auto taken = work_.take(row(), kFirstAgain, 1h);  // a dead session of the same node
    ASSERT_TRUE(taken);
    EXPECT_EQ(taken->attempt, 2);
    EXPECT_EQ(failure([&] { work_.setProgress(old, "late"); }), ErrorCode::Conflict);
    EXPECT_EQ(failure([&] { work_.setWaiting(old, "late"); }), ErrorCode::Conflict);
    EXPECT_EQ(failure([&] { work_.retryLater(old, 1s, "late"); }), ErrorCode::Conflict);
    EXPECT_EQ(failure([&] { work_.end(old); }), ErrorCode::Conflict);
    WorkClaim guessed = taken->claim();
    guessed.owner = kSecond;
    EXPECT_EQ(failure([&] { work_.end(guessed); }), ErrorCode::Conflict);
    EXPECT_EQ(row().progress, "begun");
    EXPECT_EQ(row().state, WorkState::Running);
}

TEST_F(WorkStoreTest, ALeaseThatIsOverHoldsUpItsOwnerUntilItIsRenewedOrTaken) {
    const WorkClaim claim = work_.take(row(), kFirst, 1h)->claim();
    passLease();
    EXPECT_EQ(failure([&] { work_.setProgress(claim, "late"); }), ErrorCode::Unavailable);
    EXPECT_EQ(row().progress, "begun");
    ASSERT_EQ(work_.renew(kFirst, 1h).size(), 1);
    work_.setProgress(claim, "on");
    EXPECT_EQ(row().progress, "on");
    passLease();
    const auto taken = work_.take(row(), kSecond, 1h);
    ASSERT_TRUE(taken);
    EXPECT_EQ(taken->progress, "on");
    EXPECT_EQ(taken->attempt, 2);
    EXPECT_TRUE(work_.renew(kFirst, 1h).empty());
    EXPECT_EQ(failure([&] { work_.end(claim); }), ErrorCode::Conflict);
}

TEST_F(WorkStoreTest, ARenewalKeepsWhatWasSeenBeforeItFromBeingTaken) {
    ASSERT_TRUE(work_.take(row(), kFirst, 1h));
    passLease();
    const WorkRow seen = row();
    EXPECT_TRUE(seen.lease_over);
    EXPECT_EQ(work_.renew(kFirst, 1h).at(0).claim, seen.claim());
    passLease();  // sys's clock jumps
    EXPECT_FALSE(work_.take(seen, kSecond, 1h));
}

TEST_F(WorkStoreTest, CountsAttemptsWhereSomethingWasBegun) {
    WorkClaim claim = work_.take(row(), kFirst, 1h)->claim();
    work_.setWaiting(claim, "the archive");
    claim = work_.take(row(), kFirstAgain, 1h)->claim();
    EXPECT_EQ(row().attempt, 1) << "it only waited";
    work_.giveBack(kFirstAgain);
    EXPECT_EQ(row().owner.node, 0);
    claim = work_.take(row(), kSecond, 1h)->claim();
    EXPECT_EQ(row().attempt, 1) << "it was given back";
    work_.retryLater(claim, 1h, "away");
    EXPECT_EQ(row().attempt, 2);
    EXPECT_EQ(row().waiting_for, "away");
    EXPECT_GT(row().due_in, 59min);
    EXPECT_FALSE(work_.take(row(), kSecond, 1h)) << "not yet";
    catalog_.write({}, [](mysql::SqlClient& client) { EXPECT_TRUE(cancelWork(client, "backup", 1002, 1)); });
    const auto cancelled = work_.take(row(), kSecond, 1h);
    ASSERT_TRUE(cancelled) << "the end does not wait";
    EXPECT_TRUE(cancelled->cancelled);
    EXPECT_TRUE(work_.renew(kSecond, 1h).at(0).cancelled);
}

}  // namespace
}  // namespace tidemark::catalog
