#include "catalog/archive_store.h"

#include <array>

#include "catalog/stores_fixture.h"

namespace tidemark::catalog {
namespace {

TEST_F(StoresTest, ADestinationKeepsItsId) {
    const TenantId a = makeTenant("a").id;
    const TenantId b = makeTenant("b").id;
    auto& destinations = stores_.destinations;
    EXPECT_EQ(destinations.idOf(a, DestinationUse::ArchiveLog, "file:///x"), 1001);
    EXPECT_FALSE(destinations.archive(a));
    EXPECT_EQ(destinations.setArchive(a, "file:///x", Binding::Optional, 1).dest_id, 1001);
    EXPECT_EQ(destinations.setBackup(a, "file:///y").dest_id, 1002);
    EXPECT_EQ(destinations.setBackup(b, "file:///Y").dest_id, 1003);
    EXPECT_EQ(destinations.setBackup(a, "file:///Y").dest_id, 1004);
    EXPECT_EQ(destinations.setBackup(a, "file:///y").dest_id, 1002);
    EXPECT_EQ(destinations.backup(a)->path, "file:///y");
    destinations.setArchive(a, "file:///z", Binding::Mandatory, 7);
    const auto archive = destinations.archive(a);
    EXPECT_EQ(archive->dest_id, 1005);
    EXPECT_EQ(archive->binding, Binding::Mandatory);
    EXPECT_EQ(archive->piece_switch_days, 7);
    EXPECT_EQ(archive->state, DestinationState::Enable);
    destinations.clearArchive(a);
    destinations.clearBackup(a);
    EXPECT_FALSE(destinations.archive(a));
    EXPECT_FALSE(destinations.backup(a));
}

TEST_F(StoresTest, ChangesOfSettingsWaitInOrderUntilTheyAreArchived) {
    const TenantId id = makeTenant("a").id;
    auto& changes = stores_.setting_changes;
    changes.add({.tenant = id, .scn = 7, .gtid = "1002-1-5", .settings = {{"sql_mode", "ANSI"}}});
    changes.add({.tenant = id, .scn = 8, .settings = {{"sql_mode", "\xff"}}});
    const auto waiting = changes.of(id);
    ASSERT_EQ(waiting.size(), 2U);
    EXPECT_EQ(waiting[0].scn, 7U);
    EXPECT_EQ(waiting[0].gtid, "1002-1-5");
    EXPECT_EQ(waiting[0].settings.at("sql_mode"), "ANSI");
    changes.remove(id, waiting[0].id);
    ASSERT_EQ(changes.of(id).size(), 1U);
    EXPECT_EQ(changes.of(id)[0].id, waiting[1].id);
    stores_.tenants.remove(id);
    EXPECT_TRUE(changes.of(id).empty());
}

TEST_F(StoresTest, RoundsAndPiecesGoOnFromTheLastOnes) {
    const TenantId id = makeTenant("a").id;
    auto& archive = stores_.archive;
    const auto destination = stores_.destinations.setArchive(id, "file:///x", Binding::Optional, 2);
    EXPECT_EQ(archive.beginRound(destination).round_id, 1);
    EXPECT_THROW(archive.beginRound(destination), Error);
    EXPECT_EQ(stores_.tenants.get(id).log_mode, LogMode::Archivelog) << "in the same transaction";
    const auto tell = [&](RoundUpdate update) {
        update.tenant = id;
        archive.update(std::array{update});
    };
    const PieceProgress first{.piece_id = 1,
                              .start_scn = 100,
                              .end_scn = 200,
                              .checkpoint_scn = 150,
                              .max_scn = 140,
                              .input_bytes = 10,
                              .output_bytes = 4};
    tell({.round_id = 1, .start_scn = 100, .pieces = {first}, .input_bytes = 10, .output_bytes = 4});
    PieceProgress frozen = first;
    frozen.frozen = true;
    const PieceProgress next{.piece_id = 2,
                             .start_scn = 200,
                             .end_scn = 300,
                             .checkpoint_scn = 210,
                             .max_scn = 205,
                             .input_bytes = 5,
                             .output_bytes = 1};
    tell({.round_id = 1, .pieces = {frozen, next}, .known_piece_id = 1, .input_bytes = 15, .output_bytes = 5});
    PieceProgress older = next;
    older.checkpoint_scn = 190;
    tell({.round_id = 1, .pieces = {older}, .input_bytes = 15, .output_bytes = 5});  // by one who was not sure
    tell({.round_id = 1, .covered_scn = 260});
    EXPECT_EQ(archive.lastRound(id)->covered_scn, 260U);
    archive.setRoundStatus(id, 1, RoundStatus::Interrupted, "the binlog is gone");
    const auto round = archive.lastRound(id);
    EXPECT_EQ(round->status, RoundStatus::Interrupted);
    EXPECT_EQ(round->comment, "the binlog is gone");
    EXPECT_EQ(round->start_scn, 100);
    EXPECT_EQ(round->checkpoint_scn, 210);
    EXPECT_EQ(round->input_bytes, 15);
    EXPECT_EQ(round->output_bytes, 5);
    EXPECT_EQ(round->used_piece_id, 2);
    EXPECT_EQ(stores_.tenants.get(id).sync_scn, 210);
    EXPECT_EQ(archive.unfinishedRounds().size(), 1);
    archive.stopRound(id, 1);
    EXPECT_EQ(stores_.tenants.get(id).log_mode, LogMode::NoArchivelog);
    archive.endRound(id, 1, "");
    EXPECT_TRUE(archive.unfinishedRounds().empty());

    const auto second = archive.beginRound(destination);
    EXPECT_EQ(second.round_id, 2);
    EXPECT_EQ(second.base_piece_id, 3);
    tell({.round_id = 2, .pieces = {{.piece_id = 3, .start_scn = 300, .end_scn = 400}}});
    const auto pieces = archive.pieces(id);
    ASSERT_EQ(pieces.size(), 3);
    EXPECT_EQ(pieces[0].status, PieceStatus::Frozen);
    EXPECT_EQ(pieces[0].end_scn, 200);
    EXPECT_EQ(pieces[0].max_scn, 140);
    EXPECT_EQ(pieces[0].file_status, FileStatus::Available);
    EXPECT_EQ(pieces[1].end_scn, 210) << "where it was when the round ended";
    EXPECT_EQ(pieces[2].status, PieceStatus::Active);
    EXPECT_EQ(archive.lastPiece(id)->piece_id, 3);
    EXPECT_EQ(archive.rounds(id).size(), 2);
}

}  // namespace
}  // namespace tidemark::catalog
