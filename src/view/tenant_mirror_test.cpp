#include "view/tenant_mirror.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <array>
#include <csignal>
#include <set>

#include "base/process.h"
#include "catalog/stores.h"
#include "testing/mariadb_server.h"
#include "view/sys_views.h"
#include "view/view_columns_test.h"
#include "view/view_definition.h"

namespace tidemark::view {
namespace {

using namespace std::chrono_literals;
using catalog::TenantId;
using std::chrono::steady_clock;

class TenantMirrorTest : public ::testing::Test {
protected:
    static void SetUpTestSuite() {
        sys_ = std::make_unique<testing::MariadbServer>();
        SystemClock clock;
        catalog::Catalog catalog({.endpoint = sys_->endpoint()}, clock);
        catalog.migrate();
        installSysViews(catalog);
        catalog::Stores(catalog).cluster.bootstrap(
            {.cluster = {.name = "c"}, .zone = {.name = "zone1"}, .server = {.ip = "10.0.0.1", .zone = "zone1"}});
    }
    static void TearDownTestSuite() { sys_.reset(); }

    explicit TenantMirrorTest(std::vector<std::string> options = {}) : tenant_(std::move(options)) {
        // The daemon's account: what it may do is what the mirror relies on.
        tenant_.connect().script(
            "SET sql_log_bin = 0;"
            "CREATE USER tidemark@localhost IDENTIFIED BY 'secret';"
            "GRANT ALL ON *.* TO tidemark@localhost WITH GRANT OPTION;"
            "CREATE USER admin@localhost;");
        endpoint_ = tenant_.endpoint();
        endpoint_.user = "tidemark";
        endpoint_.password = "secret";
    }

    TenantId makeTenant(catalog::CompatibilityMode mode = catalog::CompatibilityMode::Mysql) {
        const std::string name = "t" + std::to_string(++made_);
        stores_.resources.createUnit({.name = "u_" + name, .max_cpu = 1, .memory_size = 1 << 30});
        stores_.resources.createPool("p_" + name, "u_" + name, 1, {"zone1"});
        return stores_.tenants.create({.name = name, .pools = {"p_" + name}, .mode = mode}).id;
    }

    /// One with a restore that runs.
    TenantId makeRestoring(catalog::CompatibilityMode mode = catalog::CompatibilityMode::Mysql) {
        const std::string name = "t" + std::to_string(++made_);
        stores_.resources.createUnit({.name = "u_" + name, .max_cpu = 1, .memory_size = 1 << 30});
        stores_.resources.createPool("p_" + name, "u_" + name, 1, {"zone1"});
        const auto begun = stores_.restores.start({.tenant_name = name, .backup_dest = "file:///b"},
                                                  {.name = name, .pools = {"p_" + name}, .mode = mode}, "");
        const auto row = stores_.work.find(catalog::kRestoreWork, catalog::kSysTenantId, begun.job.job_id).value();
        stores_.restores.tenantCreated(stores_.work.take(row, {1, 1}, 1h).value().claim(), begun.job.job_id);
        return begun.tenant.id;
    }

    static std::set<std::string> namesInTenants() {
        std::set<std::string> names;
        for (const ViewDefinition& view : viewDefinitions()) {
            if (view.in_tenants && !view.name.starts_with("CDB_")) names.emplace(view.name);
        }
        return names;
    }

    /// Polls, as a client would, until the tenant's answer is the expected one; returns how long that took.
    steady_clock::duration until(const std::string& query, const std::string& expected) {
        mysql::SqlClient client = tenant_.connect();
        const auto start = steady_clock::now();
        std::optional<std::string> last;
        while (steady_clock::now() < start + 20s) {
            last = client.scalar(query);
            if (last == expected) return steady_clock::now() - start;
            std::this_thread::sleep_for(5ms);
        }
        ADD_FAILURE() << query << " stayed " << last.value_or("NULL") << ", not " << expected;
        return 20s;
    }

