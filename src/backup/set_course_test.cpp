#include "backup/set_course.h"

#include <gtest/gtest.h>

#include "backup/set_making.h"
#include "base/error.h"
#include "storage/destination.h"
#include "storage/memory_storage.h"
#include "testing/mariadb_server.h"

namespace tidemark::backup {
namespace {

using Step = SetCourse::Step;

class SetCourseTest : public ::testing::Test {
protected:
    SetCourseTest() { storage_->put(storage::kMarkerKey, viewOf("here")); }

    SetCourse course(BackupProgress progress = {}, int attempt = 1) {
        SetCourse made({.node_key = key_,
                        .log = makeLogger("test"),
                        .save = [this](const std::string& text) { saved_.push_back(BackupProgress::from(text)); }},
                       std::move(progress), attempt);
        made.open(storage_);
        return made;
    }
    void goAway() { storage_->remove(storage::kMarkerKey); }

    const testing::TemporaryDirectory directory_;
    const NodeKey key_{directory_.path() / "key"};
    std::shared_ptr<storage::MemoryStorage> storage_ = std::make_shared<storage::MemoryStorage>();
    std::vector<BackupProgress> saved_;
};

TEST_F(SetCourseTest, WaitsForWhatIsAwayButNotInTheMidstOfACopy) {
    const Error passing(ErrorCode::Unavailable, "away");
    const Error refused(ErrorCode::Unavailable, SqlCode{9080}, "no destination");
    const Error other(ErrorCode::Corrupt, "damaged");
    SetCourse made = course();
    EXPECT_TRUE(made.waits(passing, false));
    EXPECT_FALSE(made.waits(passing, true)) << "it was told to stop";
    EXPECT_FALSE(made.waits(refused, false)) << "that ends a backup which has copied nothing";
    EXPECT_FALSE(made.waits(other, false));
    made.go(Step::Copy);
    EXPECT_FALSE(made.waits(passing, false)) << "copy() decides";
    made.go(Step::Complete);
    EXPECT_TRUE(made.waits(refused, false));
    EXPECT_FALSE(made.waits(other, false));
    goAway();
    EXPECT_TRUE(made.waits(other, false)) << "what is not mounted looks like damage";
}

TEST_F(SetCourseTest, CopiesSomeTimesEachInATurnOfItsOwn) {
    SetCourse made = course();
    made.beginSet({}, {}, {}, {});
    made.go(Step::Copy);
    const auto fail = [](ErrorCode code) { return [code]() -> DataBackupResult { throw Error(code, "x"); }; };
    for (int i = 1; i < kMostCopies; ++i) {
        EXPECT_FALSE(made.copy(fail(ErrorCode::Unavailable), {}));
        EXPECT_EQ(saved_.back().turn, static_cast<std::uint32_t>(i + 1));
    }
    EXPECT_THROW(made.copy(fail(ErrorCode::Unavailable), {}), Error);
    const auto turns = saved_.size();
    SetCourse another = course();
    another.go(Step::Copy);
    EXPECT_THROW(another.copy(fail(ErrorCode::NoSpace), {}), Error) << "that does not pass";
    EXPECT_EQ(saved_.size(), turns);
    EXPECT_TRUE(another.copy([] { return DataBackupResult{}; }, {}));
    EXPECT_EQ(another.step(), Step::NoteCopy);
}

TEST_F(SetCourseTest, ADestinationThatGoesHoweverOftenIsNoFailureOfACopy) {
    SetCourse made = course();
    made.go(Step::Copy);
    goAway();
    for (int i = 0; i < 3 * kMostCopies; ++i)
        EXPECT_FALSE(made.copy([] { return DataBackupResult{}; }, {})) << "it went beneath the mount point";
    std::stop_source stop;
    stop.request_stop();
    EXPECT_THROW(made.copy([] { return DataBackupResult{}; }, stop.get_token()), Error);
}

TEST_F(SetCourseTest, ALaterAttemptCopiesAgainInANewTurnOrGoesOnWithTheCopy) {
    const backup_set::SetId id{1, backup_set::SetKind::Full};
    SetCourse again = course({.turn = 3}, 2);
    EXPECT_EQ(again.resume(1002, id, {}), SetCourse::Resumed::CopyAgain);
    EXPECT_EQ(saved_.back().turn, 4U);
    BackupProgress copied{.turn = 3};
    copied.copied = backup_set::BackupSetDescription{.id = id, .turn = 3};
    SetCourse goes_on = course(copied, 2);
    EXPECT_EQ(goes_on.resume(1002, id, {}), SetCourse::Resumed::Copied);
    EXPECT_EQ(goes_on.description().turn, 3U);
    EXPECT_EQ(saved_.size(), 1U);
}

TEST_F(SetCourseTest, AsksForAWholeSetOnlyWhereThereMayBeOne) {
    int asked = 0;
    const auto ask = [&](SetCourse& made, std::int64_t number) {
        const int before = asked;
        made.wholeSet(1002, number, [&] {
            ++asked;
            return std::optional<backup_set::SetId>();
        });
        return asked > before;
    };
    SetCourse made = course();
    EXPECT_FALSE(ask(made, 0)) << "no set has begun";
    EXPECT_TRUE(ask(made, 1)) << "an earlier attempt may have made it whole";
    made.go(Step::Copy);
    EXPECT_FALSE(ask(made, 1));
    made.go(Step::Complete);
    EXPECT_TRUE(ask(made, 1));
}

TEST_F(SetCourseTest, OnlyAFirstCopyThatCompletesLeavesNothing) {
    EXPECT_FALSE(course({.turn = 1}, 1).leavesSomething(true));
    EXPECT_TRUE(course({.turn = 1}, 1).leavesSomething(false));
    EXPECT_TRUE(course({.turn = 2}, 1).leavesSomething(true));
    EXPECT_TRUE(course({.turn = 1}, 2).leavesSomething(true));
}

}  // namespace
}  // namespace tidemark::backup
