#include "catalog/restore_store.h"

#include "catalog/stores_fixture.h"

namespace tidemark::catalog {
namespace {

TEST_F(StoresTest, ARestoreGoesThroughItsStatesIntoHistory) {
    auto& restores = stores_.restores;
    const auto [job, tenant] = restores.start({.tenant_name = "new",
                                               .backup_dest = "file:///a,file:///b",
                                               .option = "pool_list=p",
                                               .restore_scn = 9,
                                               .total_bytes = 100,
                                               .tablet_count = 7,
                                               .recover_start_scn = 3,
                                               .recover_scn = 3},
                                              newTenant("new"), "the plan");
    EXPECT_EQ(job.job_id, 1);
    EXPECT_EQ(job.tenant, tenant.id);
    EXPECT_EQ(stores_.tenants.get("new").status, TenantStatus::Restore);
    EXPECT_EQ(failure([&] { restores.start({.tenant_name = "NEW"}, newTenant("other"), ""); }),
              numberOf(Ob::RestoreInProgress));
    EXPECT_EQ(restores.findActive("new")->sys_status, RestoreSysStatus::CreateTenant);
    EXPECT_FALSE(restores.findActive("new")->tenant_status);
    EXPECT_EQ(stores_.work.find(kRestoreWork, kSysTenantId, 1)->progress, "the plan");
    const WorkClaim claim = claimRestore(kRestoreWork, 1);
    restores.tenantCreated(claim, 1);
    restores.setTenantStatus(claim, 1, RestoreTenantStatus::PostCheck);
    RestoreJobRow now = *restores.findActive("new");
    EXPECT_EQ(now.sys_status, RestoreSysStatus::WaitTenantRestoreFinish);
    EXPECT_EQ(now.tenant_status, RestoreTenantStatus::PostCheck);
    EXPECT_EQ(now.total_bytes, 100);
    EXPECT_EQ(now.tablet_count, 7);
    EXPECT_EQ(now.recover_start_scn, 3);
    EXPECT_EQ(now.recover_scn, 3);
    EXPECT_FALSE(now.left);
    now.finish_bytes = 40;
    now.left = std::chrono::milliseconds(1500);
    now.recover_scn = 5;
    restores.progress(claim, now);
    EXPECT_EQ(restores.findActive(1)->finish_bytes, 40);
    EXPECT_EQ(restores.findActive(1)->left.value().count(), 1500);
    restores.tenantCreated(claim, 1);
    EXPECT_EQ(restores.findActive(1)->finish_bytes, 0) << "another attempt counts from the start";
    EXPECT_EQ(restores.findActive(1)->recover_scn, 3);
    EXPECT_FALSE(restores.findActive(1)->left);
    EXPECT_EQ(restores.findActive(1)->tenant_status, RestoreTenantStatus::Restoring);
    clock_.advance(kSecond);
    restores.finish(claim, 1, Outcome::completed());
    EXPECT_THROW(restores.finish(claim, 1, Outcome::of(Error(ErrorCode::Internal, "it is over"))), Error);
    EXPECT_THROW(restores.progress(claim, now), Error);
    EXPECT_FALSE(restores.findActive("new"));
    EXPECT_FALSE(stores_.work.find(kRestoreWork, kSysTenantId, 1));
    EXPECT_TRUE(restores.history().empty());
    EXPECT_GT(stores_.work.find(kRestoreHistoryWork, kSysTenantId, 1)->due_in.value().count(), 1000);
    moveToHistory(1);
    EXPECT_FALSE(stores_.work.find(kRestoreHistoryWork, kSysTenantId, 1));
    const RestoreJobRow over = restores.history().at(0);
    EXPECT_EQ(over.sys_status, RestoreSysStatus::RestoreSuccess);
    EXPECT_EQ(over.tenant_status, RestoreTenantStatus::RestoreSuccess);
    EXPECT_EQ(over.finish_bytes, 100) << "whatever of the progress was not recorded";
    EXPECT_EQ(over.finish_tablet_count, 7);
    EXPECT_EQ(over.recover_scn, 9);
    EXPECT_EQ(over.finish_time, kStart + kSecond);
}

TEST_F(StoresTest, AQuickRestoreGoesOnAsOtherWorkWhichUsesTheSameBackup) {
    auto& restores = stores_.restores;
    const auto [job, tenant] =
        restores.start({.tenant_name = "new", .type = RestoreType::Quick, .total_bytes = 100}, newTenant("new"),
                       "the plan", BackupUse{.tenant = 1002, .backup_set_id = 7});
    const auto uses = [&] {
        return catalog_.write({}, [](mysql::SqlClient& client) { return backupUses(client, 1002); });
    };
    EXPECT_EQ(uses().at(0).kind, kRestoreWork);
    restores.goOnRemote(claimRestore(kRestoreWork, job.job_id), job.job_id);
    EXPECT_FALSE(stores_.work.find(kRestoreWork, kSysTenantId, job.job_id));
    ASSERT_TRUE(stores_.work.find(kHydrationWork, kSysTenantId, job.job_id));
    ASSERT_EQ(uses().size(), 1U) << "nothing of it may be removed";
    EXPECT_EQ(uses()[0].kind, kHydrationWork);
    EXPECT_EQ(uses()[0].backup_set_id, 7);
    EXPECT_EQ(restores.findActive("new")->tenant_status, RestoreTenantStatus::QuickRestoreFinish);
    EXPECT_EQ(restores.findActive("new")->type, RestoreType::Quick);
    EXPECT_FALSE(restores.cancel("new")) << "its tenant is open";
    restores.finish(claimRestore(kHydrationWork, job.job_id), job.job_id, Outcome::completed());
    EXPECT_TRUE(uses().empty());
    moveToHistory(job.job_id);
    EXPECT_EQ(restores.history().at(0).type, RestoreType::Quick);
    stores_.tenants.setDataMode(tenant.id, RestoreDataMode::Remote);
    EXPECT_EQ(stores_.tenants.get(tenant.id).data_mode, RestoreDataMode::Remote);
}

TEST_F(StoresTest, AQuickRestoreThatHasToCopySaysSo) {
    auto& restores = stores_.restores;
    const auto begun = restores.start({.tenant_name = "new", .type = RestoreType::Quick}, newTenant("new"), "");
    restores.becomeFull(claimRestore(kRestoreWork, begun.job.job_id), begun.job.job_id, "no /dev/fuse");
    EXPECT_EQ(restores.findActive("new")->type, RestoreType::Full);
    EXPECT_EQ(restores.findActive("new")->comment, "no /dev/fuse");
}

TEST_F(StoresTest, ARestoreThatFailsIsInNobodysWay) {
    auto& restores = stores_.restores;
    EXPECT_FALSE(restores.cancel("new"));
    const auto first = restores.start({.tenant_name = "new"}, newTenant("new"), "");
    EXPECT_EQ(restores.cancel("NEW"), first.job.job_id);
    EXPECT_TRUE(stores_.work.find(kRestoreWork, kSysTenantId, first.job.job_id)->cancelled);
    restores.finish(claimRestore(kRestoreWork, 1), 1, Outcome::of(Error(ErrorCode::Corrupt, "block 3 is damaged")));
    EXPECT_FALSE(restores.cancel("new")) << "it is over";
    stores_.tenants.remove(first.tenant.id);
    EXPECT_EQ(restores.start({.tenant_name = "new"}, newTenant("new", "p_other"), "").job.job_id, 2);
    moveToHistory(1);
    EXPECT_EQ(restores.history().at(0).sys_status, RestoreSysStatus::RestoreFail);
    EXPECT_FALSE(restores.history().at(0).tenant_status);
    EXPECT_EQ(restores.history().at(0).comment, "block 3 is damaged");
}

TEST_F(StoresTest, ARestoreThatIsRefusedLeavesNeitherTenantNorWork) {
    EXPECT_EQ(failure([&] {
                  stores_.restores.start({.tenant_name = "new"}, {.name = "new", .pools = {"no_such_pool"}}, "");
              }),
              numberOf(Ob::PoolNotExist));
    EXPECT_FALSE(stores_.restores.findActive("new"));
    EXPECT_FALSE(stores_.tenants.find("new"));
    EXPECT_FALSE(stores_.work.find(kRestoreWork, kSysTenantId, 1));
}

TEST_F(StoresTest, TheNewestRestoresOfANodeSayHowLongWhatTook) {
    using namespace std::chrono_literals;
    auto& restores = stores_.restores;
    int made = 0;
    const auto end = [&](const Outcome& outcome, const std::optional<RestorePace>& wanted) {
        const std::string name = "t" + std::to_string(++made);
        const auto begun = restores.start({.tenant_name = name}, newTenant(name), "");
        const JobId job = begun.job.job_id;
        std::optional<RestorePace> pace = wanted;
        if (pace) pace->job_id = job;
        restores.finish(claimRestore(kRestoreWork, job), job, outcome, pace);
        stores_.tenants.remove(begun.tenant.id);
    };
    const RestorePace pace{
        .server = 1, .file_bytes = 7, .file_time = 3s, .log_bytes = 5, .log_time = 2s, .rest_time = 1us};
    end(Outcome::completed(), std::nullopt);
    end(Outcome::of(Error(ErrorCode::Corrupt, "damaged")), pace);
    EXPECT_TRUE(restores.paces(1).empty()) << "neither was measured";
    for (int i = 0; i < RestoreStore::kPacesKept + 3; ++i)
        end(Outcome::completed(), pace);
    const auto kept = restores.paces(1);
    ASSERT_EQ(kept.size(), RestoreStore::kPacesKept);
    EXPECT_EQ(kept.front().job_id, RestoreStore::kPacesKept + 5);
    EXPECT_EQ(kept.front().file_time, 3s);
    EXPECT_EQ(kept.front().rest_time, 1us);
    EXPECT_EQ(kept.front().log_bytes, 5);
    EXPECT_TRUE(restores.paces(2).empty()) << "another node";
}

}  // namespace
}  // namespace tidemark::catalog
