#include "view/tenant_mirror.h"

#include "base/process.h"
#include "view/tenant_mirror_fixture.h"
#include "view/view_columns_test.h"

namespace tidemark::view {
namespace {

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
    ASSERT_TRUE(mirror.waitFresh(id_, kLimit));
    mysql::SqlClient client = tenant_.connect();
    expectColumns(client, "oracle", namesInTenants());
    EXPECT_EQ(client.scalar("SELECT COUNT(*) FROM information_schema.schemata WHERE schema_name = 'oceanbase'"), "0");
    until("SELECT STATUS FROM SYS.DBA_OB_BACKUP_JOBS", "INIT");
    stores_.tenants.setRole(id_, catalog::TenantRole::Standby);
    until("SELECT CONCAT(TENANT_ROLE, COMPATIBILITY_MODE) FROM SYS.DBA_OB_TENANTS", "STANDBYORACLE");
}

/// MariaDB reads a view's text in the sql_mode of who selects, in which CONCAT and '' mean something else.
TEST_F(OracleMirrorTest, RowsAreTheSameInEveryModeButNullWhereATextIsEmpty) {
    TenantMirror mirror(catalog_);
    mirror.attach(id_, endpoint_);
    ASSERT_TRUE(mirror.waitFresh(id_, kLimit));
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
    ASSERT_TRUE(mirror.waitFresh(id_, kLimit));
    EXPECT_EQ(own(), "0");
    runProgram({.arguments = {"mariadb-upgrade", "--no-defaults", "--force", "--silent",
                              "--socket=" + tenant_.socket().string(), "--user=root"}});
    EXPECT_NE(own(), "0");
    mirror.attach(id_, endpoint_);
    ASSERT_TRUE(mirror.waitFresh(id_, kLimit));
    EXPECT_EQ(own(), "0");
    EXPECT_EQ(tenant_.connect().scalar("SELECT STATUS FROM SYS.DBA_OB_BACKUP_JOBS"), "INIT");
}

}  // namespace
}  // namespace tidemark::view
