#include "clean/preview.h"

#include <gtest/gtest.h>

namespace tidemark::clean {
namespace {

using catalog::DeletedObject;

catalog::BackupSet set(std::int64_t id, Scn point) {
    return {.backup_set_id = id,
            .status = catalog::BackupSetStatus::Success,
            .file_status = catalog::FileStatus::Available,
            .start_replay_scn = point,
            .min_restore_scn = point};
}
catalog::ArchivePiece piece(std::int64_t id, std::int64_t round, Scn from, Scn until) {
    return {.round_id = round,
            .piece_id = id,
            .file_status = catalog::FileStatus::Available,
            .start_scn = from,
            .checkpoint_scn = until,
            .end_scn = until};
}
catalog::ArchiveRound round(std::int64_t id, Scn from, Scn until) {
    return {.round_id = id, .start_scn = from, .checkpoint_scn = until};
}

using Ranges = std::vector<ScnRange>;
using Things = std::vector<catalog::DeletedThing>;

/// Two rounds: [100, 300] in two pieces with sets at 110 and 210, and [400, 500] with a set at 450.
const catalog::BackupInventory kInventory{
    .sets = {set(1, 110), set(2, 210), set(3, 450)},
    .pieces = {piece(1, 1, 100, 200), piece(2, 1, 200, 300), piece(3, 2, 400, 500)}};
const std::vector<catalog::ArchiveRound> kRounds{round(1, 100, 300), round(2, 400, 500)};

TEST(LostPoints, AreWhatNoSetThatStaysReaches) {
    EXPECT_EQ(lostPoints(kInventory, kRounds, {}), Ranges{});
    EXPECT_EQ(lostPoints(kInventory, kRounds, Things{{DeletedObject::BackupSet, 1}}), (Ranges{{110, 209}}));
    EXPECT_EQ(lostPoints(kInventory, kRounds, Things{{DeletedObject::BackupSet, 2}}), Ranges{})
        << "the first set and more log reach them";
    EXPECT_EQ(lostPoints(kInventory, kRounds, Things{{DeletedObject::BackupSet, 1}, {DeletedObject::BackupSet, 2}}),
              (Ranges{{110, 300}}));
    EXPECT_EQ(lostPoints(kInventory, kRounds, Things{{DeletedObject::BackupSet, 3}}), (Ranges{{450, 500}}));
}

TEST(LostPoints, LogThatGoesTakesThePointsBehindASetWithIt) {
    EXPECT_EQ(lostPoints(kInventory, kRounds, Things{{DeletedObject::BackupPiece, 1}}), (Ranges{{111, 209}}))
        << "a set alone restores to its own point";
    EXPECT_EQ(lostPoints(kInventory, kRounds, Things{{DeletedObject::BackupSet, 1}, {DeletedObject::BackupPiece, 1}}),
              (Ranges{{110, 209}}));
}

TEST(LostPoints, LogThatASetCarriesStaysWithIt) {
    catalog::BackupInventory inventory = kInventory;
    inventory.sets.front().log_end_scn = 150;
    EXPECT_EQ(lostPoints(inventory, kRounds, Things{{DeletedObject::BackupPiece, 1}}), (Ranges{{151, 209}}));
    EXPECT_EQ(lostPoints(inventory, kRounds, Things{{DeletedObject::BackupSet, 1}}), (Ranges{{110, 209}}));
}

}  // namespace
}  // namespace tidemark::clean
