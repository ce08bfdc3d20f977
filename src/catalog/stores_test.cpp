#include "catalog/stores.h"

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <barrier>
#include <thread>

#include "oceanbase/ob_error.h"
#include "testing/mariadb_server.h"

namespace tidemark::catalog {
namespace {

constexpr Nanos kStart = 1'717'233'024'046'643'000;

/// The OceanBase number an action fails with, 0 if it does not fail.
template <typename Action>
int failure(Action action) {
    try {
        action();
    } catch (const Error& error) {
        return error.sql() ? error.sql()->number : -1;
    }
    return 0;
}

int numberOf(Ob error) {
    return obError(error, "x").sql()->number;
}

class StoresTest : public ::testing::Test {
protected:
    static void SetUpTestSuite() { server_ = std::make_unique<testing::MariadbServer>(); }
    static void TearDownTestSuite() { server_.reset(); }

    StoresTest() {
        server_->connect().script("DROP DATABASE IF EXISTS tidemark");
        catalog_.migrate();
        stores_.cluster.bootstrap({.cluster = {.name = "c1", .id = 7},
                                   .zone = {.name = "zone1"},
                                   .server = {.ip = "127.0.0.1", .zone = "zone1", .build_version = "0.1.0"},
                                   .sys_server_id = 77,
                                   .sys_memory = 1 << 28});
    }

    Tenant makeTenant(const std::string& name) {
        stores_.resources.createUnit({.name = "u_" + name, .max_cpu = 2, .min_cpu = 1, .memory_size = 1 << 30});
        stores_.resources.createPool("p_" + name, "u_" + name, 1, {"zone1"});
        return stores_.tenants.create({.name = name, .pools = {"p_" + name}, .variables = {{"a", "it's"}}});
    }

    /// Of who does the tenant's backup.
    WorkClaim claim(TenantId tenant, JobId job) {
        const auto row = stores_.work.find("backup", tenant, job).value();
        if (row.owner.node != 0) return row.claim();
        return stores_.work.take(row, {.node = 1, .session = 5}, std::chrono::hours(1)).value().claim();
    }
    /// With a pool of its own.
    NewTenant newTenant(const std::string& name, const std::string& pool = "p_restore") {
        if (!stores_.resources.findUnit("u_restore"))
            stores_.resources.createUnit({.name = "u_restore", .max_cpu = 2, .min_cpu = 1, .memory_size = 1 << 30});
        if (!stores_.resources.findPool(pool)) stores_.resources.createPool(pool, "u_restore", 1, {"zone1"});
        return {.name = name, .pools = {pool}, .status = TenantStatus::Restore, .role = TenantRole::Restore};
    }
    /// Of who does it, whenever it is due.
    WorkClaim claimRestore(const char* kind, JobId job) {
        catalog_.write({}, [](mysql::SqlClient& client) { client.query("UPDATE tidemark.work SET next_run = NULL"); });
        const auto row = stores_.work.find(kind, kSysTenantId, job).value();
        return stores_.work.take(row, {.node = 1, .session = 5}, std::chrono::hours(1)).value().claim();
    }
    void moveToHistory(JobId job) { stores_.restores.moveToHistory(claimRestore(kRestoreHistoryWork, job), job); }

