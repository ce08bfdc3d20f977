#include "statement/statement.h"

#include <gtest/gtest.h>

#include <random>

#include "base/error.h"

namespace tidemark::statement {
namespace {

template <typename T>
T parsed(std::string_view text, const std::vector<mysql::Value>& parameters = {}) {
    return std::get<T>(parse(text, parameters));
}

TEST(Statement, TakesOnlyWhatNoMariaDbUnderstands) {
    for (const auto* own : {"alter system backup database", "  /* hint */ ALTER SYSTEM", "-- x\nSHOW TENANT",
                            "create tenant t", "show create tenant t", "SHOW RESTORE PREVIEW", "explain alter system delete backupset 1"}) {
        EXPECT_TRUE(isOwnStatement(own)) << own;
    }
    for (const auto* other :
         {"select 1", "alter table system add a int", "set names utf8", "create table tenant (a int)", "",
          "explain delete from t", "explain select 1", "show tables", "show create table tenant", "show create", "show restore", "drop table resource", "alter",
          "'alter system'", "set ob_query_timeout=1000", "/*!40101 ALTER */ SYSTEM"}) {
        EXPECT_FALSE(isOwnStatement(other)) << other;
    }
}

/// Its share of the threads is the one that is used.
TEST(Statement, IsAboutTheTenantThatItNamesInSysAndElsewhereAboutTheSessions) {
    const auto about = [](std::string_view text, const std::string& caller = "sys") {
        return tenantOf(text, {std::string("file:///x")}, caller);
    };
    for (const auto* one : {"ALTER SYSTEM SET DATA_BACKUP_DEST = ? TENANT = t", "ALTER SYSTEM ARCHIVELOG TENANT = t",
                            "ALTER SYSTEM NOARCHIVELOG TENANT t", "ALTER SYSTEM BACKUP TENANT = t",
                            "ALTER SYSTEM CANCEL BACKUP TENANT = t", "ALTER SYSTEM RESTORE t FROM ? WITH 'pool_list=p'",
                            "ALTER SYSTEM CANCEL RESTORE t", "ALTER SYSTEM ACTIVATE STANDBY TENANT = t",
                            "ALTER SYSTEM CATALOG BACKUP TENANT = t",
                            "ALTER SYSTEM DELETE BACKUPSET 1 TENANT = t", "ALTER SYSTEM KEEP BACKUPSET 1 TENANT = t",
                            "CREATE TENANT t RESOURCE_POOL_LIST = ('p')", "ALTER TENANT t LOCK", "DROP TENANT t FORCE",
                            "SHOW PARAMETERS TENANT = t"}) {
        EXPECT_EQ(about(one), "t") << one;
        EXPECT_EQ(about(one, "acme"), "acme") << "whatever it names: " << one;
    }
    for (const auto* many :
         {"ALTER SYSTEM ARCHIVELOG TENANT = ALL", "ALTER SYSTEM ARCHIVELOG TENANT = a, b", "ALTER SYSTEM SHUTDOWN",
          "SHOW PARAMETERS", "CREATE RESOURCE UNIT u MAX_CPU 1", "ALTER SYSTEM NONSENSE TENANT = t"}) {
        EXPECT_EQ(about(many), "sys") << many;
    }
}

TEST(Statement, ReadsDestinations) {
    const auto set = parsed<SetParameters>(
        "ALTER SYSTEM SET LOG_ARCHIVE_DEST='LOCATION=file:///a BINDING=Optional' TENANT = mysql_tenant;");
    EXPECT_EQ(set.assignments.at(0).first, "log_archive_dest");
    EXPECT_EQ(set.assignments.at(0).second, "LOCATION=file:///a BINDING=Optional");
    EXPECT_EQ(set.tenants.names, std::vector<std::string>{"mysql_tenant"});
    EXPECT_EQ(parsed<SetParameters>("alter system set data_backup_dest = ?", {std::string("file:///b")})
                  .assignments.at(0)
                  .second,
              "file:///b");
    EXPECT_EQ(parsed<SetParameters>("alter system backup_data_file_size = '1G' tenant all").tenants.all, true);
}

TEST(Statement, ReadsBackups) {
    EXPECT_FALSE(parsed<Backup>("ALTER SYSTEM BACKUP DATABASE").tenants.given);
    const auto backup =
        parsed<Backup>("alter system backup incremental tenant = a, `b`, 'c' plus archivelog description='d'");
    EXPECT_TRUE(backup.incremental && backup.plus_archivelog);
    EXPECT_EQ(backup.tenants.names, (std::vector<std::string>{"a", "b", "c"}));
    EXPECT_EQ(backup.description, "d");
    EXPECT_EQ(parsed<CancelBackup>("ALTER SYSTEM CANCEL BACKUP TENANT=a").tenants.names.size(), 1U);
    EXPECT_EQ(parsed<CatalogBackup>("ALTER SYSTEM CATALOG BACKUP FROM 'file:///a,file:///b' TENANT = t").from,
              "file:///a,file:///b");
    EXPECT_TRUE(parsed<CatalogBackup>("ALTER SYSTEM CATALOG BACKUP").from.empty());
    const auto key = parsed<BackupKey>("ALTER SYSTEM BACKUP KEY TENANT = t TO = 'file:///k' ENCRYPTED BY 'pw'");
    EXPECT_EQ(key.to, "file:///k");
    EXPECT_EQ(key.password.text(), "pw");
    const auto restore = parsed<Restore>(
        "ALTER SYSTEM RESTORE t FROM 'file:///a' WITH 'pool_list=p' WITH KEY FROM "
        "'file:///k' ENCRYPTED BY 'pw' DESCRIPTION = 'd'");
    EXPECT_EQ(restore.keys.from, "file:///k");
    EXPECT_EQ(restore.keys.password.text(), "pw");
    EXPECT_EQ(restore.description, "d");
    EXPECT_TRUE(mayHoldPassword("ALTER SYSTEM BACKUP KEY TO 'file:///k' ENCRYPTED BY 'pw'"));
    EXPECT_THROW(parse("ALTER SYSTEM CATALOG BACKUP FROM ''"), Error);
    const auto catalog = parsed<CatalogBackup>(
        "ALTER SYSTEM CATALOG BACKUP FROM 'file:///a' TENANT = t WITH KEY FROM 'file:///k' ENCRYPTED BY 'pw'");
    EXPECT_EQ(catalog.tenants.names, std::vector<std::string>{"t"});
    EXPECT_EQ(catalog.keys.from, "file:///k");
    EXPECT_EQ(catalog.keys.password.text(), "pw");
    const auto preview = parsed<PreviewRestore>(
        "ALTER SYSTEM RESTORE FROM 'file:///a' UNTIL SCN = 1 PREVIEW WITH KEY FROM 'file:///k' ENCRYPTED BY ?",
        {std::string("pw")});
    EXPECT_EQ(preview.keys.from, "file:///k");
    EXPECT_EQ(preview.keys.password.text(), "pw");
    EXPECT_THROW(parse("ALTER SYSTEM CATALOG BACKUP TENANT = t WITH KEY FROM '' ENCRYPTED BY 'pw'"), Error);
    EXPECT_THROW(parse("ALTER SYSTEM CATALOG BACKUP TENANT = t WITH KEY FROM 'file:///k'"), Error);
}

TEST(Statement, ReadsPoliciesAndDeletions) {
    const auto add = parsed<AddDeletePolicy>(
        "ALTER SYSTEM ADD DELETE BACKUP POLICY = 'default' RECOVERY_WINDOW = '7d' REDUNDANCY 1 BACKUP_COPIES = 0 TENANT t");
    EXPECT_EQ(add.name, "default");
    EXPECT_EQ(add.recovery_window, "7d");
    EXPECT_EQ(add.redundancy, "1");
    EXPECT_EQ(add.backup_copies, "0");
    EXPECT_EQ(add.tenants.names, std::vector<std::string>{"t"});
    const auto prepared = parsed<AddDeletePolicy>("ALTER SYSTEM ADD DELETE BACKUP POLICY ? RECOVERY_WINDOW ?",
                                                  {std::string("default"), std::string("7d")});
    EXPECT_EQ(prepared.recovery_window, "7d");
    EXPECT_FALSE(prepared.redundancy);
    EXPECT_EQ(parsed<DropDeletePolicy>("alter system drop delete backup policy 'default'").name, "default");
    EXPECT_EQ(parsed<CancelDeleteBackup>("ALTER SYSTEM CANCEL DELETE BACKUP TENANT = a, b DESCRIPTION = 'd'")
                  .tenants.names.size(),
              2U);
    EXPECT_EQ(parsed<DeleteBackup>("ALTER SYSTEM DELETE BACKUPSET 3, 1,2 TENANT = t").ids,
              (std::vector<std::int64_t>{3, 1, 2}));
    EXPECT_TRUE(parsed<DeleteBackup>("ALTER SYSTEM DELETE OBSOLETE BACKUP").what == DeleteBackup::What::Obsolete);
    const auto pieces = parsed<DeleteBackup>("EXPLAIN ALTER SYSTEM DELETE BACKUPPIECE 1,2");
    EXPECT_TRUE(pieces.explain && pieces.what == DeleteBackup::What::Pieces && pieces.ids.size() == 2);
    EXPECT_TRUE(std::holds_alternative<Unsupported>(parse("EXPLAIN ALTER SYSTEM BACKUP DATABASE")));
    EXPECT_EQ(countParameters("ALTER SYSTEM DELETE BACKUPSET ?"), 1U);
    const auto keep = parsed<KeepBackupSet>("ALTER SYSTEM KEEP BACKUPSET 4 UNTIL TIME = '2030-01-01 00:00:00'");
    EXPECT_TRUE(keep.keep);
    EXPECT_EQ(keep.set, 4);
    EXPECT_EQ(keep.until, "2030-01-01 00:00:00");
    EXPECT_FALSE(parsed<KeepBackupSet>("ALTER SYSTEM NOKEEP BACKUPSET 4").keep);
    EXPECT_TRUE(std::holds_alternative<Unsupported>(parse("ALTER SYSTEM DELETE SERVER 'x'")));
    EXPECT_TRUE(std::holds_alternative<Unsupported>(parse("ALTER SYSTEM ADD SERVER 'x'")));
    for (const auto* bad : {"ALTER SYSTEM DELETE BACKUPSET", "ALTER SYSTEM DELETE BACKUPSET 1,",
                            "ALTER SYSTEM DELETE OBSOLETE", "ALTER SYSTEM KEEP 1",
                            "ALTER SYSTEM NOKEEP BACKUPSET 1 UNTIL '2030-01-01'", "ALTER SYSTEM DELETE BACKUPSET one",
                            "ALTER SYSTEM DELETE BACKUPSET 99999999999999999999"}) {
        EXPECT_ANY_THROW(parsed<DeleteBackup>(bad)) << bad;
    }
}

TEST(Statement, ReadsRestoresAsOperatorsAndDriversSendThem) {
    const auto bare = parsed<Restore>(
        "ALTER SYSTEM RESTORE t FROM 'file:///a,file:///b' UNTIL SCN=1658285759724047000 WITH 'pool_list=p'");
    EXPECT_EQ(bare.until_scn, 1658285759724047000ULL);
    const auto quoted = parsed<Restore>("ALTER SYSTEM RESTORE t FROM ? UNTIL SCN=? WITH ?",
                                        {std::string("file:///a"), std::string("12"), std::string("pool_list=p")});
    EXPECT_EQ(quoted.until_scn, 12U);
    EXPECT_EQ(quoted.options, "pool_list=p");
    const auto timed =
        parsed<Restore>("ALTER SYSTEM RESTORE t FROM 'x' UNTIL TIME='2026-01-01 00:00:00' WITH 'y' DESCRIPTION='z'");
    EXPECT_EQ(timed.until_time, "2026-01-01 00:00:00");
    EXPECT_EQ(timed.description, "z");
    EXPECT_THROW(parse("ALTER SYSTEM RESTORE t FROM 'x' UNTIL SCN=12x WITH 'y'"), Error);
    EXPECT_EQ(countParameters("ALTER SYSTEM RESTORE t FROM ? UNTIL TIME=? WITH ?"), 3U);
}

TEST(Statement, TakesAnScnAsAParameter) {
    constexpr std::string_view kText = "ALTER SYSTEM RESTORE ? FROM ? UNTIL SCN = ? WITH ? DESCRIPTION = ?";
    EXPECT_EQ(countParameters(kText), 5U);
    for (const mysql::Value& scn :
         {mysql::Value(std::int64_t{1658285759724047000}), mysql::Value(std::uint64_t{1658285759724047000}),
          mysql::Value(std::string("1658285759724047000"))}) {
        const auto restore =
            parsed<Restore>(kText, {std::string("t"), std::string("x"), scn, std::string("y"), std::string("z")});
        EXPECT_EQ(restore.until_scn, 1658285759724047000ULL);
        EXPECT_EQ(restore.description, "z");
    }
    for (const char* wrong : {"", "12x", "-1"})
        EXPECT_THROW(parse("ALTER SYSTEM RESTORE t FROM 'x' UNTIL SCN=? WITH 'y'", {std::string(wrong)}), Error)
            << wrong;
}

TEST(Statement, ReadsAPreviewWhichNamesNoTenant) {
    const auto newest = parsed<PreviewRestore>("alter system restore from 'a,b' preview");
    EXPECT_EQ(newest.from, "a,b");
    EXPECT_FALSE(newest.until_scn || newest.until_time);
    const auto scn = parsed<PreviewRestore>("ALTER SYSTEM RESTORE FROM ? UNTIL SCN = ? PREVIEW",
                                            {std::string("a"), std::int64_t{7}});
    EXPECT_EQ(scn.until_scn, 7U);
    EXPECT_EQ(parsed<PreviewRestore>("ALTER SYSTEM RESTORE FROM 'a' UNTIL TIME='2026-11-21' PREVIEW").until_time,
              "2026-11-21");
    EXPECT_EQ(tenantOf("ALTER SYSTEM RESTORE FROM 'a' PREVIEW", {}, "sys"), "sys");
    parsed<ShowRestorePreview>("SHOW RESTORE PREVIEW;");
    for (const char* wrong : {"ALTER SYSTEM RESTORE FROM 'a'", "ALTER SYSTEM RESTORE FROM PREVIEW",
                              "ALTER SYSTEM RESTORE FROM 'a' PREVIEW WITH 'x'", "SHOW RESTORE PREVIEW x",
                              "ALTER SYSTEM RESTORE FROM 'a' WITH 'pool_list=p'"})
        EXPECT_THROW(parse(wrong), Error) << wrong;
}

TEST(Statement, RefusesAParameterWithoutAValue) {
    EXPECT_THROW(parse("ALTER SYSTEM SET DATA_BACKUP_DEST = ?"), Error);
    EXPECT_THROW(parse("ALTER SYSTEM BACKUP TENANT = ?"), Error);
}

TEST(Statement, ReadsResourcesInBothSpellings) {
    const auto spaced = parsed<CreateUnit>("CREATE RESOURCE UNIT u max_cpu 1, memory_size 1073741824, min_cpu 1");
    EXPECT_EQ(spaced.options.at("memory_size"), "1073741824");
    const auto equals = parsed<CreateUnit>("CREATE RESOURCE UNIT IF NOT EXISTS u MAX_CPU=1.5, MEMORY_SIZE='1G'");
    EXPECT_TRUE(equals.if_not_exists);
    EXPECT_EQ(equals.options.at("max_cpu"), "1.5");
    const auto pool = parsed<CreatePool>("CREATE RESOURCE POOL p UNIT='u', UNIT_NUM=1, ZONE_LIST=('zone1','zone2')");
    EXPECT_EQ(pool.zones.size(), 2U);
    EXPECT_EQ(pool.options.at("unit"), "u");
}

TEST(Statement, ReadsTenants) {
    const auto create = parsed<CreateTenant>(
        "CREATE TENANT IF NOT EXISTS t CHARSET=?, PRIMARY_ZONE=?, RESOURCE_POOL_LIST=(?, ?), LOCALITY= ? SET VARIABLES "
        "ob_tcp_invited_nodes='%', lower_case_table_names=1",
        {std::string("utf8mb4"), std::string("RANDOM"), std::string("p1"), std::string("p2"), std::string("F@z1")});
    EXPECT_EQ(create.options.pools, (std::vector<std::string>{"p1", "p2"}));
    EXPECT_EQ(create.options.options.at("charset"), "utf8mb4");
    EXPECT_EQ(create.options.variables.at("ob_tcp_invited_nodes"), "%");
    EXPECT_TRUE(parsed<DropTenant>("drop tenant if exists t force").force);
    EXPECT_EQ(parsed<AlterTenant>("ALTER TENANT t LOCK").lock, true);
    EXPECT_EQ(
        parsed<AlterTenant>("ALTER TENANT t SET VARIABLES ob_tcp_invited_nodes='10.0.0.0/8'").options.variables.size(),
        1U);
    EXPECT_EQ(parsed<AlterTenant>("ALTER TENANT t PRIMARY_ZONE='zone1'").options.options.size(), 1U);
}

TEST(Statement, NamesWhatItKnowsAndDoesNot) {
    for (const auto& [text, what] : std::vector<std::pair<std::string, std::string>>{
             {"ALTER TENANT ALL SET VARIABLES a = 1", "ALTER TENANT ALL"},
             {"alter tenant all lock", "ALTER TENANT ALL"},
             {"SHOW PARAMETERS WHERE name = 'x' AND value > 3", "SHOW PARAMETERS WHERE"},
             {"show create tenant t", "SHOW CREATE TENANT"},
             {"SHOW RECYCLEBIN", "SHOW RECYCLEBIN"}}) {
        EXPECT_EQ(parsed<Unsupported>(text).what, what);
    }
}

TEST(Statement, NamesTheSpotThatIsWrong) {
    try {
        parse("ALTER SYSTEM RESTORE t\nFRM 'x' WITH 'y'");
        FAIL() << "no error";
    } catch (const Error& error) {
        EXPECT_EQ(error.sql()->number, 1064);
        EXPECT_NE(std::string(error.what()).find("near 'FRM 'x' WITH 'y'' at line 2"), std::string::npos)
            << error.what();
    }
    for (const auto& [text, near] : std::vector<std::pair<std::string, std::string>>{
             {"ALTER SYSTEM BOGUS", "near 'BOGUS'"},
             {"ALTER TENANT t bogus", "near 'bogus'"},
             {"CREATE RESOURCE UNIT u MAX_CPU 1, bogus 3", "near 'bogus 3'"},
             {"CREATE RESOURCE POOL p UNIT='u', bogus=3", "near 'bogus=3'"}}) {
        try {
            parse(text);
            ADD_FAILURE() << text;
        } catch (const Error& error) {
            EXPECT_NE(std::string(error.what()).find(near), std::string::npos) << error.what();
        }
    }
    EXPECT_THROW(parse("CREATE RESOURCE UNIT u MAX_CPU 1, MAX_CPU 2"), Error);
    EXPECT_THROW(parse("ALTER SYSTEM SET DATA_BACKUP_DEST = ?", {nullptr}), Error);
    EXPECT_THROW(parse("ALTER SYSTEM BACKUP DATABASE; SELECT 1"), Error);
    EXPECT_THROW(parse("ALTER SYSTEM BACKUP"), Error);
    EXPECT_THROW(parse("ALTER SYSTEM RESTORE t FROM 'x"), Error);
    EXPECT_THROW(parse("SELECT 1"), Error);
}

TEST(Statement, SurvivesGarbage) {
    const auto seed = std::random_device()();
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937 random(seed);
    const std::string base =
        "ALTER SYSTEM RESTORE t FROM 'a,b' UNTIL TIME='2026' WITH 'pool_list=p&x=y' DESCRIPTION \"d\"";
    for (int round = 0; round < 20000; ++round) {
        std::string text = base;
        for (int change = 0; change < 4; ++change) {
            text[random() % text.size()] = static_cast<char>(random() % 256);
            if (random() % 8 == 0) text.resize(1 + random() % text.size());
        }
        try {
            isOwnStatement(text);
            parse(text);
        } catch (const Error&) {
            // refused in an orderly way
        }
    }
}

}  // namespace
}  // namespace tidemark::statement