    static inline std::unique_ptr<testing::MariadbServer> sys_;
    static inline int made_ = 0;
    testing::MariadbServer tenant_;
    mysql::Endpoint endpoint_;
    SystemClock clock_;
    catalog::Catalog catalog_{{.endpoint = sys_->endpoint()}, clock_};
    catalog::Stores stores_{catalog_};
};

/// Whoever waits is a statement's client. The least interval is for changes that nobody waits for.
TEST_F(TenantMirrorTest, WhoWaitsForFreshViewsDoesNotWaitForTheInterval) {
    const TenantId id = makeTenant();
    TenantMirror mirror(catalog_, {.least_interval = 60s});
    mirror.attach(id, endpoint_);
    ASSERT_TRUE(mirror.waitFresh(id, 20s));
    EXPECT_TRUE(mirror.waitFresh(id, 20s));
}

TEST_F(TenantMirrorTest, ViewsHaveOceanBasesColumns) {
    TenantMirror mirror(catalog_);
    const TenantId id = makeTenant();
    mirror.attach(id, endpoint_);
    ASSERT_TRUE(mirror.waitFresh(id, 20s));
    EXPECT_GE(namesInTenants().size(), 17);
    mysql::SqlClient client = tenant_.connect();
    expectColumns(client, "mysql", namesInTenants());
}

/// A tenant in ORACLE mode whose mariadbd still has MariaDB's own schema sys.
class OracleMirrorTest : public TenantMirrorTest {
protected:
    OracleMirrorTest()
        : TenantMirrorTest({"--lower-case-table-names=1", "--sql-mode=ORACLE,EMPTY_STRING_IS_NULL"}),
          id_(makeRestoring(catalog::CompatibilityMode::Oracle)) {
        stores_.archive.beginRound(stores_.destinations.setArchive(id_, "file:///a", catalog::Binding::Optional, kDay));
        stores_.archive.update(std::array{catalog::RoundUpdate{
            .tenant = id_, .round_id = 1, .pieces = {{.piece_id = 1, .start_scn = 100, .end_scn = 100 + kDay}}}});
        stores_.destinations.setBackup(id_, "file:///b");
        stores_.parameters.set(id_, "archive_lag_target", "60s");
        stores_.backups.start({.tenant = id_, .path = "file:///b"});
    }

