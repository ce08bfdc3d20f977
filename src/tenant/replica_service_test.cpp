#include "tenant/replica_service.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <csignal>
#include <future>

#include "tenant/node_fixture.h"

namespace tidemark::tenant {
namespace {

using catalog::TenantStatus;
using ::testing::HasSubstr;
using ::testing::Not;
using ReplicaServiceTest = NodeFixture;

TEST_F(ReplicaServiceTest, FindsRunningDatabasesAgain) {
    create("one");
    create("two");
    const auto one = server(1002)->pid();
    server(1004)->kill();
    end();
    begin();
    EXPECT_EQ(server(1002)->pid(), one);
    EXPECT_EQ(root(1004).scalar("SELECT 1"), "1") << "what did not run is started";
}

TEST_F(ReplicaServiceTest, CleansUpWhatACrashLeftHalfMade) {
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

TEST_F(ReplicaServiceTest, RestartsATenantThatDied) {
    create("acme");
    ::kill(*server(1002)->pid(), SIGKILL);
    EXPECT_EQ(events_.pop()->kind, SupervisorEvent::Kind::Died);
    EXPECT_EQ(events_.pop()->kind, SupervisorEvent::Kind::Restarted);
    server(1002)->awaitReady();
    EXPECT_EQ(root(1002).scalar("SELECT 1"), "1");
}

/// A launch is held up where it reads the pid file, which is a pipe here.
TEST_F(ReplicaServiceTest, ALoginWaitsForNoLaunch) {
    create("acme");
    supervisor().forget(1002);
    const auto server = replicas().server(1002);
    server->kill();
    const auto pipe = server->paths().pidFile();
    std::filesystem::remove(pipe);
    ASSERT_EQ(mkfifo(pipe.c_str(), 0600), 0);
    auto launch = std::async(std::launch::async, [&] { server->launch(); });
    Fd held;
    while (!held.valid())  // there is no other end before the launch reads
        held = Fd(::open(pipe.c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC));
    auto login = std::async(std::launch::async, [&] {
        EXPECT_FALSE(loginTarget("acme")->up);
        EXPECT_TRUE(loginTarget("sys")->up);
    });
    EXPECT_EQ(login.wait_for(std::chrono::seconds(5)), std::future_status::ready);
    std::filesystem::remove(pipe);
    held = Fd();
    launch.get();
    server->awaitReady();
}

TEST_F(ReplicaServiceTest, WorksUnderAnySettingOfATenant) {
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
    EXPECT_THAT(server(1002)->logTail(40), Not(HasSubstr("ERROR: "))) << "of the init file";
    EXPECT_EQ(daemon(1002).scalar("SELECT LENGTH('" + std::string(15000, 'x') + "')"), "15000")
        << "the server takes 16 KiB whatever max_allowed_packet says";
}

TEST_F(ReplicaServiceTest, StopsEverythingWhenAsked) {
    create("acme");
    const auto acme = server(1002);
    replicas().stopAll();
    EXPECT_FALSE(acme->running());
    EXPECT_FALSE(sys_->running());
    sys_->start();
}

/// A server that Tidemark did not start, has no directory of and never ends.
TEST_F(ReplicaServiceTest, WorksWithAnAttachedServerAndLeavesItUp) {
    testing::MariadbServer foreign;
    pool("p");
    const catalog::TenantId id =
        stores_->tenants.create({.name = "acme", .pools = {"p"}, .status = TenantStatus::Normal}).id;
    mysql::SqlClient(sys_->endpoint())
        .query(
            "UPDATE tidemark.replica SET kind = 'ATTACHED', directory = '', endpoint = ?, account = ? "
            "WHERE tenant_id = ?",
            {foreign.endpoint().socket, foreign.endpoint().user, id});
    end();
    begin();
    const auto target = loginTarget("acme");
    ASSERT_TRUE(target);
    EXPECT_TRUE(target->up);
    EXPECT_EQ(target->socket, foreign.endpoint().socket);
    EXPECT_EQ(mysql::SqlClient(replicas().replicas().endpoint(id)).scalar("SELECT 1"), "1");
    EXPECT_FALSE(std::filesystem::exists(directory_.path() / std::to_string(id)));
    EXPECT_THAT(errorOf([&] { standbys().startForReplay(id); }), HasSubstr("1235 "));

    resources().alterUnit("u_p", {.memory_size = 128 << 20});
    tenants().alter("acme", {.comment = "theirs", .variables = {{"wait_timeout", "77"}}});
    EXPECT_EQ(foreign.connect().scalar("SELECT @@global.wait_timeout"), "77");
    tenants().rename("acme", "zenith");
    replicas().stopAll();
    sys_->start();
    tenants().drop("zenith");
    EXPECT_FALSE(stores_->tenants.find("zenith"));
    EXPECT_EQ(foreign.connect().scalar("SELECT 1"), "1");
}

/// A tenant of three nodes has its other replicas elsewhere, one of another node none here.
TEST_F(ReplicaServiceTest, CaresForTheReplicasOfThisNodeOnly) {
    create("acme");
    create("elsewhere");
    const auto process = server(1002)->pid();
    mysql::SqlClient(sys_->endpoint())
        .script(
            "UPDATE tidemark.replica SET server_id = 2 WHERE tenant_id = 1004;"
            "INSERT INTO tidemark.replica SELECT tenant_id, 2, kind, 'FOLLOWER', 'CREATING', directory, endpoint, "
            "account, secret_ref, create_time, modify_time FROM tidemark.replica WHERE tenant_id = 1002");
    supervisor().forget(1004);
    server(1004)->kill();
    end();
    begin();
    EXPECT_EQ(server(1002)->pid(), process);
    EXPECT_EQ(loginTarget("acme")->status, TenantStatus::Normal);
    EXPECT_FALSE(loginTarget("elsewhere"));
    EXPECT_FALSE(object(1004)->adopt()) << "it is not started here";
    EXPECT_TRUE(stores_->tenants.find("elsewhere"));
}

}  // namespace
}  // namespace tidemark::tenant
