#include "validate/lost.h"

#include <gtest/gtest.h>

namespace tidemark::validate {
namespace {

using catalog::FindingRow;
using catalog::Harm;

/// Sets 1 and 2 in round 1 (from 100 and 200, log to 300), 3 in round 2 (from 400, log to 500).
const Restorable kAll{.sets = {{1, 11, 1, 100}, {2, 11, 1, 200}, {3, 11, 2, 400}},
                      .rounds = {{1, 12, 300}, {2, 12, 500}}};

FindingRow harm(Harm what, catalog::ValidateUnit unit, Scn from = 0, Scn to = 0) {
    return {.unit = unit, .harm = what, .harm_from = from, .harm_to = to};
}

TEST(Lost, NothingWithoutHarm) {
    const Lost lost = lostBy(kAll, {harm(Harm::None, {.backup_set_id = 1})});
    EXPECT_EQ(lost.setList(), "");
    EXPECT_EQ(lost.rangeList(), "");
}

TEST(Lost, OfASetOnlyWhatNoOtherReaches) {
    EXPECT_EQ(lostBy(kAll, {harm(Harm::Set, {.backup_set_id = 1})}).rangeList(), "100-199");
    EXPECT_EQ(lostBy(kAll, {harm(Harm::Set, {.backup_set_id = 1})}).setList(), "1");
    // Set 1 and the log reach everything that set 2 does.
    EXPECT_EQ(lostBy(kAll, {harm(Harm::Set, {.backup_set_id = 2})}).rangeList(), "");
    EXPECT_EQ(lostBy(kAll, {harm(Harm::Set, {.backup_set_id = 2})}).setList(), "2");
    EXPECT_EQ(lostBy(kAll, {harm(Harm::Set, {.backup_set_id = 3})}).rangeList(), "400-500");
}

TEST(Lost, OfLogWhatLiesBehindItUpToTheNextSet) {
    const auto lost = [](Scn from, Scn to) {
        return lostBy(kAll, {harm(Harm::Log, {.round_id = 1, .piece_id = 1}, from, to)});
    };
    EXPECT_EQ(lost(120, 130).rangeList(), "121-199");
    EXPECT_EQ(lost(120, 130).setList(), "");
    EXPECT_EQ(lost(250, 260).rangeList(), "251-300");
    EXPECT_EQ(lost(50, 60).rangeList(), "") << "before the first set";
    EXPECT_EQ(lost(150, 250).rangeList(), "151-199,201-300") << "set 2 itself needs no log";
}

TEST(Lost, TwoMayCostWhatNeitherDoes) {
    const FindingRow set = harm(Harm::Set, {.backup_set_id = 2});
    const FindingRow log = harm(Harm::Log, {.round_id = 1, .piece_id = 1}, 150, 160);
    EXPECT_EQ(lostBy(kAll, {set}).rangeList(), "");
    EXPECT_EQ(lostBy(kAll, {log}).rangeList(), "151-199");
    EXPECT_EQ(lostBy(kAll, {set, log}).rangeList(), "151-300");
}

TEST(Lost, OfARoundOrAnArchiveAllButTheSetsThemselves) {
    EXPECT_EQ(lostBy(kAll, {harm(Harm::Round, {.round_id = 2})}).rangeList(), "401-500");
    EXPECT_EQ(lostBy(kAll, {harm(Harm::Archive, {.dest_id = 12, .round_id = 1})}).rangeList(),
              "101-199,201-300,401-500");
}

TEST(Lost, OfADataDestinationEverything) {
    const Lost lost = lostBy(kAll, {harm(Harm::Data, {.dest_id = 11})});
    EXPECT_EQ(lost.setList(), "1,2,3");
    EXPECT_EQ(lost.rangeList(), "100-300,400-500");
}

TEST(Lost, ASetWithoutLogReachesItself) {
    const Restorable alone{.sets = {{1, 11, 0, 100}}, .rounds = {}};
    EXPECT_EQ(lostBy(alone, {harm(Harm::Set, {.backup_set_id = 1})}).rangeList(), "100-100");
}

TEST(Lost, ASetReachesWhatTheLogInItLeadsTo) {
    const Restorable own{.sets = {{1, 11, 1, 100, 150}}, .rounds = {{1, 12, 300}}};
    const FindingRow round = harm(Harm::Round, {.round_id = 1});
    EXPECT_EQ(lostBy(own, {round}).rangeList(), "151-300");
    FindingRow log = harm(Harm::None, {.backup_set_id = 1});
    log.object = "file:///d/backup_set_1_full/complement_log/piece_d1r1p1/x";
    EXPECT_EQ(lostBy(own, {log}).rangeList(), "") << "the archive has it, too";
    EXPECT_EQ(lostBy(own, {round, log}).rangeList(), "101-300");
    const Restorable alone{.sets = {{1, 11, 0, 100, 150}}, .rounds = {}};
    EXPECT_EQ(lostBy(alone, {log}).rangeList(), "101-150");
}

TEST(Lost, OfWhatFailsInTheReplayOfOneSetNothingOfTheOthers) {
    EXPECT_EQ(lostBy(kAll, {harm(Harm::Log, {.backup_set_id = 2, .by_restore = true}, 200, 300)}).rangeList(), "");
    EXPECT_EQ(lostBy(kAll, {harm(Harm::Log, {.backup_set_id = 3, .by_restore = true}, 400, 500)}).rangeList(),
              "401-500");
}

}  // namespace
}  // namespace tidemark::validate
