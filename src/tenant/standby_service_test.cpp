#include "tenant/standby_service.h"

#include <csignal>

#include "tenant/node_fixture.h"

namespace tidemark::tenant {
namespace {

using catalog::TenantRole;
using catalog::TenantStatus;
using ::testing::HasSubstr;

class StandbyServiceTest : public NodeFixture {
protected:
    /// As RESTORE makes it.
    catalog::Tenant restoring(const std::string& name, const std::vector<std::uint32_t>& foreign = {}) {
        const auto id = standbys()
                            .createForRestore(name, {.pools = {{"p"}}},
                                              [&](const auto& wanted) { return stores_->tenants.create(wanted); })
                            .id;
        standbys().makeEmpty(id, foreign);
        return stores_->tenants.get(id);
    }

    /// `copy`, with the files of a tenant `source`, which is down; its own server has not been started.
    catalog::Tenant restoringSource() {
        create("source");
        supervisor().forget(1002);
        EXPECT_TRUE(server(1002)->stop());
        pool("p");
        catalog::Tenant made = restoring("copy");
        std::filesystem::copy(directory_.path() / "1002" / "data", server(made.id)->paths().data(),
                              std::filesystem::copy_options::recursive);
        return made;
    }
};

TEST_F(StandbyServiceTest, TakesARestoreToAStandbyAndAPrimary) {
    create("source");
    root(1002).script(
        "CREATE DATABASE d; CREATE TABLE d.t(a INT); "
        "CREATE EVENT d.live ON SCHEDULE EVERY 1 DAY STARTS '2037-01-01' DO INSERT INTO d.t VALUES (1); "
        "CREATE EVENT d.off ON SCHEDULE EVERY 1 DAY STARTS '2037-01-01' DO SELECT \"x\"; ALTER EVENT d.off "
        "DISABLE ON SLAVE; "
        "SET PASSWORD = PASSWORD('from the source')");
    const std::uint32_t foreign = stores_->tenants.get("source").server_id;
    supervisor().forget(1002);
    EXPECT_TRUE(server(1002)->stop());

    pool("p");
    const catalog::Tenant made = restoring("copy", {foreign});
    EXPECT_EQ(made.status, TenantStatus::Restore);
    EXPECT_EQ(made.role, TenantRole::Restore);
    EXPECT_NE(made.server_id, foreign);
    EXPECT_THAT(errorOf([&] { tenants().drop("copy"); }), HasSubstr("4179 "));
    // What the restore does: it fills the data directory.
    const auto copy = server(made.id);
    std::filesystem::copy(directory_.path() / "1002" / "data", copy->paths().data(),
                          std::filesystem::copy_options::recursive);
    for (const auto& entry : std::filesystem::directory_iterator(copy->paths().data())) {
        if (entry.path().filename().string().starts_with("bin.")) std::filesystem::remove(entry.path());
    }
    standbys().startForReplay(made.id);
    daemon(made.id).script("SET GLOBAL gtid_slave_pos='1002-" + std::to_string(foreign) + "-9'");
    EXPECT_EQ(daemon(made.id).scalar("SELECT @@log_bin + @@innodb_flush_log_at_trx_commit"), "0");

    standbys().finishRestore(made.id, true);
    EXPECT_EQ(loginTarget("copy")->status, TenantStatus::Restore);
    standbys().openRestored(made.id);
    EXPECT_EQ(stores_->tenants.get("copy").role, TenantRole::Standby);
    EXPECT_EQ(loginTarget("copy")->status, TenantStatus::Normal);
    EXPECT_EQ(daemon(made.id).scalar("SELECT CONCAT_WS(' ', @@gtid_slave_pos, @@gtid_binlog_pos)"),
              "1002-" + std::to_string(foreign) + "-9 ")
        << "nothing of ours may write a GTID into it";
    auto standby = client(*copy, "root", "from the source");
    EXPECT_EQ(standby.scalar("SELECT COUNT(*) FROM d.t"), "0");
    EXPECT_THAT(errorOf([&] { standby.query("INSERT INTO d.t VALUES (2)"); }), HasSubstr("1290 "));

    standbys().activate(made.id);
    standbys().activate(made.id);
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

TEST_F(StandbyServiceTest, ATenantThatIsRestoredGetsTheSizeOfItsUnitsAtOnceAndKeepsIt) {
    const catalog::Tenant made = restoringSource();
    const auto copy = server(made.id);
    resources().alterUnit("u_p", {.memory_size = 128 << 20});  // it has no server yet
    const auto pool_size = [&] {
        return daemon(made.id).scalar("SELECT @@global.innodb_buffer_pool_size >> 20").value();
    };
    standbys().startForReplay(made.id);
    EXPECT_EQ(pool_size(), "77");
    resources().alterUnit("u_p", {.memory_size = 256 << 20});
    EXPECT_EQ(pool_size(), "189") << "in the midst of the replay";
    standbys().finishRestore(made.id, true);
    standbys().openForReading(made.id);
    EXPECT_EQ(pool_size(), "162");
    resources().alterUnit("u_p", {.memory_size = 512 << 20});
    EXPECT_EQ(pool_size(), "354") << "readers are in, and what they read is not durable yet";
    EXPECT_TRUE(loginTarget("copy")->readable) << "a statement about its unit shuts nobody out";
    standbys().openRestored(made.id);
    supervisor().forget(made.id);
    EXPECT_TRUE(copy->stop());
    copy->start();
    EXPECT_EQ(pool_size(), "354") << "it outlives a restart";
}

TEST_F(StandbyServiceTest, RefusesAReplayThatDidNotEndCleanly) {
    const catalog::Tenant made = restoringSource();
    const auto copy = server(made.id);
    standbys().startForReplay(made.id);
    // The replay is not durable: what a killed server had is not known.
    ASSERT_EQ(kill(copy->pid().value(), SIGKILL), 0);
    EXPECT_THAT(errorOf([&] { standbys().finishRestore(made.id, true); }), HasSubstr("did not end cleanly"));
    EXPECT_EQ(stores_->tenants.get("copy").role, TenantRole::Restore);
}

TEST_F(StandbyServiceTest, FinishesAnActivationThatWasInterrupted) {
    create("acme");
    daemon(1002).script("SET GLOBAL read_only=ON; SET GLOBAL event_scheduler=OFF");
    end();
    begin();
    const std::string state = "SELECT CONCAT_WS(' ', @@event_scheduler, @@read_only)";
    EXPECT_EQ(daemon(1002).scalar(state), "ON OFF");

    daemon(1002).script("SET GLOBAL read_only=ON; SET GLOBAL event_scheduler=OFF");
    standbys().activate(1002);
    EXPECT_EQ(daemon(1002).scalar(state), "ON OFF") << "who activates again is not told that it is done when it is not";
}

TEST_F(StandbyServiceTest, BeginsARestoreAnewWhateverAnEarlierAttemptLeft) {
    create("source");
    supervisor().forget(1002);
    EXPECT_TRUE(server(1002)->stop());
    pool("p");
    const catalog::Tenant made = restoring("copy");
    const auto data = server(made.id)->paths().data();
    std::filesystem::copy(directory_.path() / "1002" / "data", data, std::filesystem::copy_options::recursive);
    standbys().startForReplay(made.id);
    const pid_t left = server(made.id)->pid().value();
    stores_->tenants.setRole(made.id, TenantRole::Standby);
    end();
    begin();
    EXPECT_TRUE(server(made.id)->replaying()) << "whoever looks after its account knows what it is";
    EXPECT_EQ(server(made.id)->pid(), left);
    standbys().makeEmpty(made.id);
    EXPECT_FALSE(server(made.id)->running());
    EXPECT_TRUE(std::filesystem::is_empty(data));
    EXPECT_EQ(stores_->tenants.get(made.id).role, TenantRole::Restore);
    // Nor does a directory that was half-made stand in the way of a start.
    std::filesystem::remove(server(made.id)->paths().secret());
    end();
    begin();
    standbys().makeEmpty(made.id);
    EXPECT_TRUE(std::filesystem::is_empty(data));
}

TEST_F(StandbyServiceTest, DropsAFailedRestore) {
    pool("p");
    const catalog::Tenant made = restoring("copy");
    end();
    begin();
    EXPECT_EQ(loginTarget("copy")->status, TenantStatus::Restore);
    EXPECT_FALSE(server(made.id)->running()) << "the restore decides about it";
    standbys().dropTenant("copy");
    EXPECT_FALSE(std::filesystem::exists(directory_.path() / std::to_string(made.id)));
}

}  // namespace
}  // namespace tidemark::tenant
