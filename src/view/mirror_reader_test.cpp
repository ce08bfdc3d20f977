#include "view/mirror_reader.h"

#include <fmt/format.h>

#include "view/tenant_mirror_fixture.h"

namespace tidemark::view {
namespace {

TEST_F(TenantMirrorTest, TouchesOnlyRowsThatChanged) {
    TenantMirror mirror(catalog_);
    const TenantId id = makeTenant();
    stores_.archive.beginRound(stores_.destinations.setArchive(id, "file:///a", catalog::Binding::Optional, 1));
    catalog::RoundUpdate opened{.tenant = id, .round_id = 1};
    for (Scn scn = 1; scn <= 300; ++scn) {
        opened.pieces.push_back({.piece_id = static_cast<std::int64_t>(scn),
                                 .start_scn = scn * 100,
                                 .end_scn = scn * 100 + 100,
                                 .frozen = scn < 300});
    }
    stores_.archive.update(std::array{opened});
    mirror.attach(id, endpoint_);
    ASSERT_TRUE(mirror.waitFresh(id, kLimit));
    mysql::SqlClient tenant = tenant_.connect();
    EXPECT_EQ(tenant.scalar("SELECT COUNT(*) FROM oceanbase.DBA_OB_ARCHIVELOG_PIECE_FILES"), "300");
    const auto row_writes = [&] {
        return std::stoi(tenant
                             .scalar("SELECT CAST(SUM(variable_value) AS SIGNED) FROM information_schema.global_status "
                                     "WHERE variable_name IN ('HANDLER_WRITE', 'HANDLER_UPDATE', 'HANDLER_DELETE')")
                             .value());
    };
    mysql::SqlClient sys = sys_->connect();
    const auto row_reads = [&] {
        return std::stoi(
            sys.scalar("SELECT CAST(SUM(variable_value) AS SIGNED) FROM information_schema.global_status "
                       "WHERE variable_name IN ('HANDLER_READ_NEXT', 'HANDLER_READ_KEY', 'HANDLER_READ_RND_NEXT')")
                .value());
    };
    const auto progress = [&](std::uint64_t input_bytes) {
        const catalog::RoundUpdate update{
            .tenant = id,
            .round_id = 1,
            .pieces = {{.piece_id = 300, .checkpoint_scn = 30'050, .max_scn = 30'050, .input_bytes = input_bytes}},
            .known_piece_id = 300};
        stores_.archive.update(std::array{update});
        until("SELECT INPUT_BYTES FROM oceanbase.DBA_OB_ARCHIVELOG_PIECE_FILES WHERE PIECE_ID = 300",
              std::to_string(input_bytes));
    };
    progress(3);  // once it is shown, the mirror has heard of all the changes before, and looked at every row for them
    const int before = row_writes();
    const int read_before = row_reads();
    progress(7);
    // a row each of piece, round and tenant, replaced in up to three steps
    EXPECT_LE(row_writes() - before, 9);
    EXPECT_LE(row_reads() - read_before, 60) << "the other 299 pieces were looked at";
}

/// Twelve tenants with an open piece each, on one server: each attachment has removed the rows of those before, but
/// what changes from then on is there.
class ManyTenantsMirrorTest : public TenantMirrorTest {
protected:
    /// How many SELECTs of sys it takes to show progress of all.
    int selectsForProgress(std::size_t read_together) {
        TenantMirror mirror(catalog_, {.read_together = read_together});
        std::vector<catalog::RoundUpdate> progress;
        for (int i = 0; i < kTenants; ++i)
            progress.push_back(attachArchiving(mirror));
        advance(progress, 110);  // once it is shown, the mirror has heard of all the changes before
        mysql::SqlClient sys = sys_->connect();
        const auto selects = [&] {
            return std::stoi(sys.query("SHOW GLOBAL STATUS LIKE 'Com_select'").rows.at(0).text(1));
        };
        const int before = selects();
        advance(progress, 120);
        return selects() - before;
    }

private:
    static constexpr int kTenants = 12;

    catalog::RoundUpdate attachArchiving(TenantMirror& mirror) {
        const TenantId id = makeTenant();
        stores_.archive.beginRound(stores_.destinations.setArchive(id, "file:///a", catalog::Binding::Optional, 1));
        catalog::RoundUpdate update{
            .tenant = id, .round_id = 1, .pieces = {{.piece_id = 1, .start_scn = 100, .end_scn = 200}}};
        stores_.archive.update(std::array{update});
        mirror.attach(id, endpoint_);
        EXPECT_TRUE(mirror.waitFresh(id, kLimit));
        update.known_piece_id = 1;
        return update;
    }

    void advance(std::vector<catalog::RoundUpdate>& progress, Scn scn) {
        for (catalog::RoundUpdate& update : progress)
            update.pieces.front().checkpoint_scn = scn;
        stores_.archive.update(progress);
        for (const char* table : {"piece", "round"}) {
            const auto shown = fmt::format(
                "SELECT COUNT(*) FROM oceanbase.__tidemark_archive_{} WHERE checkpoint_scn = {}", table, scn);
            until(shown, std::to_string(kTenants));
        }
    }
};

TEST_F(ManyTenantsMirrorTest, WhatProgressesForManyIsReadTogether) {
    EXPECT_GE(selectsForProgress(1), 36) << "rounds, pieces and tenants, of each";
    EXPECT_LE(selectsForProgress(100), 6) << "rounds, pieces and tenants, and once more should somebody have been late";
}

}  // namespace
}  // namespace tidemark::view
