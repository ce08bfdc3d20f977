#include "tenant/tenant_service.h"

#include <future>

#include "base/time_zone.h"
#include "tenant/node_fixture.h"

namespace tidemark::tenant {
namespace {

using catalog::TenantRole;
using catalog::TenantStatus;
using ::testing::AnyOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using TenantServiceTest = NodeFixture;

TEST_F(TenantServiceTest, CreatesATenantThatCanBeUsedAndDropped) {
    const catalog::Tenant acme = create("acme");
    EXPECT_EQ(acme.id, 1002);
    EXPECT_EQ(acme.status, TenantStatus::Normal);
    EXPECT_EQ(acme.role, TenantRole::Primary);
    root(1002).script("CREATE DATABASE d; CREATE TABLE d.t(a INT); INSERT INTO d.t VALUES (1)");
    EXPECT_EQ(root(1002).scalar("SELECT @@global.gtid_binlog_pos"), "1002-" + std::to_string(acme.server_id) + "-3");

    const auto target = loginTarget("ACME");
    ASSERT_TRUE(target);
    EXPECT_EQ(target->id, 1002);
    EXPECT_TRUE(target->up);
    EXPECT_EQ(target->socket, server(1002)->socket());
    EXPECT_EQ(target->client_connections, 64U);

    const auto server = replicas().server(1002);
    tenants().drop("acme");
    EXPECT_FALSE(server->running());
    EXPECT_FALSE(server->exists());
    EXPECT_FALSE(stores_->tenants.find("acme"));
    EXPECT_FALSE(loginTarget("acme"));
    EXPECT_FALSE(stores_->resources.findPool("p_acme")->tenant) << "the pool stays, free again";
    EXPECT_THAT(seen(), ElementsAre("started 1002", "stopping 1002"));
    tenants().create("acme", {.pools = {{"p_acme"}}});
    EXPECT_EQ(stores_->tenants.get("acme").id, 1004) << "ids are never used twice";
}

TEST_F(TenantServiceTest, LeavesNothingOfATenantThatDoesNotStart) {
    pool("p");
    pool("too_much", 1LL << 50);
    EXPECT_THAT(errorOf([&] { tenants().create("acme", {.pools = {{"too_much"}}}); }),
                HasSubstr("creating tenant acme: "));
    EXPECT_FALSE(stores_->tenants.find("acme"));
    EXPECT_FALSE(std::filesystem::exists(directory_.path() / "1002"));
    tenants().create("acme", {.pools = {{"p"}}});
}

TEST_F(TenantServiceTest, AsksAServerAboutValuesBeforeItMakesATenant) {
    pool("p");
    const auto creating = [&](const std::string& variable, const std::string& value) {
        return errorOf([&] { tenants().create("acme", {.pools = {{"p"}}, .variables = {{variable, value}}}); });
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
    EXPECT_THAT(seen(), ElementsAre()) << "nothing was made";
    tenants().create("acme", {.pools = {{"p"}},
                              .variables = {{"max_allowed_packet", "64M"},
                                            {"max_statement_time", "1.5"},
                                            {"connect_timeout", "7"},
                                            {"autocommit", "ON"},
                                            {"time_zone", "+08:00"},
                                            {"transaction_isolation", "READ-COMMITTED"}}});
    EXPECT_EQ(daemon(1002).scalar("SELECT CONCAT_WS(' ', @@global.max_allowed_packet, @@global.max_statement_time, "
                                  "@@global.connect_timeout, @@global.time_zone, @@global.tx_isolation)"),
              "67108864 1.500000 7 +08:00 READ-COMMITTED");
    tenants().alter("acme", {.variables = {{"max_allowed_packet", "32M"}}});
    EXPECT_EQ(daemon(1002).scalar("SELECT @@global.max_allowed_packet"), "33554432");
    EXPECT_THAT(errorOf([&] {
                    tenants().alter("acme", {.variables = {{"max_connections", "50"}}});
                }),
                HasSubstr("1235 "));
}

TEST_F(TenantServiceTest, AnswersMistakesWithOceanBasesErrors) {
    create("acme");
    pool("free");
    const TenantItems items{.pools = {{"free"}}};
    const auto creating = [&](const std::string& name, const TenantItems& with) {
        return errorOf([&] { tenants().create(name, with); });
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
    EXPECT_THAT(errorOf([&] { tenants().drop("none"); }), HasSubstr("5157 "));
    EXPECT_THAT(errorOf([&] { tenants().drop("sys"); }), HasSubstr("4179 "));
    EXPECT_EQ(creating("acme", items).substr(0, 4), "5156");
    tenants().create("acme", items, true);
    tenants().drop("none", false, true);
    EXPECT_EQ(loginTarget("other"), std::nullopt);
}

TEST_F(TenantServiceTest, KeepsATenantInItsTimeZone) {
    const auto zone = [&] { return daemon(1002).scalar("SELECT @@system_time_zone"); };
    pool("p");
    tenants().create("acme", {.pools = {{"p"}}, .variables = {{"system_time_zone", "Asia/Tokyo"}}});
    EXPECT_EQ(zone(), "JST");
    EXPECT_THAT(errorOf([&] {
                    tenants().alter("acme", {.variables = {{"system_time_zone", "UTC"}}});
                }),
                HasSubstr("4179 changing system_time_zone of a tenant is not allowed"));
    ASSERT_TRUE(server(1002)->stop());
    server(1002)->start();
    EXPECT_EQ(zone(), "JST");

    stores_->tenants.setVariables(1002, {});  // as of a tenant that an older Tidemark made
    end();
    begin();
    EXPECT_EQ(stores_->tenants.get(1002).variables.at("system_time_zone"), systemTimeZone());
}

TEST_F(TenantServiceTest, AnOracleTenantIsOneFromItsFirstStartOn) {
    const catalog::Tenant tenant = create("ora", {{"ob_compatibility_mode", "oracle"}});
    EXPECT_EQ(tenant.mode, catalog::CompatibilityMode::Oracle);
    EXPECT_EQ(loginTarget("ora")->mode, catalog::CompatibilityMode::Oracle);
    const auto sys = [&] { return client(*server(1002), "SYS", ""); };
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
    EXPECT_THAT(errorOf([&] { tenants().alter("ora", {.variables = {{"sql_mode", "ANSI"}}}); }), HasSubstr("1231 "));

    // Its init file, which makes the daemon's account, is run in its sql_mode.
    session.script("ALTER USER tidemark@localhost IDENTIFIED BY 'x'");
    ASSERT_TRUE(server(1002)->stop());
    server(1002)->start();
    EXPECT_EQ(daemon(1002).scalar("SELECT CURRENT_USER()"), "tidemark@localhost");
    EXPECT_EQ(sys().scalar("SELECT COUNT(*) FROM app.t"), "0");
    create("my", {{"ob_compatibility_mode", "mysql"}});
    EXPECT_EQ(root(1004).scalar("SELECT COUNT(*) > 50 FROM information_schema.tables WHERE table_schema = 'sys'"), "1")
        << "the templates are two";
}

TEST_F(TenantServiceTest, StartsWithWhatTheCreatorChose) {
    pool("p", 256 << 20);
    tenants().create("acme", {.pools = {{"p"}},
                              .charset = "utf8",
                              .collation = "utf8mb4_bin",
                              .primary_zone = "zone1",
                              .locality = "f@ZONE1",
                              .comment = "for tests",
                              .variables = {{"sql_mode", "ANSI"}, {"ob_tcp_invited_nodes", "10.0.0.0/8"}}});
    EXPECT_EQ(root(1002).scalar("SELECT CONCAT_WS(' ', @@collation_server, @@innodb_buffer_pool_size >> 20)"),
              "utf8mb4_bin 162");
    EXPECT_THAT(root(1002).scalar("SELECT @@sql_mode").value(), HasSubstr("ANSI_QUOTES"));
    EXPECT_EQ(loginTarget("acme")->invited_nodes, "10.0.0.0/8");
    EXPECT_EQ(stores_->tenants.get(1002).locality, "FULL{1}@zone1");
}

TEST_F(TenantServiceTest, AltersWhatRuns) {
    create("acme");
    tenants().alter("acme", {.comment = "new", .locked = true, .variables = {{"wait_timeout", "77"}}});
    EXPECT_TRUE(loginTarget("acme")->locked);
    EXPECT_EQ(root(1002).scalar("SELECT @@global.wait_timeout"), "77");
    tenants().alter("acme", {.locked = false});
    EXPECT_FALSE(loginTarget("acme")->locked);
    EXPECT_THAT(errorOf([&] {
                    tenants().alter("acme", {.variables = {{"sql_mode", "NO_SUCH_MODE"}}});
                }),
                HasSubstr("1231"));
    tenants().rename("acme", "zenith");
    EXPECT_TRUE(loginTarget("zenith"));
    EXPECT_EQ(server(1002)->name(), "zenith") << "what events of its death will call it";
    EXPECT_FALSE(loginTarget("acme"));
    const auto server = replicas().server(1002);
    supervisor().forget(1002);
    EXPECT_TRUE(server->stop());
    server->start();
    EXPECT_EQ(root(1002).scalar("SELECT @@global.wait_timeout"), "77") << "it must outlive a restart";
}

TEST_F(TenantServiceTest, CreatesOneOfManyAtOnceWithTheSameName) {
    pool("a");
    pool("b");
    auto other =
        std::async(std::launch::async, [&] { return errorOf([&] { tenants().create("acme", {.pools = {{"a"}}}); }); });
    const std::string mine = errorOf([&] { tenants().create("acme", {.pools = {{"b"}}}); });
    const std::string theirs = other.get();
    EXPECT_EQ((mine == "no error") + (theirs == "no error"), 1) << mine << ", " << theirs;
    EXPECT_EQ(stores_->tenants.all().size(), 2U);
}

}  // namespace
}  // namespace tidemark::tenant
