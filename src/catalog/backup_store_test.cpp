#include "catalog/backup_store.h"

#include <atomic>
#include <barrier>
#include <thread>

#include "catalog/stores_fixture.h"

namespace tidemark::catalog {
namespace {

TEST_F(StoresTest, ABackupGoesFromInitToHistory) {
    const TenantId id = makeTenant("a").id;
    auto& backups = stores_.backups;
    const BackupRequest request{.tenant = id, .dest_id = 1002, .path = "file:///d", .description = "nightly"};
    const BackupJobRow job = backups.start(request);
    EXPECT_EQ(job.job_id, 1);
    EXPECT_EQ(job.status, BackupJobStatus::Init);
    EXPECT_EQ(failure([&] { backups.start(request); }), numberOf(Ob::BackupInProgress));
    auto [task, set] = backups.begin(claim(id, 1), id, 1, {.type = BackupType::Full}, 5);
    EXPECT_EQ(set.backup_set_id, 5);
    EXPECT_EQ(backups.job(id, 1)->status, BackupJobStatus::Doing);
    EXPECT_EQ(backups.job(id, 1)->backup_set_id, 5);
    task.status = BackupTaskStatus::BackupDataMajor;
    task.start_scn = 11;
    task.stats = {.input_bytes = 100, .output_bytes = 50, .tablet_count = 3, .macro_block_count = 8};
    task.left = std::chrono::milliseconds(2500);
    backups.progress(claim(id, 1), task);
    EXPECT_EQ(backups.taskOf(id, 1)->status, BackupTaskStatus::BackupDataMajor);
    EXPECT_EQ(backups.taskOf(id, 1)->left.value().count(), 2500);
    EXPECT_EQ(backups.set(id, 5)->stats.output_bytes, 50);
    EXPECT_EQ(backups.activeJobs().size(), 1);
    clock_.advance(10 * kSecond);
    set.min_restore_scn = 42;
    set.log_end_scn = 45;
    set.stats = task.stats;
    const WorkClaim own = claim(id, 1);
    backups.finish(own, id, 1, Outcome::completed(), &set, "remains");
    EXPECT_THROW(backups.finish(own, id, 1, Outcome::of(Error(ErrorCode::Internal, "late"))), Error);
    EXPECT_FALSE(stores_.work.find("backup", id, 1));
    EXPECT_EQ(stores_.work.find("clean", id, 1)->progress, "remains");
    EXPECT_EQ(backups.set(id, 5)->log_end_scn, 45U);
    EXPECT_TRUE(backups.activeJobs().empty());
    const auto over = backups.job(id, 1);
    EXPECT_EQ(over->status, BackupJobStatus::Completed);
    EXPECT_EQ(over->end_time, kStart + 10 * kSecond);
    EXPECT_EQ(over->description, "nightly");
    EXPECT_EQ(backups.taskOf(id, 1)->status, BackupTaskStatus::Completed);
    EXPECT_EQ(backups.taskOf(id, 1)->start_scn, 11);
    const auto done = backups.set(id, 5);
    EXPECT_EQ(done->status, BackupSetStatus::Success);
    EXPECT_EQ(done->file_status, FileStatus::Available);
    EXPECT_EQ(done->min_restore_scn, 42);
    EXPECT_EQ(backups.start(request).job_id, 2);
    EXPECT_EQ(backups.begin(claim(id, 2), id, 2, {}).set.backup_set_id, 6);
    EXPECT_EQ(backups.sets(id).at(0).file_status, FileStatus::Available);
}

TEST_F(StoresTest, ASetGetsItsKeyLater) {
    const TenantId id = makeTenant("a").id;
    auto& backups = stores_.backups;
    BackupSet set{.tenant = id,
                  .backup_set_id = 3,
                  .start_time = kStart,
                  .end_time = kStart,
                  .status = BackupSetStatus::Success,
                  .file_status = FileStatus::Broken,
                  .encryption = {.mode = "PASSWORD", .passwd = "p"}};
    EXPECT_FALSE(backups.enterKey(set, "key")) << "it is not there";
    EXPECT_FALSE(backups.wrappedKeyOf(id, 3));
    EXPECT_TRUE(backups.enter(set, 1, ""));
    EXPECT_FALSE(backups.wrappedKeyOf(id, 3));
    set.stats.input_bytes = 7;
    set.file_status = FileStatus::Available;
    for (const std::string key : {"key", "other"}) {
        EXPECT_TRUE(backups.enterKey(set, key));
        EXPECT_EQ(backups.wrappedKeyOf(id, 3), key);
    }
    EXPECT_EQ(backups.set(id, 3)->stats.input_bytes, 7U);
    EXPECT_EQ(backups.set(id, 3)->file_status, FileStatus::Broken) << "what it is says another";
}

TEST_F(StoresTest, AClusterBackupEndsWithItsLastTenantAndShowsTheWorst) {
    const TenantId a = makeTenant("a").id;
    const TenantId b = makeTenant("b").id;
    auto& backups = stores_.backups;
    const ClusterBackup backup = backups.startFromSys(
        {{.tenant = a, .path = "file:///a"}, {.tenant = b, .path = "file:///b"}}, JobLevel::Cluster, "all");
    EXPECT_EQ(backup.parent.executors, "1002,1004");
    EXPECT_EQ(backup.jobs.at(1).initiator_job_id, backup.parent.job_id);
    EXPECT_EQ(failure([&] { backups.startFromSys({{.tenant = b}}, JobLevel::SysTenant, ""); }),
              numberOf(Ob::BackupInProgress));
    backups.begin(claim(a, 1), a, 1, {});
    EXPECT_EQ(backups.job(kSysTenantId, 1)->status, BackupJobStatus::Doing);
    backups.finish(claim(a, 1), a, 1, Outcome::of(Error(ErrorCode::NoSpace, "disk \xff full", "make room")));
    EXPECT_EQ(backups.job(kSysTenantId, 1)->status, BackupJobStatus::Doing);
    backups.finish(claim(b, 1), b, 1, Outcome::completed());
    const auto parent = backups.job(kSysTenantId, 1);
    EXPECT_EQ(parent->status, BackupJobStatus::Failed);
    EXPECT_LT(parent->result, 0);
    EXPECT_EQ(parent->comment, "tenant 1002: disk ? full; make room");
    EXPECT_EQ(backups.set(a, 1)->file_status, FileStatus::Incomplete);
    EXPECT_EQ(backups.startFromSys({{.tenant = b}}, JobLevel::SysTenant, "").parent.job_id, 2);
}

TEST_F(StoresTest, CancelReachesTheTenantsJobsAndTheirTasks) {
    const TenantId a = makeTenant("a").id;
    const TenantId b = makeTenant("b").id;
    auto& backups = stores_.backups;
    EXPECT_TRUE(backups.cancel(std::nullopt).empty());
    backups.startFromSys({{.tenant = a}, {.tenant = b}}, JobLevel::Cluster, "");
    auto begun = backups.begin(claim(a, 1), a, 1, {});
    EXPECT_EQ(backups.cancel(a).size(), 1);
    EXPECT_EQ(backups.job(b, 1)->status, BackupJobStatus::Init);
    EXPECT_EQ(backups.cancel(std::nullopt).size(), 2);
    begun.task.status = BackupTaskStatus::BackupDataMajor;
    backups.progress(claim(a, 1), begun.task);
    EXPECT_EQ(backups.taskOf(a, 1)->status, BackupTaskStatus::Canceling);
    try {
        backups.begin(claim(b, 1), b, 1, {});
        FAIL() << "no error";
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), ErrorCode::Cancelled);
        backups.finish(claim(b, 1), b, 1, Outcome::of(error));
    }
    backups.finish(claim(a, 1), a, 1, Outcome::of(Error(ErrorCode::Cancelled, "seen")));
    EXPECT_EQ(backups.job(a, 1)->status, BackupJobStatus::Canceled);
    EXPECT_EQ(backups.job(a, 1)->result, -4072);
    EXPECT_EQ(backups.job(kSysTenantId, 1)->status, BackupJobStatus::Canceled);
}

