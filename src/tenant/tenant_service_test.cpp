#include "tenant/tenant_service.h"

#include <gmock/gmock.h>

#include <fcntl.h>
#include <sys/stat.h>

#include <csignal>
#include <future>

#include "base/bounded_queue.h"
#include "base/time_zone.h"
#include "mysql/wire_client.h"
#include "tenant/tenant_fixture.h"

namespace tidemark::tenant {
namespace {

using catalog::TenantRole;
using catalog::TenantStatus;
using ::testing::AnyOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

/// A node without the rest of the daemon: sys with its catalog, a supervisor, a TenantService.
class TenantServiceTest : public TenantFixture {
protected:
    void SetUp() override {
        sys_ = started(catalog::kSysTenantId);
        catalog_ = std::make_unique<catalog::Catalog>(catalog::CatalogOptions{.endpoint = sys_->endpoint()}, clock_);
        catalog_->migrate();
        stores_ = std::make_unique<catalog::Stores>(*catalog_);
        stores_->cluster.bootstrap({.cluster = {.name = "test"},
                                    .zone = {.name = "zone1"},
                                    .server = {.ip = "127.0.0.1", .zone = "zone1"},
                                    .sys_server_id = 5001,
                                    .sys_memory = kLeastMemory,
                                    .sys_log_disk = 2ULL << 30});
        begin();
    }

    /// As a daemon that starts on this data directory.
    void begin() {
        supervisor_ = std::make_unique<TenantSupervisor>([this](const SupervisorEvent& event) { events_.push(event); });
        service_ = std::make_unique<TenantService>(
            TenantServiceOptions{
                .tenants = directory_.path(),
                .zone = "zone1",
                .memory_capacity = 1ULL << 60,
                .started = [this](auto id, const auto&) { seen_.push_back("started " + std::to_string(id)); },
                .stopping = [this](auto id) { seen_.push_back("stopping " + std::to_string(id)); }},
            *catalog_, *stores_, sharedTemplate(), *supervisor_, sys_);
        service_->start();
    }

    /// As a daemon that was killed: nothing is stopped.
    void end() {
        service_.reset();
        supervisor_.reset();
    }

    void TearDown() override {
        if (supervisor_) {
            for (const catalog::Tenant& tenant : stores_->tenants.all()) {
                supervisor_->forget(tenant.id);
                object(tenant.id)->adopt();
            }
        }
        end();
        TenantFixture::TearDown();
    }

    void pool(const std::string& name, std::int64_t memory = 64 << 20) {
        service_->createUnit("u_" + name, {.max_cpu = 1, .memory_size = memory});
        service_->createPool(name, "u_" + name, 1, {"zone1"});
    }
    catalog::Tenant create(const std::string& name, const std::map<std::string, std::string>& variables = {}) {
        pool("p_" + name);
        service_->createTenant(name, {.pools = {{"p_" + name}}, .variables = variables});
        return stores_->tenants.get(name);
    }
    /// "number message" of the error.
    static std::string errorOf(const std::function<void()>& call) {
        try {
            call();
            return "no error";
        } catch (const Error& error) {
            return std::to_string(error.sql() ? error.sql()->number : 0) + " " + error.what();
        }
    }
    mysql::SqlClient root(catalog::TenantId id) { return administrator(*service_->server(id)); }
    mysql::SqlClient daemon(catalog::TenantId id) { return mysql::SqlClient(service_->server(id)->endpoint()); }