    static inline std::unique_ptr<testing::MariadbServer> server_;
    ManualClock clock_{kStart};
    Catalog catalog_{{.endpoint = server_->endpoint()}, clock_};
    Stores stores_{catalog_};
};

TEST_F(StoresTest, BootstrapsOnce) {
    stores_.cluster.bootstrap({.cluster = {.name = "other"}});
    EXPECT_EQ(stores_.cluster.cluster().name, "c1");
    EXPECT_EQ(stores_.cluster.cluster().id, 7);
    ASSERT_EQ(stores_.cluster.zones().size(), 1);
    EXPECT_EQ(stores_.cluster.zones()[0].create_time, kStart);
    Server server = stores_.cluster.servers().at(0);
    EXPECT_EQ(server.start_service_time, kStart);
    clock_.advance(kSecond);
    server.build_version = "0.2.0";
    server.cpu_capacity = 4;
    stores_.cluster.serverStarted(server);
    stores_.cluster.setServerUsage(1, 10, 20);
    server = stores_.cluster.servers().at(0);
    EXPECT_EQ(server.build_version, "0.2.0");
    EXPECT_EQ(server.start_service_time, kStart + kSecond);
    EXPECT_EQ(server.data_disk_in_use, 20);
    const Tenant sys = stores_.tenants.get("SYS");
    EXPECT_EQ(sys.id, kSysTenantId);
    EXPECT_EQ(sys.server_id, 77);
    EXPECT_EQ(stores_.resources.unitsOf(kSysTenantId).at(0).config.name, "sys_unit_config");
}

TEST_F(StoresTest, ParametersHaveDefaultsRangesAndScopes) {
    auto& parameters = stores_.parameters;
    EXPECT_EQ(parameters.value(1002, "Backup_Data_File_Size"), "4G");
    parameters.set(1002, "backup_data_file_size", "512M");
    EXPECT_EQ(parameters.bytes(1002, "backup_data_file_size"), 512LL << 20);
    EXPECT_EQ(parameters.bytes(1004, "backup_data_file_size"), 4LL << 30);
    parameters.reset(1002, "backup_data_file_size");
    EXPECT_EQ(parameters.bytes(1002, "backup_data_file_size"), 4LL << 30);
    parameters.set(1002, "archive_lag_target", "2m");
    EXPECT_EQ(parameters.time(1002, "archive_lag_target"), std::chrono::minutes(2));
    parameters.set(1002, "log_archive_concurrency", "1");
    EXPECT_EQ(parameters.integer(1002, "log_archive_concurrency"), 1);

    const int invalid = numberOf(Ob::InvalidArgument);
    EXPECT_EQ(failure([&] { parameters.set(1002, "backup_data_file_size", "511M"); }), invalid);
    EXPECT_EQ(failure([&] { parameters.set(1002, "archive_lag_target", "7201s"); }), invalid);
    EXPECT_EQ(failure([&] { parameters.set(1002, "log_archive_concurrency", "101"); }), invalid);
    EXPECT_EQ(failure([&] { parameters.set(1002, "log_archive_concurrency", "-1"); }), invalid);
    EXPECT_EQ(failure([&] { parameters.set(1002, "log_archive_concurrency", "many"); }), invalid);
    EXPECT_EQ(failure([&] { parameters.set(1002, "log_archive_concurrency", ""); }), invalid);
    EXPECT_EQ(failure([&] { parameters.set(1002, "archive_lag_target", "99999999999999999d"); }), invalid);
    EXPECT_EQ(failure([&] { parameters.set(1002, "standby_fetch_log_bandwidth_limit", "1M"); }), invalid);
    EXPECT_EQ(failure([&] { parameters.set(1002, "compatible", "1"); }), numberOf(Ob::NotSupported));
    EXPECT_EQ(failure([&] { parameters.set(1002, "no_such", "1"); }), numberOf(Ob::ConfigUnknown));
    parameters.set(1, "standby_fetch_log_bandwidth_limit", "0M");
    EXPECT_EQ(parameters.bytes(1002, "standby_fetch_log_bandwidth_limit"), 0);
}

TEST_F(StoresTest, ParametersWithoutAnEffectAreNotSet) {
    auto& parameters = stores_.parameters;
    const int unsupported = numberOf(Ob::NotSupported);
    EXPECT_EQ(failure([&] { parameters.set(1002, "log_archive_concurrency", "2"); }), unsupported);
    EXPECT_EQ(failure([&] { parameters.set(1002, "log_restore_concurrency", "4"); }), unsupported);
    EXPECT_EQ(failure([&] { parameters.set(1002, "ha_mid_thread_score", "10"); }), unsupported);
    EXPECT_EQ(failure([&] { parameters.set(1002, "standby_db_fetch_log_rpc_timeout", "20s"); }), unsupported);
    EXPECT_EQ(failure([&] { parameters.set(1, "standby_fetch_log_bandwidth_limit", "1M"); }), unsupported);
    parameters.set(1002, "log_restore_concurrency", "0");
    parameters.set(1002, "standby_db_fetch_log_rpc_timeout", "15s");
}

TEST_F(StoresTest, UnitsAndPoolsGuardTheirReferences) {
    auto& resources = stores_.resources;
    const UnitConfig unit = resources.createUnit({.name = "u1", .max_cpu = 1.5, .memory_size = 1 << 30});
    EXPECT_EQ(unit.id, 1001);
    EXPECT_EQ(resources.findUnit("U1")->max_cpu, 1.5);
    EXPECT_EQ(failure([&] { resources.createUnit({.name = "U1"}); }), numberOf(Ob::UnitExist));
    EXPECT_EQ(failure([&] { resources.createPool("p1", "nope", 1, {"zone1"}); }), numberOf(Ob::UnitNotExist));
    EXPECT_EQ(failure([&] { resources.createPool("p1", "u1", 2, {"zone1"}); }), numberOf(Ob::UnitNumOverServerCount));
    EXPECT_EQ(failure([&] { resources.createPool("p1", "u1", 1, {"zone9"}); }), numberOf(Ob::InvalidArgument));
    EXPECT_FALSE(resources.findPool("p1"));
    EXPECT_EQ(resources.createPool("p1", "u1", 1, {"zone1"}).zones, std::vector<std::string>{"zone1"});
    EXPECT_EQ(failure([&] { resources.createPool("p2", "u1", 1, {"zone1", "ZONE1"}); }), numberOf(Ob::ZoneDuplicated));
    EXPECT_EQ(failure([&] { resources.createPool("P1", "u1", 1, {"zone1"}); }), numberOf(Ob::PoolExist));
    EXPECT_EQ(failure([&] { resources.dropUnit("u1"); }), numberOf(Ob::UnitIsReferenced));

    const Tenant tenant = stores_.tenants.create({.name = "t1", .pools = {"p1"}});
    EXPECT_EQ(failure([&] { resources.dropPool("p1"); }), numberOf(Ob::PoolAlreadyGranted));
    UnitConfig bigger = unit;
    bigger.memory_size = 2LL << 30;
    const auto before = catalog_.changes().count(tenant.id);
    resources.alterUnit(bigger);
    EXPECT_GT(catalog_.changes().count(tenant.id), before);
    resources.setUsage(tenant.id, 5, 6);
    ASSERT_EQ(resources.unitsOf(tenant.id).size(), 1);
    EXPECT_EQ(resources.unitsOf(tenant.id)[0].config.memory_size, 2LL << 30);
    resources.createUnit({.name = "u2", .memory_size = 1});
    resources.setPoolUnit("p1", "u2");
    EXPECT_EQ(resources.unitsOf(tenant.id)[0].config.name, "u2");
    resources.dropUnit("u1");

    stores_.tenants.remove(tenant.id);
    EXPECT_TRUE(resources.unitsOf(tenant.id).empty());
    resources.dropPool("p1");
    EXPECT_EQ(failure([&] { resources.dropPool("p1"); }), numberOf(Ob::PoolNotExist));
}

TEST_F(StoresTest, TenantsComeWithEvenIdsThatAreNeverUsedAgain) {
    const Tenant first = makeTenant("t1");
    EXPECT_EQ(first.id, 1002);
    EXPECT_EQ(first.locality, "FULL{1}@zone1");
    EXPECT_EQ(makeTenant("t2").id, 1004);
    stores_.tenants.remove(1004);
    EXPECT_EQ(makeTenant("t3").id, 1006);
    EXPECT_FALSE(stores_.tenants.find("t2"));
    EXPECT_NE(stores_.tenants.get("t1").server_id, stores_.tenants.get("t3").server_id);
    EXPECT_EQ(failure([&] { stores_.tenants.get("t2"); }), numberOf(Ob::TenantNotExist));
    EXPECT_EQ(stores_.tenants.all().size(), 3);
}

TEST_F(StoresTest, RefusesTenantsThatCannotBe) {
    makeTenant("t1");
    auto& tenants = stores_.tenants;
    EXPECT_EQ(failure([&] { tenants.create({.name = "T1", .pools = {"x"}}); }), numberOf(Ob::TenantExist));
    EXPECT_EQ(failure([&] { tenants.create({.name = "t2", .pools = {}}); }), numberOf(Ob::EmptyPoolList));
    EXPECT_EQ(failure([&] { tenants.create({.name = "t2", .pools = {"x"}}); }), numberOf(Ob::PoolNotExist));
    EXPECT_EQ(failure([&] { tenants.create({.name = "t2", .pools = {"p_t1"}}); }), numberOf(Ob::PoolAlreadyGranted));
    EXPECT_EQ(failure([&] { tenants.rename(1002, "sys"); }), numberOf(Ob::TenantExist));
}

TEST_F(StoresTest, ATenantsAttributesComeBackAsSet) {
    const TenantId id = makeTenant("t1").id;
    auto& tenants = stores_.tenants;
    clock_.advance(kSecond);
    tenants.setStatus(id, TenantStatus::Normal);
    tenants.setRole(id, TenantRole::Standby);
    tenants.setRole(id, TenantRole::Standby);
    tenants.setRole(id, TenantRole::Primary);
    tenants.setSwitchoverStatus(id, SwitchoverStatus::PrepareFlashback);
    tenants.setLogMode(id, LogMode::Archivelog);
    tenants.setLocked(id, true);
    tenants.setComment(id, "ein \"Wort\" mit ü");
    tenants.setPrimaryZone(id, "zone1");
    tenants.setVariables(id, {{"x", "1"}});
    tenants.setServerId(id, 4'000'000'000);
    tenants.setAdminSecretRef(id, "secret-file");
    tenants.setCharset(id, "latin1", "latin1_swedish_ci");
    tenants.rename(id, "t9");
    tenants.setRecoveryUntil(id, 5);
    tenants.advanceScn(id, 20, 10);
    const auto before = catalog_.changes().count(id);
    tenants.advanceScn(id, 15, 5);
    EXPECT_EQ(catalog_.changes().count(id), before);
    const Tenant tenant = tenants.get(id);
    EXPECT_EQ(tenant.name, "t9");
    EXPECT_EQ(tenant.status, TenantStatus::Normal);
    EXPECT_EQ(tenant.role, TenantRole::Primary);
    EXPECT_EQ(tenant.switchover_epoch, 2);
    EXPECT_EQ(tenant.switchover_status, SwitchoverStatus::PrepareFlashback);
    EXPECT_EQ(tenant.log_mode, LogMode::Archivelog);
    EXPECT_TRUE(tenant.locked);
    EXPECT_EQ(tenant.comment, "ein \"Wort\" mit ü");
    EXPECT_EQ(tenant.variables, (std::map<std::string, std::string>{{"x", "1"}}));
    EXPECT_EQ(tenant.server_id, 4'000'000'000);
    EXPECT_EQ(tenant.admin_secret_ref, "secret-file");
    EXPECT_EQ(tenant.collation, "latin1_swedish_ci");
    EXPECT_EQ(tenant.sync_scn, 20);
    EXPECT_EQ(tenant.readable_scn, 10);
    EXPECT_EQ(tenant.recovery_until_scn, 5);
    EXPECT_EQ(tenant.create_time, kStart);
    EXPECT_EQ(tenant.modify_time, kStart + kSecond);
}

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
    destinations.setArchiveState(a, DestinationState::Defer);
    destinations.setArchive(a, "file:///z", Binding::Mandatory, 7);
    const auto archive = destinations.archive(a);
    EXPECT_EQ(archive->dest_id, 1005);
    EXPECT_EQ(archive->binding, Binding::Mandatory);
    EXPECT_EQ(archive->piece_switch_days, 7);
    EXPECT_EQ(archive->state, DestinationState::Defer);
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
    archive.setPieceFileStatus(id, 1, FileStatus::Deleted);
    const auto pieces = archive.pieces(id);
    ASSERT_EQ(pieces.size(), 3);
    EXPECT_EQ(pieces[0].status, PieceStatus::Frozen);
    EXPECT_EQ(pieces[0].end_scn, 200);
    EXPECT_EQ(pieces[0].max_scn, 140);
    EXPECT_EQ(pieces[0].file_status, FileStatus::Deleted);
    EXPECT_EQ(pieces[1].end_scn, 210) << "where it was when the round ended";
    EXPECT_EQ(pieces[2].status, PieceStatus::Active);
    EXPECT_EQ(archive.lastPiece(id)->piece_id, 3);
    EXPECT_EQ(archive.rounds(id).size(), 2);
}

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
    backups.progress(claim(id, 1), task);
    EXPECT_EQ(backups.taskOf(id, 1)->status, BackupTaskStatus::BackupDataMajor);
    EXPECT_EQ(backups.set(id, 5)->stats.output_bytes, 50);
    EXPECT_EQ(backups.activeJobs().size(), 1);
    clock_.advance(10 * kSecond);
    set.min_restore_scn = 42;
    set.stats = task.stats;
    const WorkClaim own = claim(id, 1);
    backups.finish(own, id, 1, Outcome::completed(), &set, "remains");
    EXPECT_THROW(backups.finish(own, id, 1, Outcome::of(Error(ErrorCode::Internal, "late"))), Error);
    EXPECT_FALSE(stores_.work.find("backup", id, 1));
    EXPECT_EQ(stores_.work.find("clean", id, 1)->progress, "remains");
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
    backups.setFileStatus(id, 5, FileStatus::Expired);
    EXPECT_EQ(backups.sets(id).at(0).file_status, FileStatus::Expired);
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
    now.finish_bytes = 40;
    now.recover_scn = 5;
    restores.progress(claim, now);
    EXPECT_EQ(restores.findActive(1)->finish_bytes, 40);
    restores.tenantCreated(claim, 1);
    EXPECT_EQ(restores.findActive(1)->finish_bytes, 0) << "another attempt counts from the start";
    EXPECT_EQ(restores.findActive(1)->recover_scn, 3);
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

TEST_F(StoresTest, EventsAreBoundedByCount) {
    EventStore events(catalog_, 3);
    for (int i = 0; i < 5; ++i)
        events.record("unit", "e" + std::to_string(i), {{"tenant_id", "1002"}}, "x");
    events.record("m", "long", std::vector<std::pair<std::string, std::string>>(9, {"n", std::string(999, 'v')}),
                  std::string(999, 'x'));
    EXPECT_EQ(server_->connect().scalar("SELECT GROUP_CONCAT(event ORDER BY id) FROM tidemark.rootservice_event"),
              "e3,e4,long");
    const JobId job = events.startTenantJob("ALTER_TENANT_LOCALITY", 1002, "ALTER TENANT", "");
    EXPECT_FALSE(events.tenantJobs().at(0).result_code);
    events.finishTenantJob(job, TenantJobStatus::Success, 0);
    EXPECT_EQ(events.tenantJobs().at(0).progress, 100);
    EXPECT_EQ(events.tenantJobs().at(0).result_code, 0);
}

}  // namespace
}  // namespace tidemark::catalog