TEST_F(StoresTest, ADroppedTenantLeavesNoParentBehind) {
    const TenantId a = makeTenant("a").id;
    stores_.backups.startFromSys({{.tenant = a}}, JobLevel::Cluster, "");
    stores_.tenants.remove(a);
    EXPECT_EQ(stores_.backups.job(kSysTenantId, 1)->status, BackupJobStatus::Canceled);
    EXPECT_TRUE(stores_.backups.activeJobs().empty());
}

TEST_F(StoresTest, OnlyOneOfManyBackupStartsOfATenantSucceeds) {
    constexpr int kStarters = 4;  // as many as there are connections, so that they really meet
    const TenantId id = makeTenant("a").id;
    for (JobId round = 1; round <= 20; ++round) {
        std::atomic<int> started = 0;
        {
            std::barrier together(kStarters);
            std::vector<std::jthread> starters;
            for (int i = 0; i < kStarters; ++i) {
                starters.emplace_back([&] {
                    together.arrive_and_wait();
                    if (failure([&] { stores_.backups.start({.tenant = id}); }) == 0) ++started;
                });
            }
        }
        ASSERT_EQ(started, 1) << "round " << round;
        ASSERT_EQ(stores_.backups.activeJobs().size(), 1);
        const JobId job = stores_.backups.activeJobs()[0].job_id;
        stores_.backups.finish(claim(id, job), id, job, Outcome::completed());
    }
}

}  // namespace
}  // namespace tidemark::catalog