    SystemClock clock_;
    std::shared_ptr<TenantServer> sys_;
    std::unique_ptr<catalog::Catalog> catalog_;
    std::unique_ptr<catalog::Stores> stores_;
    BoundedQueue<SupervisorEvent> events_{1000};
    std::vector<std::string> seen_;
    std::unique_ptr<TenantSupervisor> supervisor_;
    std::unique_ptr<TenantService> service_;
};

TEST_F(TenantServiceTest, CreatesATenantThatCanBeUsedAndDropped) {
    const catalog::Tenant acme = create("acme");
    EXPECT_EQ(acme.id, 1002);
    EXPECT_EQ(acme.status, TenantStatus::Normal);
    EXPECT_EQ(acme.role, TenantRole::Primary);
    root(1002).script("CREATE DATABASE d; CREATE TABLE d.t(a INT); INSERT INTO d.t VALUES (1)");
    EXPECT_EQ(root(1002).scalar("SELECT @@global.gtid_binlog_pos"), "1002-" + std::to_string(acme.server_id) + "-3");

    const auto target = service_->loginTarget("ACME");
    ASSERT_TRUE(target);
    EXPECT_EQ(target->id, 1002);
    EXPECT_TRUE(target->up);
    EXPECT_EQ(target->socket, service_->server(1002)->socket());
    EXPECT_EQ(target->client_connections, 64U);

    const auto server = service_->server(1002);
    service_->dropTenant("acme");
    EXPECT_FALSE(server->running());
    EXPECT_FALSE(server->exists());
    EXPECT_FALSE(stores_->tenants.find("acme"));
    EXPECT_FALSE(service_->loginTarget("acme"));
    EXPECT_FALSE(stores_->resources.findPool("p_acme")->tenant) << "the pool stays, free again";
    EXPECT_THAT(seen_, ElementsAre("started 1002", "stopping 1002"));
    service_->createTenant("acme", {.pools = {{"p_acme"}}});
    EXPECT_EQ(stores_->tenants.get("acme").id, 1004) << "ids are never used twice";
}

TEST_F(TenantServiceTest, AnswersMistakesWithOceanBasesErrors) {
    create("acme");
    pool("free");
    const TenantItems items{.pools = {{"free"}}};
    const auto creating = [&](const std::string& name, const TenantItems& with) {
        return errorOf([&] { service_->createTenant(name, with); });
    };
    EXPECT_THAT(creating("acme", items), HasSubstr("5156 "));
    EXPECT_THAT(creating("sys", items), HasSubstr("5156 "));
    EXPECT_THAT(creating("other", {.pools = {{"p_acme"}}}), HasSubstr("4626 "));
    EXPECT_THAT(creating("other", {.pools = {{"none"}}}), HasSubstr("4650 "));
    EXPECT_THAT(creating("other", {.pools = {{"free", "FREE"}}}), HasSubstr("4657 "));
    EXPECT_THAT(creating("other", {}), HasSubstr("1210 "));
    EXPECT_THAT(creating("2fast", items), HasSubstr("1210 "));
    EXPECT_THAT(creating("a b", items), HasSubstr("1210 "));
    EXPECT_THAT(creating("../etc", items), HasSubstr("1210 "));
    EXPECT_THAT(creating("all", items), HasSubstr("1210 "));
    EXPECT_THAT(creating(std::string(64, 'x'), items), HasSubstr("4646 "));
    EXPECT_THAT(creating("other", {.pools = {{"free"}}, .charset = "klingon"}), HasSubstr("1115 "));
    EXPECT_THAT(creating("other", {.pools = {{"free"}}, .charset = "latin1", .collation = "utf8mb4_bin"}),
                HasSubstr("1253 "));
    EXPECT_THAT(creating("other", {.pools = {{"free"}}, .locality = "F@zone9"}), HasSubstr("1210 "));
    EXPECT_THAT(creating("other", {.pools = {{"free"}}, .primary_zone = "zone9"}), HasSubstr("1210 "));
    EXPECT_THAT(errorOf([&] { service_->dropTenant("none"); }), HasSubstr("5157 "));
    EXPECT_THAT(errorOf([&] { service_->dropTenant("sys"); }), HasSubstr("4179 "));
    EXPECT_THAT(errorOf([&] { service_->dropPool("p_acme"); }), HasSubstr("4626 "));
    EXPECT_THAT(errorOf([&] { service_->dropUnit("u_free"); }), HasSubstr("4634 "));
    EXPECT_THAT(errorOf([&] { service_->alterPool("free", {.unit = "u_free", .unit_num = 1}); }), HasSubstr("1235 "));
    const UnitItems huge{.memory_size = 2LL << 60};
    EXPECT_THAT(errorOf([&] { service_->alterUnit("u_p_acme", huge); }), HasSubstr("4624 "));
    EXPECT_EQ(stores_->resources.findUnit("u_p_acme")->memory_size, 64 << 20) << "it must not wait for the next start";
    EXPECT_EQ(creating("acme", items).substr(0, 4), "5156");
    service_->createTenant("acme", items, true);
    service_->dropTenant("none", false, true);
    EXPECT_EQ(service_->loginTarget("other"), std::nullopt);
}

TEST_F(TenantServiceTest, LeavesNothingOfATenantThatDoesNotStart) {
    pool("p");
    pool("too_much", 1LL << 50);
    EXPECT_THAT(errorOf([&] { service_->createTenant("acme", {.pools = {{"too_much"}}}); }),
                HasSubstr("creating tenant acme: "));
    EXPECT_FALSE(stores_->tenants.find("acme"));
    EXPECT_FALSE(std::filesystem::exists(directory_.path() / "1002"));
    service_->createTenant("acme", {.pools = {{"p"}}});
}

TEST_F(TenantServiceTest, AsksAServerAboutValuesBeforeItMakesATenant) {
    pool("p");
    const auto creating = [&](const std::string& variable, const std::string& value) {
        return errorOf([&] { service_->createTenant("acme", {.pools = {{"p"}}, .variables = {{variable, value}}}); });
    };
    EXPECT_THAT(creating("sql_mode", "BOGUS"), HasSubstr("1231 "));
    EXPECT_THAT(creating("time_zone", "Mars/Phobos"), HasSubstr("1298 "));
    EXPECT_THAT(creating("system_time_zone", "Mars/Phobos"), HasSubstr("1298 "));
    EXPECT_THAT(creating("tx_isolation", "NONE"), HasSubstr("1231 "));
    EXPECT_THAT(creating("group_concat_max_len", "x"), HasSubstr("1232 "));
    EXPECT_THAT(creating("max_allowed_packet", "abc"), HasSubstr("1232 "));
    EXPECT_THAT(creating("max_allowed_packet", "1"), HasSubstr("1231 "));
    EXPECT_THAT(creating("connect_timeout", "soon"), HasSubstr("1232 "));
    EXPECT_THAT(creating("max_connections", "50"),
                HasSubstr("1235 setting max_connections of a tenant is not supported"));
    EXPECT_THAT(creating("bogus", "50"), HasSubstr("1193 "));
    EXPECT_EQ(stores_->tenants.all().size(), 1U);
    EXPECT_THAT(seen_, ElementsAre()) << "nothing was made";
    service_->createTenant("acme", {.pools = {{"p"}},
                                    .variables = {{"max_allowed_packet", "64M"},
                                                  {"max_statement_time", "1.5"},
                                                  {"connect_timeout", "7"},
                                                  {"autocommit", "ON"},
                                                  {"time_zone", "+08:00"},
                                                  {"transaction_isolation", "READ-COMMITTED"}}});
    EXPECT_EQ(daemon(1002).scalar("SELECT CONCAT_WS(' ', @@global.max_allowed_packet, @@global.max_statement_time, "
                                  "@@global.connect_timeout, @@global.time_zone, @@global.tx_isolation)"),
              "67108864 1.500000 7 +08:00 READ-COMMITTED");
    service_->alterTenant("acme", {.variables = {{"max_allowed_packet", "32M"}}});
    EXPECT_EQ(daemon(1002).scalar("SELECT @@global.max_allowed_packet"), "33554432");
    EXPECT_THAT(errorOf([&] {
                    service_->alterTenant("acme", {.variables = {{"max_connections", "50"}}});
                }),
                HasSubstr("1235 "));
}

TEST_F(TenantServiceTest, KeepsATenantInItsTimeZone) {
    const auto zone = [&] { return daemon(1002).scalar("SELECT @@system_time_zone"); };
    pool("p");
    service_->createTenant("acme", {.pools = {{"p"}}, .variables = {{"system_time_zone", "Asia/Tokyo"}}});
    EXPECT_EQ(zone(), "JST");
    EXPECT_THAT(errorOf([&] {
                    service_->alterTenant("acme", {.variables = {{"system_time_zone", "UTC"}}});
                }),
                HasSubstr("4179 changing system_time_zone of a tenant is not allowed"));
    ASSERT_TRUE(service_->server(1002)->stop());
    service_->server(1002)->start();
    EXPECT_EQ(zone(), "JST");

    stores_->tenants.setVariables(1002, {});  // as of a tenant that an older Tidemark made
    end();
    begin();
    EXPECT_EQ(stores_->tenants.get(1002).variables.at("system_time_zone"), systemTimeZone());
}

TEST_F(TenantServiceTest, AnOracleTenantIsOneFromItsFirstStartOn) {
    const catalog::Tenant tenant = create("ora", {{"ob_compatibility_mode", "oracle"}});
    EXPECT_EQ(tenant.mode, catalog::CompatibilityMode::Oracle);
    EXPECT_EQ(service_->loginTarget("ora")->mode, catalog::CompatibilityMode::Oracle);
    const auto sys = [&] { return client(*service_->server(1002), "SYS", ""); };
    EXPECT_EQ(sys().scalar("SELECT @@global.gtid_binlog_pos"), "") << "its history begins empty";
    auto session = sys();
    session.script("SET sql_mode = DEFAULT");
    EXPECT_EQ(session.scalar("SELECT '' IS NULL AND 'a' || 'b' = 'ab'"), "1");
    EXPECT_EQ(session.scalar("SELECT @@lower_case_table_names"), "1");
    EXPECT_THAT(errorOf([&] { root(1002); }), HasSubstr("1045 "));
    EXPECT_EQ(session.scalar("SELECT GROUP_CONCAT(schema_name ORDER BY 1) FROM information_schema.schemata"),
              "information_schema,mysql,performance_schema,sys");
    EXPECT_EQ(session.scalar("SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = 'sys'"), "0");
    // What root may in a MySQL tenant, and not more.
    session.script("CREATE DATABASE app; CREATE TABLE app.t (a NUMBER(9)); CREATE USER u; GRANT SELECT ON app.* TO u");
    for (const char* statement : {"DROP DATABASE SYS", "CREATE TABLE SYS.t (a INT)", "SET GLOBAL read_only = 1"})
        EXPECT_THAT(errorOf([&] { session.script(statement); }),
                    AnyOf(HasSubstr("1044 "), HasSubstr("1142 "), HasSubstr("1227 ")));
    EXPECT_THAT(errorOf([&] {
                    service_->alterTenant("ora", {.variables = {{"sql_mode", "ANSI"}}});
                }),
                HasSubstr("1231 "));

    // Its init file, which makes the daemon's account, is run in its sql_mode.
    session.script("ALTER USER tidemark@localhost IDENTIFIED BY 'x'");
    ASSERT_TRUE(service_->server(1002)->stop());
    service_->server(1002)->start();
    EXPECT_EQ(daemon(1002).scalar("SELECT CURRENT_USER()"), "tidemark@localhost");
    EXPECT_EQ(sys().scalar("SELECT COUNT(*) FROM app.t"), "0");
    create("my", {{"ob_compatibility_mode", "mysql"}});
    EXPECT_EQ(root(1004).scalar("SELECT COUNT(*) > 50 FROM information_schema.tables WHERE table_schema = 'sys'"), "1")
        << "the templates are two";
}

TEST_F(TenantServiceTest, StartsWithWhatTheCreatorChose) {
    pool("p", 256 << 20);
    service_->createTenant("acme", {.pools = {{"p"}},
                                    .charset = "utf8",
                                    .collation = "utf8mb4_bin",
                                    .primary_zone = "zone1",
                                    .locality = "f@ZONE1",
                                    .comment = "for tests",
                                    .variables = {{"sql_mode", "ANSI"}, {"ob_tcp_invited_nodes", "10.0.0.0/8"}}});
    EXPECT_EQ(root(1002).scalar("SELECT CONCAT_WS(' ', @@collation_server, @@innodb_buffer_pool_size >> 20)"),
              "utf8mb4_bin 162");
    EXPECT_THAT(root(1002).scalar("SELECT @@sql_mode").value(), HasSubstr("ANSI_QUOTES"));
    EXPECT_EQ(service_->loginTarget("acme")->invited_nodes, "10.0.0.0/8");
    EXPECT_EQ(stores_->tenants.get(1002).locality, "FULL{1}@zone1");
}

TEST_F(TenantServiceTest, AltersWhatRuns) {
    create("acme");
    service_->alterTenant("acme", {.comment = "new", .locked = true, .variables = {{"wait_timeout", "77"}}});
    EXPECT_TRUE(service_->loginTarget("acme")->locked);
    EXPECT_EQ(root(1002).scalar("SELECT @@global.wait_timeout"), "77");
    service_->alterTenant("acme", {.locked = false});
    EXPECT_FALSE(service_->loginTarget("acme")->locked);
    EXPECT_THAT(errorOf([&] {
                    service_->alterTenant("acme", {.variables = {{"sql_mode", "NO_SUCH_MODE"}}});
                }),
                HasSubstr("1231"));
    service_->alterUnit("u_p_acme", {.memory_size = 512 << 20});
    EXPECT_EQ(root(1002).scalar("SELECT @@global.innodb_buffer_pool_size >> 20"), "354");
    EXPECT_EQ(service_->loginTarget("acme")->client_connections, 512U);
    service_->renameTenant("acme", "zenith");
    EXPECT_TRUE(service_->loginTarget("zenith"));
    EXPECT_EQ(service_->server(1002)->name(), "zenith") << "what events of its death will call it";
    EXPECT_FALSE(service_->loginTarget("acme"));
    const auto server = service_->server(1002);
    supervisor_->forget(1002);
    EXPECT_TRUE(server->stop());
    server->start();
    EXPECT_EQ(root(1002).scalar("SELECT @@global.wait_timeout"), "77") << "it must outlive a restart";
}

TEST_F(TenantServiceTest, FindsRunningDatabasesAgain) {
    create("one");
    create("two");
    const auto one = service_->server(1002)->pid();
    service_->server(1004)->kill();
    end();
    begin();
    EXPECT_EQ(service_->server(1002)->pid(), one);
    EXPECT_EQ(root(1004).scalar("SELECT 1"), "1") << "what did not run is started";
}

TEST_F(TenantServiceTest, MakesItsAccountAgainAtTheStart) {
    create("acme");
    root(1002).query("DROP USER tidemark@localhost");
    end();
    begin();
    EXPECT_EQ(daemon(1002).scalar("SELECT CURRENT_USER()"), "tidemark@localhost");
}

/// What an administrator can do to the daemon's account; the daemon's next session works all the same.
TEST_F(TenantServiceTest, ItsAccountIsMadeGoodAtTheFirstRefusal) {
    create("acme");
    EXPECT_EQ(daemon(1002).scalar("SELECT CURRENT_USER()"), "tidemark@localhost");
    const auto process = service_->server(1002)->pid();
    for (const char* change :
         {"ALTER USER tidemark@localhost IDENTIFIED BY 'other'", "ALTER USER tidemark@localhost ACCOUNT LOCK",
          "ALTER USER tidemark@localhost PASSWORD EXPIRE", "ALTER USER tidemark@localhost REQUIRE SSL",
          "ALTER USER tidemark@localhost WITH MAX_USER_CONNECTIONS 1"}) {
        root(1002).query(change);
        EXPECT_EQ(daemon(1002).scalar("SELECT CURRENT_USER()"), "tidemark@localhost") << change;
        EXPECT_EQ(mysql::WireClient(service_->server(1002)->endpoint(), {}).query("SELECT CURRENT_USER()"),
                  "tidemark@localhost")
            << change;
    }
    EXPECT_EQ(service_->server(1002)->pid(), process) << "for these nothing is restarted";
}

TEST_F(TenantServiceTest, ItsAccountIsMadeAgainAtTheFirstRefusal) {
    for (const char* change : {"DROP USER tidemark@localhost", "RENAME USER tidemark@localhost TO other@localhost",
                               "REVOKE ALL PRIVILEGES, GRANT OPTION FROM tidemark@localhost",
                               "ALTER USER tidemark@localhost WITH MAX_QUERIES_PER_HOUR 1"}) {
        const std::string name = "t" + std::to_string(stores_->tenants.all().size());
        const catalog::TenantId id = create(name).id;
        mysql::SqlClient(service_->server(id)->endpoint());
        root(id).query(change);
        mysql::SqlClient client(service_->server(id)->endpoint());
        EXPECT_EQ(client.scalar("SELECT CURRENT_USER()"), "tidemark@localhost") << change;
        client.script("SET sql_log_bin = 0; CREATE TABLE oceanbase.own (a INT); SET GLOBAL read_only = OFF");
    }
}

TEST_F(TenantServiceTest, AHealthyAccountIsLeftAlone) {
    create("acme");
    EXPECT_EQ(daemon(1002).scalar(accountCheckSql(catalog::CompatibilityMode::Mysql)), "1");
}

/// A launch is held up where it reads the pid file, which is a pipe here.
TEST_F(TenantServiceTest, ALoginWaitsForNoLaunch) {
    create("acme");
    supervisor_->forget(1002);
    const auto server = service_->server(1002);
    server->kill();
    const auto pipe = server->paths().pidFile();
    std::filesystem::remove(pipe);
    ASSERT_EQ(mkfifo(pipe.c_str(), 0600), 0);
    auto launch = std::async(std::launch::async, [&] { server->launch(); });
    Fd held;
    while (!held.valid())  // there is no other end before the launch reads
        held = Fd(::open(pipe.c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC));
    auto login = std::async(std::launch::async, [&] {
        EXPECT_FALSE(service_->loginTarget("acme")->up);
        EXPECT_TRUE(service_->loginTarget("sys")->up);
    });
    EXPECT_EQ(login.wait_for(std::chrono::seconds(5)), std::future_status::ready);
    std::filesystem::remove(pipe);
    held = Fd();
    launch.get();
    server->awaitReady();
}

TEST_F(TenantServiceTest, WorksUnderAnySettingOfATenant) {
    create("acme", {{"sql_mode", "STRICT_ALL_TABLES,ORACLE,EMPTY_STRING_IS_NULL,NO_BACKSLASH_ESCAPES"},
                    {"autocommit", "0"},
                    {"wait_timeout", "1"},
                    {"max_allowed_packet", "1024"}});
    EXPECT_EQ(root(1002).scalar("SELECT @@autocommit"), "0") << "the tenant's own sessions have them";
    const std::string guards = "SELECT COUNT(*) FROM mysql.db WHERE User = '' AND Host = '%'";
    EXPECT_EQ(daemon(1002).scalar(guards), "3");
    daemon(1002).query("DROP USER tidemark@localhost");
    end();
    begin();
    EXPECT_EQ(daemon(1002).scalar("SELECT CURRENT_USER()"), "tidemark@localhost");
    EXPECT_EQ(daemon(1002).scalar(guards), "3");
    EXPECT_THAT(service_->server(1002)->logTail(40), Not(HasSubstr("ERROR: "))) << "of the init file";
    EXPECT_EQ(daemon(1002).scalar("SELECT LENGTH('" + std::string(15000, 'x') + "')"), "15000")
        << "the server takes 16 KiB whatever max_allowed_packet says";
}

TEST_F(TenantServiceTest, CleansUpWhatACrashLeftHalfMade) {
    create("whole");
    pool("a");
    pool("b");
    const auto creating = stores_->tenants.create({.name = "creating", .pools = {"a"}});
    object(creating.id)->createEmpty();
    const auto dropping = stores_->tenants.create({.name = "dropping", .pools = {"b"}});
    auto left = started(dropping.id);
    stores_->tenants.setStatus(dropping.id, TenantStatus::Dropping);
    end();
    begin();
    EXPECT_EQ(stores_->tenants.all().size(), 2U) << "sys and whole";
    EXPECT_FALSE(left->running());
    EXPECT_FALSE(std::filesystem::exists(directory_.path() / std::to_string(creating.id)));
    EXPECT_FALSE(std::filesystem::exists(directory_.path() / std::to_string(dropping.id)));
    EXPECT_FALSE(stores_->resources.findPool("a")->tenant);
    EXPECT_EQ(root(1002).scalar("SELECT 1"), "1");
}

TEST_F(TenantServiceTest, RestartsATenantThatDied) {
    create("acme");
    ::kill(*service_->server(1002)->pid(), SIGKILL);
    EXPECT_EQ(events_.pop()->kind, SupervisorEvent::Kind::Died);
    EXPECT_EQ(events_.pop()->kind, SupervisorEvent::Kind::Restarted);
    service_->server(1002)->awaitReady();
    EXPECT_EQ(root(1002).scalar("SELECT 1"), "1");
}

TEST_F(TenantServiceTest, TakesARestoreToAStandbyAndAPrimary) {
    create("source");
    root(1002).script(
        "CREATE DATABASE d; CREATE TABLE d.t(a INT); "
        "CREATE EVENT d.live ON SCHEDULE EVERY 1 DAY STARTS '2037-01-01' DO INSERT INTO d.t VALUES (1); "
        "CREATE EVENT d.off ON SCHEDULE EVERY 1 DAY STARTS '2037-01-01' DO SELECT \"x\"; ALTER EVENT d.off "
        "DISABLE ON SLAVE; "
        "SET PASSWORD = PASSWORD('from the source')");
    const std::uint32_t foreign = stores_->tenants.get("source").server_id;
    supervisor_->forget(1002);
    EXPECT_TRUE(service_->server(1002)->stop());

    pool("p");
    const catalog::Tenant made = service_->createForRestore("copy", {.pools = {{"p"}}}, {foreign});
    EXPECT_EQ(made.status, TenantStatus::Restore);
    EXPECT_EQ(made.role, TenantRole::Restore);
    EXPECT_NE(made.server_id, foreign);
    EXPECT_THAT(errorOf([&] { service_->dropTenant("copy"); }), HasSubstr("4179 "));
    // What the restore does: it fills the data directory.
    const auto copy = service_->server(made.id);
    std::filesystem::copy(directory_.path() / "1002" / "data", copy->paths().data(),
                          std::filesystem::copy_options::recursive);
    for (const auto& entry : std::filesystem::directory_iterator(copy->paths().data())) {
        if (entry.path().filename().string().starts_with("bin.")) std::filesystem::remove(entry.path());
    }
    service_->startForReplay(made.id);
    daemon(made.id).script("SET GLOBAL gtid_slave_pos='1002-" + std::to_string(foreign) + "-9'");
    EXPECT_EQ(daemon(made.id).scalar("SELECT @@log_bin + @@innodb_flush_log_at_trx_commit"), "0");

    service_->finishRestore(made.id, true);
    EXPECT_EQ(service_->loginTarget("copy")->status, TenantStatus::Restore);
    service_->openRestored(made.id);
    EXPECT_EQ(stores_->tenants.get("copy").role, TenantRole::Standby);
    EXPECT_EQ(service_->loginTarget("copy")->status, TenantStatus::Normal);
    EXPECT_EQ(daemon(made.id).scalar("SELECT CONCAT_WS(' ', @@gtid_slave_pos, @@gtid_binlog_pos)"),
              "1002-" + std::to_string(foreign) + "-9 ")
        << "nothing of ours may write a GTID into it";
    auto standby = client(*copy, "root", "from the source");
    EXPECT_EQ(standby.scalar("SELECT COUNT(*) FROM d.t"), "0");
    EXPECT_THAT(errorOf([&] { standby.query("INSERT INTO d.t VALUES (2)"); }), HasSubstr("1290 "));

    service_->activate(made.id);
    service_->activate(made.id);
    EXPECT_EQ(stores_->tenants.get("copy").role, TenantRole::Primary);
    standby.query("INSERT INTO d.t VALUES (3)");
    const auto events = daemon(made.id).query(
        "SELECT CONCAT_WS(' ', event_name, status, originator, definer, event_definition) AS e "
        "FROM information_schema.events ORDER BY event_name");
    const std::string own = std::to_string(made.server_id);
    // An activation changes none: a restore brings them as the source had them.
    EXPECT_EQ(events.rows.at(0).text("e"),
              "live ENABLED " + std::to_string(foreign) + " root@% INSERT INTO d.t VALUES (1)");
    EXPECT_EQ(events.rows.at(1).text("e"),
              "off SLAVESIDE_DISABLED " + std::to_string(foreign) + " root@% SELECT \"x\"");
    EXPECT_EQ(daemon(made.id).scalar("SELECT CONCAT_WS(' ', @@event_scheduler, @@read_only)"), "ON OFF");
    EXPECT_THAT(daemon(made.id).scalar("SELECT @@gtid_binlog_pos").value(), HasSubstr("1004-" + own + "-"));
}

TEST_F(TenantServiceTest, RefusesAReplayThatDidNotEndCleanly) {
    create("source");
    supervisor_->forget(1002);
    EXPECT_TRUE(service_->server(1002)->stop());
    pool("p");
    const catalog::Tenant made = service_->createForRestore("copy", {.pools = {{"p"}}}, {});
    const auto copy = service_->server(made.id);
    std::filesystem::copy(directory_.path() / "1002" / "data", copy->paths().data(),
                          std::filesystem::copy_options::recursive);
    service_->startForReplay(made.id);
    // The replay is not durable: what a killed server had is not known.
    ASSERT_EQ(kill(copy->pid().value(), SIGKILL), 0);
    EXPECT_THAT(errorOf([&] { service_->finishRestore(made.id, true); }), HasSubstr("did not end cleanly"));
    EXPECT_EQ(stores_->tenants.get("copy").role, TenantRole::Restore);
}

TEST_F(TenantServiceTest, FinishesAnActivationThatWasInterrupted) {
    create("acme");
    daemon(1002).script("SET GLOBAL read_only=ON; SET GLOBAL event_scheduler=OFF");
    end();
    begin();
    const std::string state = "SELECT CONCAT_WS(' ', @@event_scheduler, @@read_only)";
    EXPECT_EQ(daemon(1002).scalar(state), "ON OFF");

    daemon(1002).script("SET GLOBAL read_only=ON; SET GLOBAL event_scheduler=OFF");
    service_->activate(1002);
    EXPECT_EQ(daemon(1002).scalar(state), "ON OFF") << "who activates again is not told that it is done when it is not";
}

TEST_F(TenantServiceTest, DropsAFailedRestore) {
    pool("p");
    const catalog::Tenant made = service_->createForRestore("copy", {.pools = {{"p"}}});
    end();
    begin();
    EXPECT_EQ(service_->loginTarget("copy")->status, TenantStatus::Restore);
    EXPECT_FALSE(service_->server(made.id)->running()) << "the restore decides about it";
    service_->dropTenant("copy", true);
    EXPECT_FALSE(std::filesystem::exists(directory_.path() / std::to_string(made.id)));
}

TEST_F(TenantServiceTest, CreatesOneOfManyAtOnceWithTheSameName) {
    pool("a");
    pool("b");
    auto other = std::async(std::launch::async,
                            [&] { return errorOf([&] { service_->createTenant("acme", {.pools = {{"a"}}}); }); });
    const std::string mine = errorOf([&] { service_->createTenant("acme", {.pools = {{"b"}}}); });
    const std::string theirs = other.get();
    EXPECT_EQ((mine == "no error") + (theirs == "no error"), 1) << mine << ", " << theirs;
    EXPECT_EQ(stores_->tenants.all().size(), 2U);
}

TEST_F(TenantServiceTest, StopsEverythingWhenAsked) {
    create("acme");
    const auto acme = service_->server(1002);
    service_->stopAll();
    EXPECT_FALSE(acme->running());
    EXPECT_FALSE(sys_->running());
    sys_->start();
}

}  // namespace
}  // namespace tidemark::tenant