    static constexpr Nanos kDay = 86'400'000'000'000;
    const TenantId id_;
};

TEST_F(OracleMirrorTest, ViewsAreInSysWithTheColumnsOfOracleMode) {
    TenantMirror mirror(catalog_);
    mirror.attach(id_, endpoint_);
    ASSERT_TRUE(mirror.waitFresh(id_, 20s));
    mysql::SqlClient client = tenant_.connect();
    expectColumns(client, "oracle", namesInTenants());
    EXPECT_EQ(client.scalar("SELECT COUNT(*) FROM information_schema.schemata WHERE schema_name = 'oceanbase'"), "0");
    EXPECT_LT(until("SELECT STATUS FROM SYS.DBA_OB_BACKUP_JOBS", "INIT"), 1s);
    stores_.tenants.setRole(id_, catalog::TenantRole::Standby);
    EXPECT_LT(until("SELECT CONCAT(TENANT_ROLE, COMPATIBILITY_MODE) FROM SYS.DBA_OB_TENANTS", "STANDBYORACLE"), 1s);
}

/// MariaDB reads a view's text in the sql_mode of who selects, in which CONCAT and '' mean something else.
TEST_F(OracleMirrorTest, RowsAreTheSameInEveryModeButNullWhereATextIsEmpty) {
    TenantMirror mirror(catalog_);
    mirror.attach(id_, endpoint_);
    ASSERT_TRUE(mirror.waitFresh(id_, 20s));
    mysql::SqlClient plain = tenant_.connect();
    plain.script("SET sql_mode = 0");
    mysql::SqlClient oracle = tenant_.connect();
    oracle.script("SET sql_mode = DEFAULT");
    std::set<std::string> with_rows;
    std::size_t empty_texts = 0;
    for (const std::string& view : namesInTenants()) {
        const auto wanted = plain.query("SELECT * FROM sys.`__tidemark_" + view + "`").rows;
        const auto found = oracle.query("SELECT * FROM SYS." + view);
        ASSERT_EQ(found.rows.size(), wanted.size()) << view;
        if (!wanted.empty()) with_rows.insert(view);
        for (std::size_t i = 0; i < wanted.size(); ++i) {
            for (const std::string& column : found.columns) {
                auto value = wanted[i].maybe(column);
                if (value == "") value.reset(), ++empty_texts;
                EXPECT_EQ(found.rows[i].maybe(column), value) << view << "." << column;
            }
        }
    }
    EXPECT_GE(with_rows.size(), 14);
    EXPECT_GT(empty_texts, 5);
}

TEST_F(OracleMirrorTest, MariadbsOwnSysGivesWayAgainAfterAnUpgrade) {
    const auto own = [&] {
        return tenant_.connect().scalar(
            "SELECT (SELECT COUNT(*) FROM information_schema.routines WHERE routine_schema = 'sys') + "
            "(SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = 'sys' AND table_name = "
            "'sys_config')");
    };
    TenantMirror mirror(catalog_);
    EXPECT_NE(own(), "0");
    mirror.attach(id_, endpoint_);
    ASSERT_TRUE(mirror.waitFresh(id_, 20s));
    EXPECT_EQ(own(), "0");
    runProgram({.arguments = {"mariadb-upgrade", "--no-defaults", "--force", "--silent",
                              "--socket=" + tenant_.socket().string(), "--user=root"}});
    EXPECT_NE(own(), "0");
    mirror.attach(id_, endpoint_);
    ASSERT_TRUE(mirror.waitFresh(id_, 20s));
    EXPECT_EQ(own(), "0");
    EXPECT_EQ(tenant_.connect().scalar("SELECT STATUS FROM SYS.DBA_OB_BACKUP_JOBS"), "INIT");
}

TEST_F(TenantMirrorTest, AChangeArrivesWithinASecondAndInNoBinlog) {
    TenantMirror mirror(catalog_);
    const TenantId id = makeTenant();
    mysql::SqlClient tenant = tenant_.connect();
    tenant.script("CREATE DATABASE d");
    const auto gtid = tenant.scalar("SELECT @@global.gtid_binlog_pos");
    const auto position = tenant.query("SHOW MASTER STATUS").rows.at(0).text("Position");
    mirror.attach(id, endpoint_);
    ASSERT_TRUE(mirror.waitFresh(id, 20s));
    EXPECT_EQ(tenant.scalar("SELECT COUNT(*) FROM oceanbase.DBA_OB_BACKUP_JOBS"), "0");
    EXPECT_EQ(tenant.scalar("SELECT TENANT_ID FROM oceanbase.DBA_OB_TENANTS"), std::to_string(id));

    stores_.backups.start({.tenant = id, .path = "file:///d"});
    EXPECT_LT(until("SELECT STATUS FROM oceanbase.DBA_OB_BACKUP_JOBS", "INIT"), 1s);
    const auto claim = stores_.work.take(stores_.work.find("backup", id, 1).value(), {1, 1}, 1h).value().claim();
    auto begun = stores_.backups.begin(claim, id, 1, {});
    EXPECT_LT(until("SELECT STATUS FROM oceanbase.DBA_OB_BACKUP_JOBS", "DOING"), 1s);
    for (int i = 1; i <= 5; ++i) {
        begun.task.stats.input_bytes = static_cast<std::uint64_t>(i) * 1000;
        stores_.backups.progress(claim, begun.task);
        EXPECT_LT(until("SELECT INPUT_BYTES FROM oceanbase.DBA_OB_BACKUP_TASKS", std::to_string(i * 1000)), 1s);
    }
    stores_.backups.finish(claim, id, 1, catalog::Outcome::completed());
    EXPECT_LT(until("SELECT STATUS FROM oceanbase.DBA_OB_BACKUP_JOB_HISTORY", "COMPLETED"), 1s);
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
    ASSERT_TRUE(mirror.waitFresh(own, 20s));
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
    ASSERT_TRUE(mirror.waitFresh(id, 20s));
    stores_.tenants.setRole(id, catalog::TenantRole::Standby);
    EXPECT_LT(until("SELECT TENANT_ROLE FROM oceanbase.DBA_OB_TENANTS", "STANDBY"), 1s);
}

TEST_F(TenantMirrorTest, CatchesUpWithATenantThatWasDown) {
    TenantMirror mirror(catalog_, {.first_retry = 50ms, .longest_retry = 200ms});
    const TenantId id = makeTenant();
    mirror.attach(id, endpoint_);
    ASSERT_TRUE(mirror.waitFresh(id, 20s));
    tenant_.kill();
    stores_.tenants.setComment(id, "while it was down");
    stores_.tenants.setStatus(id, catalog::TenantStatus::Normal);
    EXPECT_FALSE(mirror.waitFresh(id, 300ms));
    tenant_.start();
    EXPECT_LT(until("SELECT STATUS FROM oceanbase.DBA_OB_TENANTS", "NORMAL"), 5s);
}

TEST_F(TenantMirrorTest, ADeadTenantHoldsUpNobody) {
    TenantMirror mirror(catalog_);
    const TenantId dead = makeTenant();
    const TenantId alive = makeTenant();
    mysql::Endpoint nowhere = endpoint_;
    nowhere.socket = "/nonexistent/socket";
    mirror.attach(dead, nowhere);
    mirror.attach(alive, endpoint_);
    ASSERT_TRUE(mirror.waitFresh(alive, 20s));
    stores_.tenants.setStatus(alive, catalog::TenantStatus::Normal);
    EXPECT_LT(until("SELECT STATUS FROM oceanbase.DBA_OB_TENANTS", "NORMAL"), 1s);
    EXPECT_FALSE(mirror.waitFresh(dead, 10ms));
}

TEST_F(TenantMirrorTest, TenantsThatHangHoldUpNobody) {
    // Longer than what is allowed below, so that waiting for one of them would be seen.
    TenantMirror mirror(catalog_, {.statement_timeout = 2s});
    const TenantId alive = makeTenant();
    mirror.attach(alive, endpoint_);
    ASSERT_TRUE(mirror.waitFresh(alive, 20s));
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
    EXPECT_LT(arrives(catalog::TenantStatus::Normal), 1s) << "while it is found out";
    const TenantId last = makeTenant();
    mirror.attach(last, hung_endpoint);
    EXPECT_FALSE(mirror.waitFresh(last, 3s));
    for (int i = 0; i < 3; ++i)
        mirror.attach(makeTenant(), hung_endpoint);
    EXPECT_FALSE(mirror.waitFresh(last, 3s));
    for (int i = 0; i < 10; ++i) {
        EXPECT_LT(arrives(catalog::TenantStatus::Restore), 1s);
        EXPECT_LT(arrives(catalog::TenantStatus::Normal), 1s);
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
        ASSERT_TRUE(mirror.waitFresh(old, 20s));
    }
    // As from an older program: another view text, another definer that is not even there, a table with less columns.
    tenant_.connect().script(
        "SET sql_log_bin = 0;"
        "UPDATE oceanbase.__tidemark_view_version SET fingerprint = 1;"
        "CREATE OR REPLACE DEFINER = nobody@nowhere VIEW oceanbase.DBA_OB_BACKUP_TASKS AS SELECT 1 AS a;"
        "ALTER TABLE oceanbase.__tidemark_tenant DROP COLUMN comment");
    TenantMirror mirror(catalog_);
    mirror.attach(restored, endpoint_);
    ASSERT_TRUE(mirror.waitFresh(restored, 20s));
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

TEST_F(TenantMirrorTest, TouchesOnlyRowsThatChanged) {
    TenantMirror mirror(catalog_);
    const TenantId id = makeTenant();
    stores_.archive.beginRound(stores_.destinations.setArchive(id, "file:///a", catalog::Binding::Optional, 1));
    catalog::RoundUpdate opened{.tenant = id, .round_id = 1};
    for (Scn scn = 1; scn <= 300; ++scn) {
        opened.pieces.push_back({.piece_id = static_cast<std::int64_t>(scn),
                                 .start_scn = scn * 100,
                                 .end_scn = scn * 100 + 100,
                                 .frozen = scn < 300});
    }
    stores_.archive.update(std::array{opened});
    mirror.attach(id, endpoint_);
    ASSERT_TRUE(mirror.waitFresh(id, 20s));
    mysql::SqlClient tenant = tenant_.connect();
    EXPECT_EQ(tenant.scalar("SELECT COUNT(*) FROM oceanbase.DBA_OB_ARCHIVELOG_PIECE_FILES"), "300");
    const auto row_writes = [&] {
        return std::stoi(tenant
                             .scalar("SELECT CAST(SUM(variable_value) AS SIGNED) FROM information_schema.global_status "
                                     "WHERE variable_name IN ('HANDLER_WRITE', 'HANDLER_UPDATE', 'HANDLER_DELETE')")
                             .value());
    };
    mysql::SqlClient sys = sys_->connect();
    const auto row_reads = [&] {
        return std::stoi(
            sys.scalar("SELECT CAST(SUM(variable_value) AS SIGNED) FROM information_schema.global_status "
                       "WHERE variable_name IN ('HANDLER_READ_NEXT', 'HANDLER_READ_KEY', 'HANDLER_READ_RND_NEXT')")
                .value());
    };
    const auto progress = [&](std::uint64_t input_bytes) {
        const catalog::RoundUpdate update{
            .tenant = id,
            .round_id = 1,
            .pieces = {{.piece_id = 300, .checkpoint_scn = 30'050, .max_scn = 30'050, .input_bytes = input_bytes}},
            .known_piece_id = 300};
        stores_.archive.update(std::array{update});
        until("SELECT INPUT_BYTES FROM oceanbase.DBA_OB_ARCHIVELOG_PIECE_FILES WHERE PIECE_ID = 300",
              std::to_string(input_bytes));
    };
    progress(3);  // once it is shown, the mirror has heard of all the changes before, and looked at every row for them
    const int before = row_writes();
    const int read_before = row_reads();
    progress(7);
    // a row each of piece, round and tenant, replaced in up to three steps
    EXPECT_LE(row_writes() - before, 9);
    EXPECT_LE(row_reads() - read_before, 60) << "the other 299 pieces were looked at";
}

TEST_F(TenantMirrorTest, FollowsManyTenants) {
    TenantMirror mirror(catalog_, {.idle_close = 100ms});
    // All of them on one server: only the last one's rows stay, but each is served.
    std::vector<TenantId> ids;
    for (int i = 0; i < 10; ++i)
        ids.push_back(makeTenant());
    for (const TenantId id : ids) {
        mirror.attach(id, endpoint_);
        ASSERT_TRUE(mirror.waitFresh(id, 20s));
        mirror.detach(id);
        EXPECT_FALSE(mirror.waitFresh(id, 1ms));
    }
    mirror.attach(ids.front(), endpoint_);
    ASSERT_TRUE(mirror.waitFresh(ids.front(), 20s));
    until("SELECT COUNT(*) FROM information_schema.processlist WHERE user = 'tidemark'", "0");
    stores_.tenants.setStatus(ids.front(), catalog::TenantStatus::Normal);
    EXPECT_LT(until("SELECT STATUS FROM oceanbase.DBA_OB_TENANTS", "NORMAL"), 1s);
}

/// Twelve tenants with an open piece each, on one server: each attachment has removed the rows of those before, but
/// what changes from then on is there.
class ManyTenantsMirrorTest : public TenantMirrorTest {
protected:
    /// How many SELECTs of sys it takes to show progress of all.
    int selectsForProgress(std::size_t read_together) {
        TenantMirror mirror(catalog_, {.read_together = read_together});
        std::vector<catalog::RoundUpdate> progress;
        for (int i = 0; i < kTenants; ++i)
            progress.push_back(attachArchiving(mirror));
        advance(progress, 110);  // once it is shown, the mirror has heard of all the changes before
        mysql::SqlClient sys = sys_->connect();
        const auto selects = [&] {
            return std::stoi(sys.query("SHOW GLOBAL STATUS LIKE 'Com_select'").rows.at(0).text(1));
        };
        const int before = selects();
        advance(progress, 120);
        return selects() - before;
    }

private:
    static constexpr int kTenants = 12;

    catalog::RoundUpdate attachArchiving(TenantMirror& mirror) {
        const TenantId id = makeTenant();
        stores_.archive.beginRound(stores_.destinations.setArchive(id, "file:///a", catalog::Binding::Optional, 1));
        catalog::RoundUpdate update{
            .tenant = id, .round_id = 1, .pieces = {{.piece_id = 1, .start_scn = 100, .end_scn = 200}}};
        stores_.archive.update(std::array{update});
        mirror.attach(id, endpoint_);
        EXPECT_TRUE(mirror.waitFresh(id, 20s));
        update.known_piece_id = 1;
        return update;
    }

    void advance(std::vector<catalog::RoundUpdate>& progress, Scn scn) {
        for (catalog::RoundUpdate& update : progress)
            update.pieces.front().checkpoint_scn = scn;
        stores_.archive.update(progress);
        for (const char* table : {"piece", "round"}) {
            const auto shown = fmt::format(
                "SELECT COUNT(*) FROM oceanbase.__tidemark_archive_{} WHERE checkpoint_scn = {}", table, scn);
            EXPECT_LT(until(shown, std::to_string(kTenants)), 1s);
        }
    }
};

TEST_F(ManyTenantsMirrorTest, WhatProgressesForManyIsReadTogether) {
    EXPECT_GE(selectsForProgress(1), 36) << "rounds, pieces and tenants, of each";
    EXPECT_LE(selectsForProgress(100), 6) << "rounds, pieces and tenants, and once more should somebody have been late";
}

}  // namespace
}  // namespace tidemark::view
