#include "server/node.h"

#include <gmock/gmock.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <csignal>
#include <thread>

#include "server/front_directory.h"
#include "server/service_notify.h"
#include "server/signals.h"
#include "testing/mariadb_server.h"

namespace tidemark::server {
namespace {

using ::testing::HasSubstr;

class NodeTest : public ::testing::Test {
protected:
    Config config() const { return {.data_dir = place_.path() / "d", .port = 0, .cluster_name = "test"}; }
    void TearDown() override { Node(config()).stopDatabases(); }

    /// The first recorded event of that name, once there is one.
    static std::string awaitEvent(Node& node, const std::string& name) {
        mysql::SqlClient sql(node.replicas().server(catalog::kSysTenantId)->endpoint());
        const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
        while (std::chrono::steady_clock::now() < deadline) {
            const auto found = sql.scalar(
                "SELECT CONCAT_WS(' ', value1, value2, extra_info) FROM tidemark.rootservice_event WHERE event = ?",
                {name});
            if (found) return *found;
            std::this_thread::yield();
        }
        return "no event " + name;
    }

    testing::TemporaryDirectory place_;
};

TEST_F(NodeTest, FirstStartMakesSysWithTheClustersFirstRows) {
    Node node(config());
    EXPECT_EQ(node.stores().cluster.cluster().name, "test");
    mysql::SqlClient root({.socket = node.replicas().server(1)->socket(), .user = "root"});
    EXPECT_EQ(root.scalar("SELECT tenant_name FROM oceanbase.dba_ob_tenants"), "sys");
    EXPECT_THROW(root.query("SELECT * FROM tidemark.tenant"), Error);
    EXPECT_THROW(root.query("DELETE FROM oceanbase.DBA_OB_TENANTS"), Error);
    EXPECT_EQ(node.stores().cluster.zones().at(0).name, "zone1");
    const auto server = node.stores().cluster.servers().at(0);
    EXPECT_EQ(server.sql_port, node.port());
    EXPECT_EQ(server.rpc_port, node.port() + 1);
    EXPECT_GT(server.memory_capacity, 0U);
    EXPECT_GT(server.cpu_capacity, 0);
    const auto sys = node.replicas().loginTarget("sys");
    ASSERT_TRUE(sys);
    EXPECT_EQ(sys->id, catalog::kSysTenantId);
    EXPECT_TRUE(sys->up);
    EXPECT_EQ(mysql::SqlClient(node.replicas().server(1)->endpoint()).scalar("SELECT @@server_id"),
              std::to_string(node.stores().tenants.get(catalog::kSysTenantId).server_id));
}

/// Statements of the kind that the tenant's mariadbd was sent since it runs.
static std::string definitionStatements(Node& node, catalog::TenantId id) {
    mysql::SqlClient client(node.replicas().server(id)->endpoint());
    return client
        .scalar(
            "SELECT GROUP_CONCAT(variable_name, ' ', variable_value) FROM information_schema.global_status "
            "WHERE variable_name IN ('COM_CREATE_VIEW', 'COM_CREATE_TABLE', 'COM_CREATE_DB', 'COM_DROP_TABLE', "
            "'COM_DROP_DB', 'COM_DROP_VIEW') AND variable_value > 0")
        .value_or("none");
}

TEST_F(NodeTest, ANewTenantsViewsComeWithItsTemplate) {
    Node node(config());
    node.resources().createUnit("u", {.max_cpu = 1, .memory_size = 64 << 20});
    for (const auto mode : {catalog::CompatibilityMode::Mysql, catalog::CompatibilityMode::Oracle}) {
        const std::string name = "t" + std::string(catalog::text(mode));
        node.resources().createPool("p" + name, "u", 1, {"zone1"});
        node.tenants().create(name,
                              {.pools = {{"p" + name}}, .variables = {{"ob_compatibility_mode", catalog::text(mode)}}});
        const catalog::TenantId id = node.stores().tenants.get(name).id;
        EXPECT_EQ(definitionStatements(node, id), "none") << name;
        mysql::SqlClient client(node.replicas().server(id)->endpoint());
        const std::string schema = mode == catalog::CompatibilityMode::Oracle ? "SYS" : "oceanbase";
        EXPECT_EQ(client.scalar("SELECT GROUP_CONCAT(TENANT_NAME) FROM " + schema + ".DBA_OB_TENANTS"), name);
        EXPECT_EQ(client.scalar("SELECT COUNT(DISTINCT definer) FROM information_schema.views "
                                "WHERE table_schema = ? AND definer <> 'tidemark@localhost'",
                                {schema}),
                  "0");
    }
}

TEST_F(NodeTest, TellsTheFrontWhoCanBeEntered) {
    Node node(config());
    const FrontDirectory directory(node.replicas());
    using Reason = front::TenantRefusal::Reason;
    const auto reason = [&](const std::string& name) {
        return std::get<front::TenantRefusal>(directory.find(name)).reason;
    };
    EXPECT_EQ(reason("acme"), Reason::Unknown);
    EXPECT_EQ(directory.anySocket(), std::get<front::TenantAddress>(directory.find("SYS")).socket);
    node.resources().createUnit("u", {.max_cpu = 1, .memory_size = 64 << 20});
    node.resources().createPool("p", "u", 1, {"zone1"});
    node.tenants().create("acme", {.pools = {{"p"}}});
    EXPECT_EQ(std::get<front::TenantAddress>(directory.find("acme")).tenant_id, 1002U);
    node.tenants().alter("acme", {.locked = true});
    EXPECT_EQ(reason("acme"), Reason::Locked);
    node.tenants().drop("acme");
    node.standbys().createForRestore("acme", {.pools = {{"p"}}},
                                     [&](const auto& tenant) { return node.stores().tenants.create(tenant); });
    EXPECT_EQ(reason("acme"), Reason::NotReady);
}

TEST_F(NodeTest, LeavesDatabasesUpAndFindsThemAgain) {
    std::vector<pid_t> pids;
    {
        Node node(config());
        node.resources().createUnit("u", {.max_cpu = 1, .memory_size = 64 << 20});
        node.resources().createPool("p", "u", 1, {"zone1"});
        node.tenants().create("acme", {.pools = {{"p"}}});
        pids = {*node.replicas().server(1)->pid(), *node.replicas().server(1002)->pid()};
    }
    EXPECT_EQ(::kill(pids[0], 0), 0);
    EXPECT_EQ(::kill(pids[1], 0), 0);
    Node again(config());
    EXPECT_EQ(again.replicas().server(1)->pid(), pids[0]);
    EXPECT_EQ(again.replicas().server(1002)->pid(), pids[1]);
}

TEST_F(NodeTest, RestartsSysItselfAndRecordsThat) {
    Node node(config());
    const auto sys = node.replicas().server(catalog::kSysTenantId);
    const pid_t first = *sys->pid();
    ::kill(first, SIGKILL);
    // The catalog's calls wait until sys is back.
    EXPECT_EQ(node.stores().cluster.cluster().name, "test");
    EXPECT_NE(sys->pid(), first);
    EXPECT_THAT(awaitEvent(node, "database_restarted"), HasSubstr("1 sys"));
    EXPECT_THAT(awaitEvent(node, "database_died"), HasSubstr("1 sys"));
}

TEST_F(NodeTest, BeginsAnewWhatAFirstStartLeftHalfMade) {
    { Node(config()).stopDatabases(); }
    std::filesystem::remove(config().data_dir / "t" / "1" / "server-id");
    std::filesystem::remove(config().data_dir / "t" / "1" / "data" / "ibdata1");
    Node node(config());
    EXPECT_EQ(node.stores().cluster.cluster().name, "test");
}

TEST_F(NodeTest, RefusesToMoveToAnotherZone) {
    { const Node node(config()); }
    Config elsewhere = config();
    elsewhere.zone = "zone2";
    EXPECT_THROW(Node{elsewhere}, Error);
}

TEST_F(NodeTest, GivesSysTheMemoryThatTheConfigurationSays) {
    { Node(config()).stopDatabases(); }
    Config larger = config();
    larger.sys_memory = 256 << 20;
    Node node(larger);
    EXPECT_EQ(node.stores().resources.findUnit("sys_unit_config")->memory_size, 256 << 20);
    EXPECT_EQ(mysql::SqlClient(node.replicas().server(1)->endpoint()).scalar("SELECT @@innodb_buffer_pool_size >> 20"),
              "162");
    EXPECT_THROW(node.resources().alterUnit("sys_unit_config", {.memory_size = 1 << 30}), Error);
}

TEST(ServiceNotify, SendsTheStateToTheServiceManager) {
    const testing::TemporaryDirectory place;
    sockaddr_un address{.sun_family = AF_UNIX, .sun_path = {}};
    const std::string path = (place.path() / "n").string();
    path.copy(address.sun_path, path.size());
    const Fd receiver(::socket(AF_UNIX, SOCK_DGRAM, 0));
    ASSERT_EQ(::bind(receiver.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    ::setenv("NOTIFY_SOCKET", path.c_str(), 1);
    notifyServiceManager("READY=1\n");
    ::unsetenv("NOTIFY_SOCKET");
    notifyServiceManager("nobody listens");
    char text[64];
    EXPECT_EQ(std::string(text, static_cast<std::size_t>(::recv(receiver.get(), text, sizeof text, MSG_DONTWAIT))),
              "READY=1\n");
}

TEST(Signals, EndTheWaitLikeAWakeUp) {
    Signals signals;
    signals.wake();
    signals.waitForEnd();
    Signals others;
    ::kill(getpid(), SIGTERM);
    others.waitForEnd();
}

}  // namespace
}  // namespace tidemark::server
