#include "view/tenant_mirror.h"

#include <algorithm>
#include <csignal>

#include "view/tenant_mirror_fixture.h"
#include "view/view_columns_test.h"

namespace tidemark::view {
namespace {

/// Whoever waits is a statement's client. The least interval is for changes that nobody waits for.
TEST_F(TenantMirrorTest, WhoWaitsForFreshViewsDoesNotWaitForTheInterval) {
    const TenantId id = makeTenant();
    TenantMirror mirror(catalog_, {.least_interval = 1h});
    mirror.attach(id, endpoint_);
    ASSERT_TRUE(mirror.waitFresh(id, kLimit));
    EXPECT_TRUE(mirror.waitFresh(id, kLimit));
}

TEST_F(TenantMirrorTest, ViewsHaveOceanBasesColumns) {
    TenantMirror mirror(catalog_);
    const TenantId id = makeTenant();
    mirror.attach(id, endpoint_);
    ASSERT_TRUE(mirror.waitFresh(id, kLimit));
    EXPECT_GE(namesInTenants().size(), 17);
    mysql::SqlClient client = tenant_.connect();
    expectColumns(client, "mysql", namesInTenants());
}

TEST_F(TenantMirrorTest, AChangeArrivesWithinASecondAndInNoBinlog) {
    TenantMirror mirror(catalog_);
    const TenantId id = makeTenant();
    mysql::SqlClient tenant = tenant_.connect();
    tenant.script("CREATE DATABASE d");
    const auto gtid = tenant.scalar("SELECT @@global.gtid_binlog_pos");
    const auto position = tenant.query("SHOW MASTER STATUS").rows.at(0).text("Position");
    mirror.attach(id, endpoint_);
    ASSERT_TRUE(mirror.waitFresh(id, kLimit));
    EXPECT_EQ(tenant.scalar("SELECT COUNT(*) FROM oceanbase.DBA_OB_BACKUP_JOBS"), "0");
    EXPECT_EQ(tenant.scalar("SELECT TENANT_ID FROM oceanbase.DBA_OB_TENANTS"), std::to_string(id));

    std::vector<steady_clock::duration> took;
    stores_.backups.start({.tenant = id, .path = "file:///d"});
    took.push_back(until("SELECT STATUS FROM oceanbase.DBA_OB_BACKUP_JOBS", "INIT"));
    const auto claim = stores_.work.take(stores_.work.find("backup", id, 1).value(), {1, 1}, 1h).value().claim();
    auto begun = stores_.backups.begin(claim, id, 1, {});
    took.push_back(until("SELECT STATUS FROM oceanbase.DBA_OB_BACKUP_JOBS", "DOING"));
    for (int i = 1; i <= 5; ++i) {
        begun.task.stats.input_bytes = static_cast<std::uint64_t>(i) * 1000;
        stores_.backups.progress(claim, begun.task);
        took.push_back(until("SELECT INPUT_BYTES FROM oceanbase.DBA_OB_BACKUP_TASKS", std::to_string(i * 1000)));
    }
    stores_.backups.finish(claim, id, 1, catalog::Outcome::completed());
    took.push_back(until("SELECT STATUS FROM oceanbase.DBA_OB_BACKUP_JOB_HISTORY", "COMPLETED"));
    std::sort(took.begin(), took.end());
    EXPECT_LT(took[took.size() / 2], 1s) << "most of them: the machine may be busy otherwise";
    EXPECT_EQ(tenant.scalar("SELECT COUNT(*) FROM oceanbase.DBA_OB_BACKUP_JOBS"), "0");
    EXPECT_EQ(tenant.scalar("SELECT COUNT(*) FROM oceanbase.DBA_OB_BACKUP_TASKS"), "0");
    EXPECT_EQ(tenant.scalar("SELECT FILE_STATUS FROM oceanbase.DBA_OB_BACKUP_SET_FILES"), "AVAILABLE");

    EXPECT_EQ(tenant.scalar("SELECT @@global.gtid_binlog_pos"), gtid);
    EXPECT_EQ(tenant.query("SHOW MASTER STATUS").rows.at(0).text("Position"), position);
}

TEST_F(TenantMirrorTest, ATenantSeesItsOwnRowsOnly) {
    TenantMirror mirror(catalog_);
    const TenantId own = makeRestoring();
    const TenantId other = makeTenant();
    for (const TenantId id : {own, other}) {
        stores_.backups.start({.tenant = id, .path = "file:///" + std::to_string(id)});
        stores_.destinations.setBackup(id, "file:///" + std::to_string(id));
        stores_.parameters.set(id, "archive_lag_target", "60s");
    }
    mirror.attach(own, endpoint_);
    ASSERT_TRUE(mirror.waitFresh(own, kLimit));
    mysql::SqlClient tenant = tenant_.connect();
    tenant.script("GRANT SELECT ON oceanbase.* TO admin@localhost");
    mysql::Endpoint as_admin = tenant_.endpoint();
    as_admin.user = "admin";
    mysql::SqlClient admin(as_admin);
    EXPECT_EQ(admin.scalar("SELECT GROUP_CONCAT(PATH) FROM oceanbase.DBA_OB_BACKUP_JOBS"),
              "file:///" + std::to_string(own));
    EXPECT_EQ(admin.scalar("SELECT GROUP_CONCAT(TENANT_ID) FROM oceanbase.DBA_OB_TENANTS"), std::to_string(own));
    EXPECT_EQ(admin.scalar("SELECT GROUP_CONCAT(DISTINCT TENANT_ID) FROM oceanbase.GV$OB_PARAMETERS"),
              std::to_string(own));
    EXPECT_EQ(admin.scalar("SELECT STATUS FROM oceanbase.DBA_OB_RESTORE_PROGRESS"), "RESTORING");
    EXPECT_EQ(admin.scalar("SELECT COUNT(*) FROM oceanbase.GV$OB_UNITS"), "1");
    // Not even in the tables beneath is there anything of the others.
    for (const mysql::Row& row : tenant
                                     .query("SELECT table_name, column_name FROM information_schema.columns "
                                            "WHERE table_schema = 'oceanbase' AND column_name = 'tenant_id'")
                                     .rows) {
        const std::string table = "oceanbase." + mysql::quoteIdentifier(row.text(0));
        if (row.text(0).find("cdb_") != std::string::npos || row.text(0).find("parameter") != std::string::npos)
            continue;
        EXPECT_EQ(tenant.scalar("SELECT COUNT(*) FROM " + table + " WHERE tenant_id <> ?", {own}), "0") << table;
    }
    EXPECT_THROW(admin.query("DELETE FROM oceanbase.__tidemark_backup_job"), Error);
    EXPECT_THROW(admin.query("INSERT INTO oceanbase.DBA_OB_BACKUP_PARAMETER VALUES ('a', 'b')"), Error);
}

TEST_F(TenantMirrorTest, WorksOnAReadOnlyServer) {
    TenantMirror mirror(catalog_);
    const TenantId id = makeTenant();
    tenant_.connect().script("SET GLOBAL read_only = 1");
    mirror.attach(id, endpoint_);
    ASSERT_TRUE(mirror.waitFresh(id, kLimit));
    stores_.tenants.setRole(id, catalog::TenantRole::Standby);
    until("SELECT TENANT_ROLE FROM oceanbase.DBA_OB_TENANTS", "STANDBY");
}

TEST_F(TenantMirrorTest, CatchesUpWithATenantThatWasDown) {
    TenantMirror mirror(catalog_, {.first_retry = 50ms, .longest_retry = 200ms});
    const TenantId id = makeTenant();
    mirror.attach(id, endpoint_);
    ASSERT_TRUE(mirror.waitFresh(id, kLimit));
    tenant_.kill();
    stores_.tenants.setComment(id, "while it was down");
    stores_.tenants.setStatus(id, catalog::TenantStatus::Normal);
    EXPECT_FALSE(mirror.waitFresh(id, 300ms));
    tenant_.start();
    until("SELECT STATUS FROM oceanbase.DBA_OB_TENANTS", "NORMAL");
}

TEST_F(TenantMirrorTest, ADeadTenantHoldsUpNobody) {
    TenantMirror mirror(catalog_);
    const TenantId dead = makeTenant();
    const TenantId alive = makeTenant();
    mysql::Endpoint nowhere = endpoint_;
    nowhere.socket = "/nonexistent/socket";
    mirror.attach(dead, nowhere);
    mirror.attach(alive, endpoint_);
    ASSERT_TRUE(mirror.waitFresh(alive, kLimit));
    stores_.tenants.setStatus(alive, catalog::TenantStatus::Normal);
    until("SELECT STATUS FROM oceanbase.DBA_OB_TENANTS", "NORMAL");
    EXPECT_FALSE(mirror.waitFresh(dead, 10ms));
}

TEST_F(TenantMirrorTest, TenantsThatHangHoldUpNobody) {
    constexpr auto kSoon = 2s;
    // Twice what is allowed below, so that waiting for one of them would be seen.
    TenantMirror mirror(catalog_, {.statement_timeout = 2 * kSoon});
    const TenantId alive = makeTenant();
    mirror.attach(alive, endpoint_);
    ASSERT_TRUE(mirror.waitFresh(alive, kLimit));
    testing::MariadbServer hung;
    mysql::Endpoint hung_endpoint = hung.endpoint();
    ASSERT_EQ(::kill(hung.pid(), SIGSTOP), 0);
    // Three find out that it hangs, a worker each; from then on all six share one.
    for (int i = 0; i < 3; ++i)
        mirror.attach(makeTenant(), hung_endpoint);
    const auto arrives = [&](catalog::TenantStatus status) {
        stores_.tenants.setStatus(alive, status);
        return until("SELECT STATUS FROM oceanbase.DBA_OB_TENANTS", catalog::text(status));
    };
    EXPECT_LT(arrives(catalog::TenantStatus::Normal), kSoon) << "while it is found out";
    const TenantId last = makeTenant();
    mirror.attach(last, hung_endpoint);
    EXPECT_FALSE(mirror.waitFresh(last, 3 * kSoon));
    for (int i = 0; i < 3; ++i)
        mirror.attach(makeTenant(), hung_endpoint);
    EXPECT_FALSE(mirror.waitFresh(last, 3 * kSoon));
    for (int i = 0; i < 10; ++i) {
        EXPECT_LT(arrives(catalog::TenantStatus::Restore), kSoon);
        EXPECT_LT(arrives(catalog::TenantStatus::Normal), kSoon);
    }
    ::kill(hung.pid(), SIGCONT);
}

TEST_F(TenantMirrorTest, ReplacesWhatARestoredTenantBringsAlong) {
    const TenantId old = makeTenant();
    const TenantId restored = makeTenant();
    stores_.backups.start({.tenant = old, .path = "file:///old"});
    {
        TenantMirror mirror(catalog_);
        mirror.attach(old, endpoint_);
        ASSERT_TRUE(mirror.waitFresh(old, kLimit));
    }
    // As from an older program: another view text, another definer that is not even there, a table with less columns.
    tenant_.connect().script(
        "SET sql_log_bin = 0;"
        "UPDATE oceanbase.__tidemark_view_version SET fingerprint = 1;"
        "CREATE OR REPLACE DEFINER = nobody@nowhere VIEW oceanbase.DBA_OB_BACKUP_TASKS AS SELECT 1 AS a;"
        "ALTER TABLE oceanbase.__tidemark_tenant DROP COLUMN comment");
    TenantMirror mirror(catalog_);
    mirror.attach(restored, endpoint_);
    ASSERT_TRUE(mirror.waitFresh(restored, kLimit));
    mysql::SqlClient tenant = tenant_.connect();
    EXPECT_EQ(tenant.scalar("SELECT COUNT(*) FROM oceanbase.DBA_OB_BACKUP_JOBS"), "0");
    EXPECT_EQ(tenant.scalar("SELECT COUNT(*) FROM oceanbase.DBA_OB_BACKUP_TASKS"), "0");
    EXPECT_EQ(tenant.scalar("SELECT GROUP_CONCAT(TENANT_ID) FROM oceanbase.DBA_OB_TENANTS"), std::to_string(restored));
    EXPECT_EQ(tenant.scalar("SELECT COUNT(*) FROM oceanbase.__tidemark_backup_job"), "0");
}

TEST_F(TenantMirrorTest, WritesNothingIfItMayNotSwitchTheBinlogOff) {
    TenantMirror mirror(catalog_);
    const TenantId id = makeTenant();
    tenant_.connect().script(
        "SET sql_log_bin = 0; REVOKE ALL PRIVILEGES, GRANT OPTION FROM tidemark@localhost;"
        "GRANT ALL ON oceanbase.* TO tidemark@localhost");
    mirror.attach(id, endpoint_);
    EXPECT_FALSE(mirror.waitFresh(id, 500ms));
    EXPECT_EQ(tenant_.connect().scalar("SELECT COUNT(*) FROM information_schema.schemata "
                                       "WHERE schema_name = 'oceanbase'"),
              "0");
}

TEST_F(TenantMirrorTest, FollowsManyTenants) {
    TenantMirror mirror(catalog_, {.idle_close = 100ms});
    // All of them on one server: only the last one's rows stay, but each is served.
    std::vector<TenantId> ids;
    for (int i = 0; i < 10; ++i)
        ids.push_back(makeTenant());
    for (const TenantId id : ids) {
        mirror.attach(id, endpoint_);
        ASSERT_TRUE(mirror.waitFresh(id, kLimit));
        mirror.detach(id);
        EXPECT_FALSE(mirror.waitFresh(id, 1ms));
    }
    mirror.attach(ids.front(), endpoint_);
    ASSERT_TRUE(mirror.waitFresh(ids.front(), kLimit));
    until("SELECT COUNT(*) FROM information_schema.processlist WHERE user = 'tidemark'", "0");
    stores_.tenants.setStatus(ids.front(), catalog::TenantStatus::Normal);
    until("SELECT STATUS FROM oceanbase.DBA_OB_TENANTS", "NORMAL");
}

}  // namespace
}  // namespace tidemark::view
