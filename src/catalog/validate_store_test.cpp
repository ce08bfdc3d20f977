#include "catalog/validate_store.h"

#include <set>

#include "catalog/stores_fixture.h"

namespace tidemark::catalog {
namespace {

TEST_F(StoresTest, ACheckByRestoreSaysOnlyWhatItHasLookedAt) {
    const TenantId id = makeTenant("a").id;
    auto& validations = stores_.validations;
    const ValidateJobRow job = validations.start(id, kSysTenantId, "ALL", true, {});
    const auto row = stores_.work.find(kValidateWork, id, job.job_id).value();
    const WorkClaim claim = stores_.work.take(row, {.node = 1, .session = 5}, std::chrono::hours(1)).value().claim();
    validations.begin(claim, job, {}, "");
    const ValidateUnit unit{.dest_id = 1001, .backup_set_id = 1, .by_restore = true};
    const auto finding = [&](FindingKind kind, const std::string& object) {
        return FindingRow{.unit = unit, .kind = kind, .object = object, .what = "x"};
    };
    const auto open = [&] {
        std::set<std::pair<FindingKind, std::string>> found;
        for (const FindingRow& one : validations.openFindings(id))
            found.emplace(one.kind, one.object);
        return found;
    };
    using Found = std::set<std::pair<FindingKind, std::string>>;
    const std::pair damaged{FindingKind::TableDamaged, std::string("d.damaged")};
    const std::pair differs{FindingKind::RowsDiffer, std::string("d.other")};
    const std::pair unable{FindingKind::NotCompared, std::string("set")};
    validations.note(claim, job, unit, {finding(damaged.first, damaged.second), finding(differs.first, differs.second)},
                     "");
    EXPECT_EQ(open(), (Found{damaged, differs}));
    validations.note(claim, job, unit, {finding(unable.first, unable.second)}, "", Looked::Nothing);
    EXPECT_EQ(open(), (Found{damaged, differs, unable})) << "nothing was restored";
    validations.note(claim, job, unit, {finding(unable.first, unable.second)}, "", Looked::Tables);
    EXPECT_EQ(open(), (Found{differs, unable})) << "the tables were checked, and not compared";
    validations.note(claim, job, unit, {finding(unable.first, "d.other")}, "", Looked::All);
    EXPECT_EQ(open(), (Found{differs, {unable.first, "d.other"}})) << "all but this one were compared";
    validations.note(claim, job, unit, {}, "", Looked::All);
    EXPECT_EQ(open(), Found{});
}

/// What CATALOG BACKUP knows of a set is less than a validation does.
TEST_F(StoresTest, ASetThatIsCatalogedKeepsWhatWasFoundOfIt) {
    const TenantId id = makeTenant("a").id;
    auto& validations = stores_.validations;
    const ValidateUnit here{.dest_id = 1001, .backup_set_id = 1};
    const ValidateUnit elsewhere{.dest_id = 1002, .backup_set_id = 1};
    const auto finding = [&](const ValidateUnit& unit, const std::string& object) {
        return FindingRow{.unit = unit, .kind = FindingKind::Damaged, .object = object, .what = "x"};
    };
    EXPECT_FALSE(validations.noteCataloged(id, here, {}));
    EXPECT_TRUE(validations.noteCataloged(id, here, {finding(here, "index")}));
    EXPECT_TRUE(validations.noteCataloged(id, here, {finding(here, "index")}));
    EXPECT_EQ(validations.openFindings(id).size(), 1U) << "the same";
    EXPECT_TRUE(validations.noteCataloged(id, here, {})) << "it has not looked at everything";
    EXPECT_FALSE(validations.noteCataloged(id, {.dest_id = 1001, .backup_set_id = 2}, {}));
    EXPECT_FALSE(validations.noteCataloged(id, elsewhere, {})) << "another copy";
    EXPECT_TRUE(validations.openFindings(id).empty());
}

TEST_F(StoresTest, LogThatCannotBeReplayedBreaksNoSet) {
    const TenantId id = makeTenant("a").id;
    stores_.backups.start({.tenant = id, .dest_id = 1001, .path = "file:///d"});
    auto [task, set] = stores_.backups.begin(claim(id, 1), id, 1, {.type = BackupType::Full});
    set.min_restore_scn = 42;
    stores_.backups.finish(claim(id, 1), id, 1, Outcome::completed(), &set);
    const ValidateJobRow job = stores_.validations.start(id, kSysTenantId, "ALL", true, {});
    const auto row = stores_.work.find(kValidateWork, id, job.job_id).value();
    const WorkClaim own = stores_.work.take(row, {.node = 1, .session = 5}, std::chrono::hours(1)).value().claim();
    stores_.validations.begin(own, job, {}, "");
    const ValidateUnit unit{.dest_id = 1001, .backup_set_id = set.backup_set_id, .by_restore = true};
    const auto status_with = [&](Harm harm) {
        stores_.validations.note(
            own, job, unit,
            {{.unit = unit, .kind = FindingKind::NotRestorable, .object = "set", .what = "x", .harm = harm}}, "");
        return stores_.backups.set(id, set.backup_set_id)->file_status;
    };
    EXPECT_EQ(status_with(Harm::Log), FileStatus::Available);
    EXPECT_EQ(status_with(Harm::Set), FileStatus::Broken);
    EXPECT_EQ(status_with(Harm::None), FileStatus::Broken) << "the log that it carries is its own";
}

}  // namespace
}  // namespace tidemark::catalog
