#include "catalog/delete_store.h"

#include "catalog/stores_fixture.h"

namespace tidemark::catalog {
namespace {

using namespace std::chrono_literals;

class DeleteStoreTest : public StoresTest {
protected:
    DeleteStoreTest() {
        for (int i = 0; i < 3; ++i)
            makeSet();
    }

    void makeSet(std::int64_t base = 0) {
        auto& backups = stores_.backups;
        const JobId job = backups.start({.tenant = tenant_, .dest_id = 1002, .path = "file:///d"}).job_id;
        BackupSet set = backups.begin(claim(tenant_, job), tenant_, job, {.prev_full_set_id = base}).set;
        set.min_restore_scn = static_cast<Scn>(set.backup_set_id);
        backups.finish(claim(tenant_, job), tenant_, job, Outcome::completed(), &set);
    }

    static DeletedThing set(std::int64_t id) { return {DeletedObject::BackupSet, id}; }
    DeleteRequest request(std::vector<DeletedThing> remove, std::optional<std::vector<DeletedThing>> expired = {}) const {
        return {.tenant = tenant_,
                .initiator = tenant_,
                .decide = [=](const BackupInventory&) -> DeleteDecision { return {remove, expired}; }};
    }
    WorkClaim claimOf(const char* kind, JobId job) {
        catalog_.write({}, [](mysql::SqlClient& client) { client.query("UPDATE tidemark.work SET next_run = NULL"); });
        const auto row = stores_.work.find(kind, tenant_, job).value();
        if (row.owner.node != 0) return row.claim();
        return stores_.work.take(row, {.node = 1, .session = 5}, 1h).value().claim();
    }
    FileStatus status(std::int64_t id) { return stores_.backups.set(tenant_, id)->file_status; }
    static std::string nothing(const BackupInventory&) { return {}; }
    std::string scalar(const std::string& select) {
        return catalog_.read([&](mysql::SqlClient& client) { return client.scalar(select); }).value_or("NULL");
    }

