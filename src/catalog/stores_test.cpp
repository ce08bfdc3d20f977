#include "catalog/stores.h"

#include "catalog/stores_fixture.h"

namespace tidemark::catalog {
namespace {

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
    server = stores_.cluster.servers().at(0);
    EXPECT_EQ(server.build_version, "0.2.0");
    EXPECT_EQ(server.start_service_time, kStart + kSecond);
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
    parameters.set(1002, "ha_low_thread_score", "100");
    parameters.set(1002, "ha_high_thread_score", "100");
    parameters.set(1, "backup_net_limit", "20M");
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
    tenants.setLogMode(id, LogMode::Archivelog);
    tenants.setLocked(id, true);
    tenants.setComment(id, "ein \"Wort\" mit ü");
    tenants.setPrimaryZone(id, "zone1");
    tenants.setVariables(id, {{"x", "1"}});
    tenants.setServerId(id, 4'000'000'000);
    tenants.setAdminSecretRef(id, "secret-file");
    tenants.rename(id, "t9");
    tenants.advanceScn(id, 20, 10);
    const auto before = catalog_.changes().count(id);
    tenants.advanceScn(id, 15, 5);
    EXPECT_EQ(catalog_.changes().count(id), before);
    const Tenant tenant = tenants.get(id);
    EXPECT_EQ(tenant.name, "t9");
    EXPECT_EQ(tenant.status, TenantStatus::Normal);
    EXPECT_EQ(tenant.role, TenantRole::Primary);
    EXPECT_EQ(tenant.switchover_epoch, 2);
    EXPECT_EQ(tenant.log_mode, LogMode::Archivelog);
    EXPECT_TRUE(tenant.locked);
    EXPECT_EQ(tenant.comment, "ein \"Wort\" mit ü");
    EXPECT_EQ(tenant.variables, (std::map<std::string, std::string>{{"x", "1"}}));
    EXPECT_EQ(tenant.server_id, 4'000'000'000);
    EXPECT_EQ(tenant.admin_secret_ref, "secret-file");
    EXPECT_EQ(tenant.sync_scn, 20);
    EXPECT_EQ(tenant.readable_scn, 10);
    EXPECT_EQ(tenant.create_time, kStart);
    EXPECT_EQ(tenant.modify_time, kStart + kSecond);
}

TEST_F(StoresTest, EventsAreBoundedByCount) {
    EventStore events(catalog_, 3);
    for (int i = 0; i < 5; ++i)
        events.record("unit", "e" + std::to_string(i), {{"tenant_id", "1002"}}, "x");
    events.record("m", "long", std::vector<std::pair<std::string, std::string>>(9, {"n", std::string(999, 'v')}),
                  std::string(999, 'x'));
    EXPECT_EQ(server_->connect().scalar("SELECT GROUP_CONCAT(event ORDER BY id) FROM tidemark.rootservice_event"),
              "e3,e4,long");
}

}  // namespace
}  // namespace tidemark::catalog
