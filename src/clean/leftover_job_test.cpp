#include "clean/leftover_job.h"

#include "backup/set_making.h"
#include "catalog/stores_fixture.h"
#include "storage/destination.h"

namespace tidemark::clean {
namespace {

using backup_set::SetId;
using backup_set::SetKind;
using catalog::BackupSetStatus;

/// Backups that are said to have failed, and have left a whole set.
class LeftoverJobTest : public catalog::StoresTest {
protected:
    LeftoverJobTest() {
        const storage::DestinationIdentity identity{.cluster_name = "c1",
                                                    .cluster_id = 7,
                                                    .tenant_name = "a",
                                                    .tenant_id = static_cast<std::uint64_t>(tenant_),
                                                    .dest_id = 1002};
        std::filesystem::create_directory(directory_.path() / "d");
        storage_ = storage::openDestination(uri_, identity, storage::DestinationKind::Data, clock_).storage;
    }

    /// Whole at the destination.
    void writeSet(const SetId& id) {
        backup_set::beginTurn(*storage_, id, 1);
        block::WorkerPool pool(1);
        block::Lane lane(pool);
        block::BlockProgress progress;
        block::BlockWriter writer(*storage_, lane, {.directory = backup_set::blockDirectory(id), .set_id = id.number},
                                  progress);
        const block::FileNumber file = writer.beginFile("d/t.ibd");
        writer.add(file, 0, Bytes(50'000, 7));
        writer.endFile(file);
        backup::DataBackupResult copied;
        copied.blocks = writer.finish();
        backup_set::BackupSetDescription description{.id = id, .start_time = catalog::kStart, .min_restore_scn = 42};
        backup::describeCopy(description, copied, 1, "1002-101-7");
        backup::makeSetVisible(*storage_, description, {}, nullptr, catalog::kStart + kSecond);
    }

    /// A backup that wrote this set and ended so.
    void backUp(const catalog::BackupSet& wanted, const catalog::Outcome& outcome) {
        const auto job = stores_.backups.start({.tenant = tenant_, .dest_id = 1002, .path = uri_}).job_id;
        auto set = stores_.backups.begin(claim(tenant_, job), tenant_, job, wanted).set;
        const bool incremental = wanted.type == catalog::BackupType::Inc;
        writeSet({static_cast<std::uint32_t>(set.backup_set_id), backup_set::kindOf(incremental)});
        stores_.backups.finish(claim(tenant_, job), tenant_, job, outcome, &set,
                               backup::Leftovers{.path = uri_, .backup_set_id = set.backup_set_id}.text());
        job_ = job;
    }

    void clean() {
        const auto row = stores_.work.find("clean", tenant_, job_).value();
        job::WorkContext context(
            stores_.work, stores_.work.take(row, {.node = 1, .session = 5}, std::chrono::hours(1)).value(), [] {});
        LeftoverJob(stores_, node_key_, context).run({});
    }

    std::vector<std::uint32_t> visible() {
        std::vector<std::uint32_t> numbers;
        for (const auto& found : backup_set::listBackupSets(*storage_))
            numbers.push_back(found.id.number);
        return numbers;
    }

    const testing::TemporaryDirectory directory_;
    const std::string uri_ = "file://" + (directory_.path() / "d").string();
    const NodeKey node_key_{directory_.path() / "key"};
    const catalog::TenantId tenant_ = makeTenant("a").id;
    const catalog::Outcome failed_ = catalog::Outcome::of(Error(ErrorCode::Unavailable, "the storage was away"));
    std::shared_ptr<storage::Storage> storage_;
    catalog::JobId job_ = 0;
};

TEST_F(LeftoverJobTest, MakesAWholeSetASuccess) {
    backUp({}, failed_);
    EXPECT_EQ(stores_.backups.set(tenant_, 1)->status, BackupSetStatus::Failed);
    clean();
    EXPECT_EQ(stores_.backups.set(tenant_, 1)->status, BackupSetStatus::Success);
    EXPECT_EQ(stores_.backups.set(tenant_, 1)->min_restore_scn, 42U);
    EXPECT_EQ(visible(), std::vector{1U});
}

TEST_F(LeftoverJobTest, RemovesACompleteSetThatCannotBeRestored) {
    backUp({}, failed_);
    storage_->remove(backup_set::blockDirectory({1, SetKind::Full}) + block::dataFileName(0));
    clean();
    EXPECT_EQ(stores_.backups.set(tenant_, 1)->status, BackupSetStatus::Failed);
    EXPECT_EQ(storage_->list("backup_set").size(), 0U) << "nobody is to find it who restores from the destination";
}

TEST_F(LeftoverJobTest, RemovesACompleteSetThatLeansOnOneThatWasDeletedMeanwhile) {
    backUp({}, catalog::Outcome::completed());
    backUp({.type = catalog::BackupType::Inc, .prev_full_set_id = 1, .prev_inc_set_id = 1}, failed_);
    catalog_.write({}, [](mysql::SqlClient& client) {
        client.query("UPDATE tidemark.backup_set SET file_status = 'DELETED' WHERE backup_set_id = 1");
    });
    clean();
    EXPECT_EQ(stores_.backups.set(tenant_, 2)->status, BackupSetStatus::Failed);
    EXPECT_EQ(visible(), std::vector{1U});
}

TEST_F(LeftoverJobTest, LeavesASuccessAlone) {
    backUp({}, catalog::Outcome::completed());
    storage_->remove(backup_set::blockDirectory({1, SetKind::Full}) + block::dataFileName(0));
    clean();
    EXPECT_EQ(visible(), std::vector{1U}) << "that it is damaged is for a validation to say";
}

}  // namespace
}  // namespace tidemark::clean