    const TenantId tenant_ = makeTenant("a").id;
    DeleteStore& deletions_ = stores_.deletions;
};

TEST_F(DeleteStoreTest, ADeletionGoesFromInitToHistory) {
    const auto job = deletions_.start(request({set(2), set(1)}, {{set(1), set(2)}}));
    ASSERT_TRUE(job);
    EXPECT_EQ(failure([&] { deletions_.start(request({set(1)})); }), 9044);
    EXPECT_EQ(status(1), FileStatus::Expired);
    EXPECT_EQ(status(3), FileStatus::Available);
    const WorkClaim own = claimOf(kDeleteWork, job->job_id);
    deletions_.begin(own, tenant_, job->job_id);
    auto tasks = deletions_.tasks(tenant_, job->job_id);
    ASSERT_EQ(tasks.size(), 2);
    EXPECT_EQ(tasks[0].id, 2) << "in the order of the decision";
    tasks[0].total_files = 7;
    EXPECT_TRUE(deletions_.beginTask(own, tasks[0], nothing));
    EXPECT_EQ(status(2), FileStatus::Deleting);
    tasks[0].deleted_files = 7;
    deletions_.completeTask(own, tasks[0]);
    EXPECT_EQ(status(2), FileStatus::Deleted);
    EXPECT_FALSE(deletions_.beginTask(own, tasks[1], [](const auto&) { return "somebody needs it"; }));
    EXPECT_EQ(status(1), FileStatus::Expired) << "it stays what it was";
    deletions_.finish(own, tenant_, job->job_id, Outcome::completed(), [](const auto&) { return "never"; });
    EXPECT_FALSE(deletions_.activeJob(tenant_));
    EXPECT_EQ(scalar("SELECT CONCAT_WS(' ', status, task_count, success_task_count) FROM tidemark.delete_job_history"),
              "COMPLETED 2 1");
    EXPECT_EQ(scalar("SELECT GROUP_CONCAT(CONCAT_WS(' ', id, status, total_files, deleted_files, comment) ORDER BY id) "
                     "FROM tidemark.delete_task_history"),
              "1 CANCELED 0 0 somebody needs it,2 COMPLETED 7 7 ");
    EXPECT_TRUE(stores_.work.othersThan({}).empty());
    deletions_.start(request({}, std::vector<DeletedThing>{}));
    EXPECT_EQ(status(1), FileStatus::Available) << "it has not expired any more";
}

TEST_F(DeleteStoreTest, NothingToDoLeavesARowOnlyIfItIsWanted) {
    DeleteRequest nothing_to_do = request({});
    nothing_to_do.even_if_nothing = false;
    EXPECT_FALSE(deletions_.start(nothing_to_do));
    EXPECT_EQ(scalar("SELECT COUNT(*) FROM tidemark.delete_job"), "0");
    EXPECT_TRUE(deletions_.start(request({})));
}

TEST_F(DeleteStoreTest, WhatACancelledJobHasBegunBecomesWorkOfItsOwn) {
    const JobId job = deletions_.start(request({set(2), set(1)}))->job_id;
    const WorkClaim own = claimOf(kDeleteWork, job);
    deletions_.begin(own, tenant_, job);
    const auto tasks = deletions_.tasks(tenant_, job);
    deletions_.beginTask(own, tasks[0], nothing);
    ASSERT_EQ(deletions_.cancel(tenant_).size(), 1);
    EXPECT_TRUE(stores_.work.find(kDeleteWork, tenant_, job)->cancelled);
    EXPECT_TRUE(deletions_.tasks(tenant_, job)[1].status == BackupJobStatus::Canceling);
    deletions_.finish(own, tenant_, job, Outcome::of(Error(ErrorCode::Cancelled, "cancelled")),
                      [](const DeleteTask& task) { return "the rest of " + std::to_string(task.id); });
    EXPECT_EQ(status(2), FileStatus::Deleting);
    EXPECT_EQ(status(1), FileStatus::Available);
    EXPECT_EQ(scalar("SELECT GROUP_CONCAT(status) FROM tidemark.delete_task_history"), "CANCELED,CANCELED");
    EXPECT_EQ(stores_.work.find(kDeleteRestWork, tenant_, tasks[0].task_id)->progress, "the rest of 2");
    EXPECT_FALSE(stores_.work.find(kDeleteRestWork, tenant_, tasks[1].task_id));
    deletions_.finishRest(claimOf(kDeleteRestWork, tasks[0].task_id), tenant_, set(2));
    EXPECT_EQ(status(2), FileStatus::Deleted);
}

TEST_F(DeleteStoreTest, AFailedTaskGivesBackWhatIsWholeAndHoldsWhatIsNot) {
    catalog_.write({}, [](mysql::SqlClient& client) {
        client.query("UPDATE tidemark.backup_set SET file_status = 'BROKEN' WHERE backup_set_id = 1");
    });
    const JobId job = deletions_.start(request({set(2), set(1)}))->job_id;
    const WorkClaim own = claimOf(kDeleteWork, job);
    const auto tasks = deletions_.tasks(tenant_, job);
    const Outcome denied = Outcome::of(Error(ErrorCode::Denied, "no"));
    deletions_.beginTask(own, tasks[0], nothing);
    deletions_.failTask(own, tasks[0], denied, false);
    deletions_.beginTask(own, tasks[1], nothing);
    deletions_.failTask(own, tasks[1], denied, true);
    EXPECT_EQ(status(2), FileStatus::Deleting);
    EXPECT_EQ(status(1), FileStatus::Broken) << "and no good one by that";
    deletions_.finish(own, tenant_, job, denied, [](const DeleteTask& task) { return std::to_string(task.id); });
    EXPECT_EQ(stores_.work.find(kDeleteRestWork, tenant_, tasks[0].task_id)->progress, "2");
    EXPECT_FALSE(stores_.work.find(kDeleteRestWork, tenant_, tasks[1].task_id));
}

TEST_F(DeleteStoreTest, AUseLastsAsLongAsItsWorkAndIsRefusedForWhatIsBeingRemoved) {
    const BackupUse use{.tenant = tenant_, .backup_set_id = 3};
    const JobId restore = stores_.restores.start({.tenant_name = "r"}, newTenant("r"), "plan", use).job.job_id;
    auto inventory = deletions_.inventory(tenant_);
    ASSERT_EQ(inventory.uses.size(), 1);
    EXPECT_EQ(inventory.uses[0].backup_set_id, 3);
    EXPECT_EQ(inventory.uses[0].kind, "restore");
    EXPECT_EQ(inventory.uses[0].job_id, restore);
    stores_.restores.finish(claimRestore(kRestoreWork, restore), restore, Outcome::completed());
    EXPECT_TRUE(deletions_.inventory(tenant_).uses.empty());
    EXPECT_EQ(scalar("SELECT COUNT(*) FROM tidemark.backup_use"), "0");

    const JobId job = deletions_.start(request({set(3)}))->job_id;
    deletions_.beginTask(claimOf(kDeleteWork, job), deletions_.tasks(tenant_, job)[0], nothing);
    EXPECT_EQ(failure([&] { stores_.restores.start({.tenant_name = "s"}, newTenant("s", "p_s"), "plan", use); }),
              numberOf(Ob::OpNotAllow));
    EXPECT_FALSE(stores_.tenants.find("s")) << "nothing is left of what was refused";
    EXPECT_EQ(failure([&] { makeSet(3); }), numberOf(Ob::OpNotAllow)) << "nor may a backup lean on it";
}

TEST_F(DeleteStoreTest, AKeepIsThereUntilItIsDropped) {
    deletions_.keep(tenant_, 2, kScnUnlimited);
    deletions_.keep(tenant_, 2, Scn{77});
    EXPECT_EQ(deletions_.inventory(tenant_).kept, (std::map<std::int64_t, Scn>{{2, 77}}));
    deletions_.keep(tenant_, 2, std::nullopt);
    EXPECT_TRUE(deletions_.inventory(tenant_).kept.empty());
    EXPECT_EQ(failure([&] { deletions_.keep(tenant_, 9, kScnUnlimited); }), 9046);
}

TEST_F(DeleteStoreTest, APolicyHasOneScheduleForAsLongAsItIsThere) {
    const DeletePolicy policy{.tenant = tenant_, .name = "default", .recovery_window = "7d"};
    deletions_.addPolicy(policy, 1h);
    EXPECT_EQ(failure([&] { deletions_.addPolicy(policy, 1h); }), numberOf(Ob::EntryExist));
    EXPECT_EQ(deletions_.policy(tenant_)->recovery_window, "7d");
    EXPECT_GT(stores_.work.find(kDeletePolicyWork, tenant_, 1)->due_in, 50min);
    deletions_.hurryPolicies(1min);
    EXPECT_LE(stores_.work.find(kDeletePolicyWork, tenant_, 1)->due_in, 1min);
    deletions_.hurryPolicies(1h);
    EXPECT_LE(stores_.work.find(kDeletePolicyWork, tenant_, 1)->due_in, 1min) << "never later than before";
    deletions_.policyRan(claimOf(kDeletePolicyWork, 1), tenant_, 2h);
    EXPECT_GT(stores_.work.find(kDeletePolicyWork, tenant_, 1)->due_in, 1h);
    deletions_.start(request({}, {{set(1)}}));
    EXPECT_EQ(status(1), FileStatus::Expired);
    const WorkClaim running = claimOf(kDeletePolicyWork, 1);
    deletions_.dropPolicy(tenant_);
    EXPECT_EQ(status(1), FileStatus::Available);
    EXPECT_EQ(failure([&] { deletions_.dropPolicy(tenant_); }), numberOf(Ob::EntryNotExist));
    deletions_.addPolicy(policy, 1h);
    deletions_.policyRan(running, tenant_, 1h);
    EXPECT_TRUE(stores_.work.find(kDeletePolicyWork, tenant_, 1)) << "the one that ran goes on for the new policy";
    deletions_.dropPolicy(tenant_);
    EXPECT_FALSE(stores_.work.find(kDeletePolicyWork, tenant_, 1));
}

}  // namespace
}  // namespace tidemark::catalog
