// CDB_TM_RESTORE_WINDOWS over every state of sets, rounds and pieces. That its rows are what destinations hold is shown
// by test/scenario/test_preview.py.

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "catalog/stores.h"
#include "testing/mariadb_server.h"
#include "view/sys_views.h"

namespace tidemark::view {
namespace {

class RestoreWindowsTest : public ::testing::Test {
protected:
    static void SetUpTestSuite() {
        server_ = std::make_unique<testing::MariadbServer>();
        SystemClock clock;
        catalog::Catalog catalog({.endpoint = server_->endpoint()}, clock);
        catalog.migrate();
        installSysViews(catalog);
    }
    static void TearDownTestSuite() { server_.reset(); }

    RestoreWindowsTest() {
        for (const char* table : {"archive_round", "archive_piece", "archive_covered", "backup_set"})
            client_.query(fmt::format("DELETE FROM tidemark.{}", table));
    }

    void round(int id, const std::string& status, Scn start, int base, int used, const std::string& comment = {}) {
        client_.query(
            "INSERT INTO tidemark.archive_round (tenant_id, round_id, dest_id, status, start_scn, base_piece_id,"
            " used_piece_id, piece_switch_days, comment, path) VALUES (1002, ?, 1, ?, ?, ?, ?, 1, ?, 'file:///log')",
            {std::int64_t{id}, status, start, std::int64_t{base}, std::int64_t{used}, comment});
    }
    /// From `start` to `checkpoint`, with its last transaction at `last`.
    void piece(int round_id, int id, Scn start, Scn last, Scn checkpoint, const std::string& files = "AVAILABLE") {
        client_.query(
            "INSERT INTO tidemark.archive_piece (tenant_id, round_id, piece_id, dest_id, status, file_status,"
            " start_scn, max_scn, checkpoint_scn, end_scn, path) VALUES (1002, ?, ?, 1, 'FROZEN', ?, ?, ?, ?, ?, 'x')",
            {std::int64_t{round_id}, std::int64_t{id}, files, start, last, checkpoint, checkpoint});
    }
    void set(int id, Scn restorable, const std::string& files = "AVAILABLE", const std::string& status = "SUCCESS") {
        client_.query(
            "INSERT INTO tidemark.backup_set (tenant_id, backup_set_id, dest_id, backup_type, status, file_status,"
            " min_restore_scn, path) VALUES (1002, ?, 1, 'FULL', ?, ?, ?, 'file:///data')",
            {std::int64_t{id}, status, files, restorable});
    }

    /// "from-to set 1" or "from-to: reason" per row.
    std::vector<std::string> rows() {
        std::vector<std::string> lines;
        for (const auto& row : client_.query("SELECT * FROM oceanbase.CDB_TM_RESTORE_WINDOWS ORDER BY FROM_SCN").rows) {
            const std::string points = row.text("FROM_SCN") + "-" + row.maybe("TO_SCN").value_or("");
            lines.push_back(row.text("RESTORABLE") == "YES"
                                ? points + " set " + row.text("BACKUP_SET_ID") + " " + row.text("RESTORE_FROM")
                                : points + ": " + row.text("GAP_REASON"));
        }
        return lines;
    }
    using Lines = std::vector<std::string>;

