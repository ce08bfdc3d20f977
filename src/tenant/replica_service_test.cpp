#include "tenant/replica_service.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <algorithm>
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

/// One tenant hangs, another's start is held up (its error log is a pipe that nobody reads), a third one's creation
/// waits for its turn: logins of all of them are answered at once.
TEST_F(ReplicaServiceTest, ALoginWaitsForNobody) {
    create("hung");
    create("held");
    ::kill(*server(1002)->pid(), SIGSTOP);
    supervisor().forget(1004);
    const auto held = server(1004);
    held->kill();
    const auto log = held->paths().log();
    std::filesystem::remove(log);
    ASSERT_EQ(mkfifo(log.c_str(), 0600), 0);
    auto launch = std::async(std::launch::async, [&] { held->launch(); });
    auto turn = std::make_unique<TenantTurns::Turn>(services_->turns, "third");
    pool("p");
    auto creating = std::async(std::launch::async, [&] { tenants().create("third", {.pools = {{"p"}}}); });
    auto logins = std::async(std::launch::async, [&] {
        std::vector<std::chrono::nanoseconds> took;
        for (int i = 0; i < 3000; ++i) {
            const auto begin = std::chrono::steady_clock::now();
            EXPECT_TRUE(loginTarget("hung")->up);
            EXPECT_FALSE(loginTarget("held")->up);
            EXPECT_TRUE(loginTarget("sys")->up);
            EXPECT_FALSE(loginTarget("third"));
            took.push_back((std::chrono::steady_clock::now() - begin) / 4);
        }
        std::sort(took.begin(), took.end());
        return took[took.size() / 2];  // of those that the machine does not interrupt
    });
    ASSERT_EQ(logins.wait_for(std::chrono::seconds(60)), std::future_status::ready);
    EXPECT_LT(logins.get(), std::chrono::milliseconds(1));
    const Fd reader = openFile(log, O_RDONLY | O_NONBLOCK);  // lets the start go on
    launch.get();
    turn.reset();
    creating.get();
    ::kill(*server(1002)->pid(), SIGCONT);
}

/// A daemon that starts beside a database that hangs: the others are up at once, and that one when it goes on.
TEST_F(ReplicaServiceTest, AHungDatabaseHoldsUpNoOthersStart) {
    create("hung");
    create("acme");
    supervisor().forget(1004);
    daemon(1002).script("SET GLOBAL read_only=ON");  // as an interrupted activation leaves it
    ::kill(*server(1002)->pid(), SIGSTOP);
    server(1004)->kill();
    const pid_t hung = *server(1002)->pid();
    end();
    auto start = std::async(std::launch::async, [&] { begin(); });
    const bool soon = start.wait_for(std::chrono::seconds(60)) == std::future_status::ready;
    EXPECT_TRUE(soon) << "the start waits for the database that hangs";
    if (soon) {
        EXPECT_EQ(root(1004).scalar("SELECT 1"), "1");
    }
    ::kill(hung, SIGCONT);
    start.get();
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (daemon(1002).scalar("SELECT @@read_only") != "0" && std::chrono::steady_clock::now() < deadline) {
    }
    EXPECT_EQ(daemon(1002).scalar("SELECT @@read_only"), "0") << "what start() could not do is done later";
}

/// Those that hang are killed at one common limit.
TEST_F(ReplicaServiceTest, StopsAllWithinOneLimit) {
    for (const char* name : {"a", "b", "c"})
        ::kill(*server(create(name).id)->pid(), SIGSTOP);
    constexpr auto kLimit = std::chrono::seconds(6);
    const auto begin = std::chrono::steady_clock::now();
    replicas().stopAll(kLimit);
    EXPECT_LT(std::chrono::steady_clock::now() - begin, 3 * kLimit) << "one after the other";
    EXPECT_FALSE(sys_->running());
    sys_->start();
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
    EXPECT_THAT(readFile(server(1002)->paths().log()).value(), Not(HasSubstr("ERROR: "))) << "of the init file";
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
