#include "backup/set_making.h"

#include <gtest/gtest.h>

#include "backup/parent_set.h"
#include "base/error.h"
#include "storage/faulty_storage.h"
#include "storage/memory_storage.h"

namespace tidemark::backup {
namespace {

using storage::FaultRule;

constexpr backup_set::SetId kSet{1, backup_set::SetKind::Full};

/// A set with a file, described but for its end.
backup_set::BackupSetDescription writeSet(storage::Storage& storage) {
    backup_set::beginTurn(storage, kSet, 1);
    block::WorkerPool pool(1);
    block::Lane lane(pool);
    block::BlockProgress progress;
    block::BlockWriter writer(storage, lane, {.directory = backup_set::blockDirectory(kSet), .set_id = kSet.number},
                              progress);
    const block::FileNumber file = writer.beginFile("d/t.ibd");
    writer.add(file, 0, Bytes(50'000, 7));
    writer.endFile(file);
    DataBackupResult copied;
    copied.blocks = writer.finish();
    backup_set::BackupSetDescription description{.id = kSet, .start_time = 1'800'000'000 * kSecond};
    describeCopy(description, copied, 1, "1002-101-7");
    return description;
}

/// A destination that was away, or a write that was done and reported failed: time goes by until the next try.
TEST(SetMaking, GoesOnWithWhatItHasDescribedBeforeItFailed) {
    for (const char* object : {"single_backup_set_info", "backup_set_1_full_20", "end_success"}) {
        for (const auto effect : {FaultRule::Effect::Fail, FaultRule::Effect::FailAfter}) {
            storage::MemoryStorage inner;
            auto description = writeSet(inner);
            storage::FaultyStorage storage(
                inner, {{.on = FaultRule::Operation::Finish, .effect = effect, .key_part = object, .times = 1}}, 1);
            const Nanos first = description.start_time + kSecond;
            EXPECT_THROW(makeSetVisible(storage, description, {}, nullptr, first), Error);
            makeSetVisible(storage, description, {}, nullptr, first + 3600 * kSecond);
            const auto found = backup_set::listBackupSets(inner);
            ASSERT_EQ(found.size(), 1U);
            ASSERT_EQ(found[0].state, backup_set::FoundBackupSet::State::Complete) << object;
            EXPECT_EQ(found[0].description->end_time, description.end_time) << "as the views show it";
        }
    }
}

TEST(SetMaking, LooksForASetToLeanOnUntilItIsCancelled) {
    storage::MemoryStorage storage;
    auto description = writeSet(storage);
    makeSetVisible(storage, description, {}, nullptr, description.start_time + kSecond);
    const std::vector<catalog::BackupSet> sets{{.backup_set_id = 1,
                                                .status = catalog::BackupSetStatus::Success,
                                                .file_status = catalog::FileStatus::Available}};
    std::stop_source stop;
    EXPECT_TRUE(findParent(storage, sets, {}, makeLogger("test"), stop.get_token()).set);
    stop.request_stop();
    EXPECT_THROW(findParent(storage, sets, {}, makeLogger("test"), stop.get_token()), Error);
}

/// A chain has one key, which whoever opens one of its sets has.
TEST(ParentSet, LeansOnWhatTheSameOpens) {
    const auto set = [](std::int64_t number, std::int64_t parent, const std::string& mode, const std::string& key) {
        return catalog::BackupSet{.backup_set_id = number,
                                  .prev_inc_set_id = parent,
                                  .status = catalog::BackupSetStatus::Success,
                                  .file_status = catalog::FileStatus::Available,
                                  .encryption = {.mode = mode, .passwd = key}};
    };
    const std::string by_key = "TRANSPARENT_ENCRYPTION";
    const auto may_lean = [](const std::vector<catalog::BackupSet>& sets, const std::string& mode,
                             const std::string& key = {}) {
        return whyNoParent(sets, {.encryption = {.mode = mode, .passwd = key}}).empty();
    };
    EXPECT_TRUE(may_lean({set(1, 0, by_key, "a"), set(2, 1, by_key, "a")}, by_key, "a"));
    EXPECT_FALSE(may_lean({set(1, 0, by_key, "a")}, by_key, "b")) << "another key";
    EXPECT_TRUE(may_lean({set(1, 0, "PASSWORD", "a")}, "PASSWORD", "b")) << "who knows whether it is another";
    EXPECT_FALSE(may_lean({set(1, 0, "PASSWORD", "a")}, by_key, "a"));
    EXPECT_FALSE(may_lean({set(1, 0, by_key, "a")}, "PASSWORD", "b"));
    EXPECT_FALSE(may_lean({set(1, 0, by_key, "a")}, "NONE"));
    EXPECT_TRUE(may_lean({set(1, 0, "NONE", "")}, "NONE"));
    // As older versions made them; the set between may be gone.
    std::vector<catalog::BackupSet> mixed{set(1, 0, by_key, "a"), set(2, 1, by_key, "b"), set(3, 2, by_key, "a")};
    for (catalog::BackupSet& one : mixed)
        one.file_status = one.backup_set_id == 3 ? catalog::FileStatus::Available : catalog::FileStatus::Deleted;
    EXPECT_FALSE(may_lean(mixed, by_key, "a"));
    EXPECT_FALSE(may_lean(mixed, by_key, "b"));
}

TEST(SetMaking, CountsFromTheHighestNumberThereIs) {
    storage::MemoryStorage storage;
    EXPECT_EQ(leastSetId(storage), 1);
    backup_set::beginBackupSet(storage, {7, backup_set::SetKind::Incremental});
    EXPECT_EQ(leastSetId(storage), 8);
}

}  // namespace
}  // namespace tidemark::backup
