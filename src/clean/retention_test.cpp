#include "clean/retention.h"

#include <gtest/gtest.h>

#include "oceanbase/ob_error.h"

namespace tidemark::clean {
namespace {

using catalog::BackupInventory;
using catalog::BackupSet;
using catalog::BackupSetStatus;
using catalog::BackupType;
using catalog::DeletedObject;
using catalog::DeletedThing;
using catalog::FileStatus;

constexpr Scn kDay = 86'400ULL * kSecond;

/// The `day`th of January, 1 for the first.
constexpr Scn january(Scn day) {
    return 1'704'067'200ULL * kSecond + (day - 1) * kDay;
}
constexpr Scn kToday = january(15);

BackupSet full(std::int64_t id, Scn point) {
    return {.tenant = 1002,
            .backup_set_id = id,
            .status = BackupSetStatus::Success,
            .file_status = FileStatus::Available,
            .start_replay_scn = point,
            .min_restore_scn = point};
}
BackupSet inc(std::int64_t id, Scn point, std::int64_t on_full, std::int64_t on_inc = 0) {
    BackupSet set = full(id, point);
    set.type = BackupType::Inc;
    set.prev_full_set_id = on_full;
    set.prev_inc_set_id = on_inc;
    return set;
}

using Ids = std::vector<std::int64_t>;
Ids setsOf(const std::vector<DeletedThing>& things) {
    Ids ids;
    for (const DeletedThing& thing : things) {
        if (thing.object == DeletedObject::BackupSet) ids.push_back(thing.id);
    }
    return ids;
}
std::string heldBy(const Judgement& judgement, std::int64_t set) {
    const auto found = judgement.held.find({DeletedObject::BackupSet, set});
    return found == judgement.held.end() ? "" : found->second;
}

/// OceanBase's example: full sets of January 1, 7 and 14, incremental ones of 4 and 11.
BackupInventory example() {
    return {.sets = {full(1, january(1)), inc(2, january(4), 1), full(3, january(7)), inc(4, january(11), 3),
                     full(5, january(14))}};
}
Judgement obsolete(const BackupInventory& inventory, Scn days = 7) {
    return judgeObsolete(inventory, kToday - days * kDay, kToday);
}

TEST(Retention, KeepsTheNewestFullSetBeforeTheWindowAndEverythingLater) {
    const Judgement judgement = obsolete(example());
    EXPECT_EQ(setsOf(judgement.expired), (Ids{1, 2}));
    EXPECT_EQ(setsOf(judgement.remove), (Ids{2, 1})) << "who leans goes before who bears";
    EXPECT_TRUE(judgement.held.empty());
}

TEST(Retention, APointRightAtTheExpiryIsBeforeTheWindow) {
    EXPECT_EQ(setsOf(judgeObsolete(example(), january(7), kToday).expired), (Ids{1, 2}));
    EXPECT_EQ(setsOf(judgeObsolete(example(), january(7) - 1, kToday).expired), Ids{});
    EXPECT_EQ(setsOf(judgeObsolete(example(), january(14), kToday).expired), (Ids{1, 2, 3, 4}));
    EXPECT_EQ(setsOf(judgeObsolete(example(), january(1) - 1, kToday).expired), Ids{}) << "no anchor, nothing expires";
    EXPECT_EQ(setsOf(judgeObsolete({}, kToday, kToday).expired), Ids{});
}

TEST(Retention, WhatCannotBeRestoredIsNoAnchor) {
    for (const FileStatus status : {FileStatus::Broken, FileStatus::Deleting, FileStatus::Deleted, FileStatus::Copying,
                                    FileStatus::Incomplete}) {
        BackupInventory inventory = example();
        inventory.sets[2].file_status = status;
        EXPECT_EQ(setsOf(obsolete(inventory).expired), Ids{}) << catalog::text(status);
    }
    BackupInventory failed = example();
    failed.sets[2].status = BackupSetStatus::Failed;
    EXPECT_EQ(setsOf(obsolete(failed).expired), Ids{});
    BackupInventory marked = example();
    marked.sets[2].file_status = FileStatus::Expired;  // of a longer window that is a shorter one now
    EXPECT_EQ(setsOf(obsolete(marked).expired), (Ids{1, 2}));
}

TEST(Retention, AnIncrementalSetIsNoAnchor) {
    const BackupInventory inventory{.sets = {full(1, january(1)), inc(2, january(7), 1), full(3, january(14))}};
    EXPECT_EQ(setsOf(obsolete(inventory).expired), Ids{});
}

TEST(Retention, ABrokenSetBeforeTheAnchorGoesAndOneAfterItStays) {
    BackupInventory inventory = example();
    inventory.sets[0].file_status = inventory.sets[3].file_status = FileStatus::Broken;
    EXPECT_EQ(setsOf(obsolete(inventory).remove), (Ids{2, 1}));
}

TEST(Retention, AKeptSetStaysAndWhatItLeansOnButNothingElse) {
    BackupInventory inventory = example();
    inventory.kept[2] = kScnUnlimited;
    const Judgement judgement = obsolete(inventory);
    EXPECT_EQ(setsOf(judgement.expired), (Ids{1, 2}));
    EXPECT_EQ(setsOf(judgement.remove), Ids{});
    EXPECT_EQ(heldBy(judgement, 2), "it is kept");
    EXPECT_EQ(heldBy(judgement, 1), "backup set 2 leans on it");
    inventory.kept = {{1, kScnUnlimited}};
    EXPECT_EQ(setsOf(obsolete(inventory).remove), (Ids{2})) << "one that is kept for ever holds up nothing later";
    inventory.kept = {{1, kToday}, {2, kToday - 1}};
    EXPECT_EQ(setsOf(obsolete(inventory).remove), (Ids{2, 1})) << "its time is over";
    inventory.kept = {{1, kToday + 1}};
    EXPECT_NE(heldBy(obsolete(inventory), 1).find("kept until 2024-01-15"), std::string::npos);
}

TEST(Retention, WhatIsInUseStaysAndAllThatItLeansOn) {
    BackupInventory inventory = example();
    inventory.sets.insert(inventory.sets.begin() + 2, inc(6, january(5), 1, 2));
    inventory.uses = {{.tenant = 1002, .backup_set_id = 6, .kind = "restore", .job_id = 9}};
    const Judgement judgement = obsolete(inventory);
    EXPECT_EQ(setsOf(judgement.remove), Ids{});
    EXPECT_EQ(heldBy(judgement, 6), "restore job 9 uses it");
    EXPECT_EQ(heldBy(judgement, 2), "backup set 6 leans on it");
    EXPECT_FALSE(heldBy(judgement, 1).empty());
}

TEST(Retention, ABackupInTheMakingHoldsItsBase) {
    BackupInventory inventory = example();
    BackupSet made = inc(6, 0, 1);
    made.status = BackupSetStatus::Doing;
    made.file_status = FileStatus::Copying;
    inventory.sets.push_back(made);
    EXPECT_EQ(setsOf(obsolete(inventory).remove), (Ids{2}));
    EXPECT_EQ(heldBy(obsolete(inventory), 1), "backup set 6 leans on it");
}

TEST(Retention, WhatFailedHoldsNothing) {
    BackupInventory inventory = example();
    BackupSet failed = inc(6, 0, 1);
    failed.status = BackupSetStatus::Failed;
    failed.file_status = FileStatus::Incomplete;
    inventory.sets.push_back(failed);
    EXPECT_EQ(setsOf(obsolete(inventory).remove), (Ids{2, 1}));
}

TEST(Retention, SetsThatAreNamedGoTogetherOrNotAtAll) {
    EXPECT_EQ(setsOf(judgeSets(example(), {2}, kToday).remove), (Ids{2}));
    EXPECT_EQ(setsOf(judgeSets(example(), {1, 2}, kToday).remove), (Ids{2, 1}));
    const Judgement alone = judgeSets(example(), {1}, kToday);
    EXPECT_TRUE(alone.remove.empty());
    EXPECT_EQ(heldBy(alone, 1), "backup set 2 leans on it");
}

TEST(Retention, TheLastGoodFullSetAlwaysStays) {
    const Judgement all = judgeSets(example(), {1, 2, 3, 4, 5}, kToday);
    EXPECT_EQ(setsOf(all.remove), (Ids{4, 3, 2, 1}));
    EXPECT_EQ(heldBy(all, 5), "it is the last good full set of the tenant");
    BackupInventory inventory = example();
    inventory.sets[4].file_status = FileStatus::Broken;
    const Judgement broken = judgeSets(inventory, {1, 2, 3, 4, 5}, kToday);
    EXPECT_EQ(setsOf(broken.remove), (Ids{5, 4, 2, 1})) << "the newest is no good one";
    EXPECT_FALSE(heldBy(broken, 3).empty());
    BackupInventory none{.sets = {full(1, january(1))}};
    none.sets[0].file_status = FileStatus::Broken;
    EXPECT_EQ(setsOf(judgeSets(none, {1}, kToday).remove), (Ids{1})) << "there is no good one to be kept";
    BackupInventory kept = example();
    kept.kept[3] = kScnUnlimited;
    EXPECT_EQ(setsOf(judgeSets(kept, {1, 2, 3, 4, 5}, kToday).remove), (Ids{5, 4, 2, 1})) << "a kept one is one";
}

catalog::ArchivePiece piece(std::int64_t id, Scn from, Scn until, std::int64_t round = 1) {
    return {.tenant = 1002,
            .round_id = round,
            .piece_id = id,
            .status = catalog::PieceStatus::Frozen,
            .file_status = FileStatus::Available,
            .start_scn = from,
            .checkpoint_scn = until,
            .end_scn = until};
}
/// A piece each two days from January 1 on; the last one is written.
BackupInventory withLog() {
    BackupInventory inventory = example();
    for (std::int64_t id = 1; id <= 8; ++id)
        inventory.pieces.push_back(piece(id, january(2 * static_cast<Scn>(id) - 1), january(2 * static_cast<Scn>(id) + 1)));
    inventory.pieces.back().status = catalog::PieceStatus::Active;
    return inventory;
}
Ids piecesOf(const std::vector<DeletedThing>& things) {
    Ids ids;
    for (const DeletedThing& thing : things) {
        if (thing.object == DeletedObject::BackupPiece) ids.push_back(thing.id);
    }
    return ids;
}

TEST(Retention, LogGoesThatEndsBeforeTheAnchorOldestFirstAndBehindTheSets) {
    const Judgement judgement = obsolete(withLog());
    EXPECT_EQ(piecesOf(judgement.remove), (Ids{1, 2, 3})) << "the third ends right where the anchor begins";
    EXPECT_EQ(judgement.remove.front().object, DeletedObject::BackupSet);
    EXPECT_EQ(judgement.remove.back().object, DeletedObject::BackupPiece);
    BackupInventory kept = withLog();
    kept.kept[1] = kScnUnlimited;
    EXPECT_EQ(piecesOf(obsolete(kept).remove), (Ids{1, 2, 3})) << "a kept set holds no log";
}

TEST(Retention, LogStaysThatIsInUseAndWhatComesBehindIt) {
    BackupInventory inventory = withLog();
    inventory.uses = {{.tenant = 1002,
                       .backup_set_id = 2,
                       .kind = "restore",
                       .job_id = 9,
                       .log_from = january(4),
                       .log_until = january(4) + 5}};
    const Judgement judgement = obsolete(inventory);
    EXPECT_EQ(piecesOf(judgement.expired), (Ids{1, 2, 3}));
    EXPECT_EQ(piecesOf(judgement.remove), (Ids{1}));
    EXPECT_EQ(judgement.held.at({DeletedObject::BackupPiece, 2}), "restore job 9 uses it");
    EXPECT_EQ(judgement.held.at({DeletedObject::BackupPiece, 3}), "piece 2 before it stays");
}

TEST(Retention, WithoutAGoodSetNoLogGoes) {
    BackupInventory inventory = withLog();
    inventory.sets.clear();
    EXPECT_TRUE(obsolete(inventory).remove.empty());
    inventory = withLog();
    for (BackupSet& set : inventory.sets)
        set.file_status = FileStatus::Broken;
    EXPECT_TRUE(piecesOf(obsolete(inventory).remove).empty());
    inventory = withLog();
    inventory.sets[2].start_replay_scn = 0;
    EXPECT_TRUE(piecesOf(obsolete(inventory).remove).empty()) << "nobody knows where its log begins";
}

TEST(Retention, TheNewestPieceStaysThoughItIsFrozen) {
    BackupInventory inventory = withLog();
    inventory.pieces.resize(3);
    EXPECT_EQ(piecesOf(obsolete(inventory).remove), (Ids{1, 2}));
}

TEST(Retention, APieceThatIsNamedGoesOnlyIfNoGoodSetNeedsItWhateverThePolicySays) {
    BackupInventory inventory = withLog();
    inventory.sets.erase(inventory.sets.begin(), inventory.sets.begin() + 2);
    EXPECT_EQ(piecesOf(judgePieces(inventory, {1, 2}).remove), (Ids{1, 2}));
    EXPECT_EQ(judgePieces(inventory, {2}).held.at({DeletedObject::BackupPiece, 2}), "piece 1 before it stays");
    EXPECT_EQ(judgePieces(inventory, {4}).held.at({DeletedObject::BackupPiece, 4}), "a set needs it");
    EXPECT_EQ(judgePieces(inventory, {8}).held.at({DeletedObject::BackupPiece, 8}), "it is being written");
    EXPECT_EQ(judgePieces(withLog(), {1}).held.at({DeletedObject::BackupPiece, 1}), "a set needs it");
}

int numberOf(const std::function<void()>& action) {
    try {
        action();
    } catch (const Error& error) {
        return error.sql() ? error.sql()->number : -1;
    }
    return 0;
}

TEST(Retention, ASetThatIsNotThereIsRefused) {
    EXPECT_EQ(numberOf([] { judgeSets(example(), {9}, kToday); }), 9046);
    BackupInventory inventory = example();
    inventory.sets[0].file_status = FileStatus::Deleted;
    EXPECT_EQ(numberOf([&] { judgeSets(inventory, {1}, kToday); }), 9046);
    inventory.sets[0].file_status = FileStatus::Deleting;
    EXPECT_EQ(heldBy(judgeSets(inventory, {1}, kToday), 1), "it is being removed");
}

/// However sets, keeps and uses lie, what is left works.
TEST(Retention, WhateverItIsWhatStaysIsWhole) {
    std::uint64_t state = 88172645463325252ULL;
    const auto random = [&](std::uint64_t below) {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        return state % below;
    };
    for (int round = 0; round < 3000; ++round) {
        BackupInventory inventory;
        std::int64_t last_full = 0;
        std::int64_t last_inc = 0;
        for (std::int64_t id = 1; id <= 8; ++id) {
            const Scn point = january(static_cast<Scn>(id));
            const bool is_full = last_full == 0 || random(3) == 0;
            inventory.sets.push_back(is_full ? full(id, point) : inc(id, point, last_full, last_inc));
            last_full = is_full ? id : last_full;
            last_inc = is_full ? 0 : id;
            if (random(8) == 0) inventory.sets.back().file_status = FileStatus::Broken;
            if (random(8) == 0) inventory.kept[id] = kScnUnlimited;
            if (random(8) == 0) inventory.uses.push_back({.tenant = 1002, .backup_set_id = id, .kind = "restore"});
        }
        const Scn expiry = january(1 + random(9));
        const Judgement judgement = judgeObsolete(inventory, expiry, kToday);
        const Ids gone = setsOf(judgement.remove);
        const auto stays = [&](std::int64_t id) { return std::find(gone.begin(), gone.end(), id) == gone.end(); };
        bool good_full = false;
        bool reaches_expiry = false;
        bool could_reach = false;
        for (const BackupSet& set : inventory.sets) {
            const bool good = isGood(set);
            good_full |= good && set.type == BackupType::Full && stays(set.backup_set_id);
            could_reach |= good && set.type == BackupType::Full && set.min_restore_scn <= expiry;
            reaches_expiry |= good && set.min_restore_scn <= expiry && stays(set.backup_set_id);
            if (!stays(set.backup_set_id)) {
                EXPECT_LT(set.min_restore_scn, expiry);
                EXPECT_FALSE(inventory.kept.contains(set.backup_set_id));
            } else if (set.type == BackupType::Inc) {
                EXPECT_TRUE(stays(set.prev_full_set_id)) << "round " << round;
                EXPECT_TRUE(set.prev_inc_set_id == 0 || stays(set.prev_inc_set_id)) << "round " << round;
            }
        }
        EXPECT_TRUE(good_full || gone.empty()) << "round " << round;
        EXPECT_TRUE(reaches_expiry || !could_reach) << "round " << round;
    }
}

}  // namespace
}  // namespace tidemark::clean