    static inline std::unique_ptr<testing::MariadbServer> server_;
    mysql::SqlClient client_ = server_->connect();
};

TEST_F(RestoreWindowsTest, ATenantThatWasNeverArchivedHasNone) {
    set(1, 0, "COPYING", "DOING");
    set(2, 500, "INCOMPLETE", "FAILED");
    EXPECT_EQ(rows(), Lines{});
}

TEST_F(RestoreWindowsTest, LogWithoutASetIsNoWindow) {
    round(1, "DOING", 100, 1, 1);
    piece(1, 1, 100, 150, 200);
    EXPECT_EQ(rows(), Lines{"100-: there is log, and no set that can be restored"});
}

TEST_F(RestoreWindowsTest, TheNewestSetServesAPointAndBrokenOnesNone) {
    round(1, "DOING", 100, 1, 1);
    piece(1, 1, 100, 850, 900);
    set(1, 200);
    set(2, 300, "BROKEN");
    set(3, 400);
    set(4, 400);
    set(5, 700, "DELETED");
    EXPECT_EQ(rows(), (Lines{"100-199: there is log, and no set before it", "200-399 set 1 file:///data,file:///log",
                             "400-900 set 4 file:///data,file:///log"}));
}

TEST_F(RestoreWindowsTest, ASetServesNoPointIfOneThatItLeansOnIsBroken) {
    round(1, "DOING", 100, 1, 1);
    piece(1, 1, 100, 850, 900);
    set(1, 200);
    set(2, 300, "BROKEN");
    set(3, 400);
    set(4, 500);
    client_.query(
        "UPDATE tidemark.backup_set SET prev_full_set_id = 1, prev_inc_set_id = backup_set_id - 1 "
        "WHERE backup_set_id IN (2, 3)");
    EXPECT_EQ(rows(), (Lines{"100-199: there is log, and no set before it", "200-499 set 1 file:///data,file:///log",
                             "500-900 set 4 file:///data,file:///log"}));
}

TEST_F(RestoreWindowsTest, BehindAMissingPieceNothingIsReachedUntilTheNextSet) {
    round(1, "DOING", 100, 1, 4);
    piece(1, 1, 100, 290, 300);
    piece(1, 2, 300, 390, 400, "BROKEN");
    piece(1, 3, 400, 490, 500);
    piece(1, 4, 500, 550, 600);
    set(1, 100);
    set(2, 350);
    set(3, 450);
    EXPECT_EQ(
        rows(),
        (Lines{"100-290 set 1 file:///data,file:///log", "291-349: piece 2 of round 1 is BROKEN; set 2 is the next one",
               "350-350 set 2 file:///data", "351-449: there is no log behind set 2; set 3 is the next one",
               "450-600 set 3 file:///data,file:///log"}));
}

TEST_F(RestoreWindowsTest, ASetReachesAsFarAsTheLogThatItCarries) {
    set(1, 200);
    client_.query("UPDATE tidemark.backup_set SET log_end_scn = 250");
    EXPECT_EQ(rows(), (Lines{"200-250 set 1 file:///data",
                             "251-: there is no log behind set 1; no newer set can be restored"}));
    set(2, 230);
    EXPECT_EQ(rows(), (Lines{"200-229 set 1 file:///data", "230-230 set 2 file:///data",
                             "231-: there is no log behind set 2; no newer set can be restored"}));
    round(1, "DOING", 100, 1, 1);
    piece(1, 1, 100, 220, 240);
    EXPECT_EQ(rows(), (Lines{"100-199: there is log, and no set before it", "200-229 set 1 file:///data,file:///log",
                             "230-240 set 2 file:///data,file:///log"}));
}

TEST_F(RestoreWindowsTest, TheLogBeforeTheFirstPieceThatIsKeptIsGone) {
    round(1, "DOING", 100, 1, 2);
    piece(1, 1, 100, 290, 300, "DELETED");
    piece(1, 2, 300, 390, 400);
    set(1, 150, "DELETED");
    set(2, 300);
    EXPECT_EQ(rows(), Lines{"300-400 set 2 file:///data,file:///log"});
}

TEST_F(RestoreWindowsTest, WhatHappenedBetweenTwoRoundsIsInNeither) {
    round(1, "STOP", 100, 1, 1);
    piece(1, 1, 100, 150, 200);
    set(1, 120);
    EXPECT_EQ(rows().back(), "201-: round 1 of the log ends there; no newer set can be restored");
    round(2, "INTERRUPTED", 300, 2, 2, "the binlog is gone");
    piece(2, 2, 300, 350, 400);
    set(2, 320);
    EXPECT_EQ(rows(),
              (Lines{"100-119: there is log, and no set before it", "120-200 set 1 file:///data,file:///log",
                     "201-319: round 1 of the log ends there; set 2 is the next one",
                     "320-400 set 2 file:///data,file:///log",
                     "401-: round 2 of the log was interrupted: the binlog is gone; no newer set can be restored"}));
}

TEST_F(RestoreWindowsTest, ARoundThatBeginsWhileTheClockIsBackEndsTheOneBefore) {
    round(1, "STOP", 100, 1, 1);
    piece(1, 1, 100, 450, 500);
    set(1, 120);
    round(2, "DOING", 300, 2, 2);
    piece(2, 2, 300, 350, 400);
    EXPECT_EQ(rows(), (Lines{"100-119: there is log, and no set before it", "120-299 set 1 file:///data,file:///log",
                             "300-: round 1 of the log ends there; no newer set can be restored"}));
}

TEST_F(RestoreWindowsTest, WhatOnlyTheDaemonKnowsOfAnIdleTimeDoesNotCount) {
    round(1, "DOING", 100, 1, 1);
    piece(1, 1, 100, 100, 200);
    client_.query("UPDATE tidemark.archive_piece SET status = 'ACTIVE'");
    client_.query("INSERT INTO tidemark.archive_covered VALUES (1002, 1, 900)");
    set(1, 100);
    EXPECT_EQ(rows(), Lines{"100-200 set 1 file:///data,file:///log"});
}

}  // namespace
}  // namespace tidemark::view
