#include "tenant/tenant_config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "tenant/tenant_variables.h"

namespace tidemark::tenant {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr std::uint64_t kMiB = 1ULL << 20;

TenantSettings sample(Profile profile, std::uint64_t memory = 1024 * kMiB) {
    TenantSettings settings;
    settings.tenant = 1002;
    settings.paths = {"/srv/t/1002"};
    settings.server_id = 77;
    settings.memory_bytes = memory;
    settings.profile = profile;
    return settings;
}

TEST(TenantConfig, PrimaryIsDurableAndOpen) {
    const std::string text = configText(sample(Profile::Primary));
    for (const char* line :
         {"\nskip-networking\n", "\nunix_socket = \"OFF\"\n", "\nproxy-protocol-networks = \"localhost\"\n",
          "\nsecure-file-priv = \"/dev/null\"\n", "\nsync_binlog = 1\n", "\ninnodb_flush_log_at_trx_commit = 1\n",
          "\ngtid_domain_id = 1002\n", "\nserver_id = 77\n", "\nread_only = \"OFF\"\n", "\nevent_scheduler = \"ON\"\n",
          "\nlog_bin = \"bin\"\n", "\nexpire_logs_days = 0\n", "\nlower_case_table_names = 1\n",
          "\nskip-slave-start\n"}) {
        EXPECT_THAT(text, HasSubstr(line));
    }
    EXPECT_THAT(text, Not(HasSubstr("user = ")));
}

TEST(TenantConfig, StandbyIsDurableAndClosed) {
    const std::string text = configText(sample(Profile::Standby));
    for (const char* line : {"\nread_only = \"ON\"\n", "\nevent_scheduler = \"OFF\"\n", "\nlog_bin = \"bin\"\n",
                             "\nlog_slave_updates = \"ON\"\n", "\ninnodb_flush_log_at_trx_commit = 1\n"}) {
        EXPECT_THAT(text, HasSubstr(line));
    }
}

TEST(TenantConfig, ReplayIsFastAndClosed) {
    const std::string text = configText(sample(Profile::Replay));
    for (const char* line : {"\nread_only = \"ON\"\n", "\nevent_scheduler = \"OFF\"\n", "\nskip-log-bin\n",
                             "\ninnodb_doublewrite = \"OFF\"\n", "\ninnodb_flush_log_at_trx_commit = 0\n",
                             "\ninnodb_flush_method = \"fsync\"\n", "\nrelay_log_space_limit = 1073741824\n"}) {
        EXPECT_THAT(text, HasSubstr(line));
    }
    EXPECT_THAT(text, Not(HasSubstr("\nlog_bin = ")));
}

TEST(TenantConfig, ReplayRefusesNothingWhateverTheTenantHasSet) {
    auto settings = sample(Profile::Replay);
    settings.variables["innodb_strict_mode"] = "ON";
    settings.variables["max_statement_time"] = "0.1";
    const std::string text = configText(settings);
    const auto last = [&](const std::string& name) {
        const auto at = text.rfind("\n" + name + " = ");
        return at == std::string::npos ? "" : text.substr(at + 1, text.find('\n', at + 1) - at - 1);
    };
    EXPECT_EQ(last("innodb_strict_mode"), "innodb_strict_mode = \"OFF\"");
    EXPECT_EQ(last("max_statement_time"), "max_statement_time = \"0\"");
    EXPECT_EQ(last("max_heap_table_size"), "max_heap_table_size = \"1099511627776\"");
    EXPECT_EQ(last("system_versioning_alter_history"), "system_versioning_alter_history = \"KEEP\"");
    EXPECT_TRUE(isFixedInReplay("innodb_strict_mode"));
    EXPECT_FALSE(isFixedInReplay("sql_mode"));
    settings.profile = Profile::Standby;
    EXPECT_THAT(configText(settings), Not(HasSubstr("KEEP")));
}

TEST(TenantConfig, SpendsNoMoreMemoryThanTheUnitHas) {
    for (const std::uint64_t memory : {64 * kMiB, 100 * kMiB, 1024 * kMiB, 16384 * kMiB, 1048576 * kMiB}) {
        for (const Profile profile : {Profile::Primary, Profile::Standby, Profile::Replay}) {
            const MemoryPlan plan = planMemory(sample(profile, memory));
            EXPECT_LE(plan.buffer_pool + plan.log_buffer + plan.key_buffer + plan.aria_page_cache, memory);
            EXPECT_GE(plan.buffer_pool, 16 * kMiB);
            EXPECT_GE(plan.redo_log, 16 * kMiB);
            EXPECT_GE(plan.client_connections, 50U);
        }
    }
    EXPECT_EQ(planMemory(sample(Profile::Primary, 1024 * kMiB)).buffer_pool, 738 * kMiB);
}

TEST(TenantConfig, KeepsTheRedoLogWithinTheUnitsLogDisk) {
    auto settings = sample(Profile::Replay, 8192 * kMiB);
    settings.log_disk_bytes = 1024 * kMiB;
    EXPECT_EQ(planMemory(settings).redo_log, 512 * kMiB);
}

TEST(TenantConfig, LetsNoValueBecomeALineOfItsOwn) {
    auto settings = sample(Profile::Primary);
    settings.variables["sql_mode"] = "ANSI\nskip-grant-tables";
    EXPECT_THROW(configText(settings), Error);
    settings.variables["sql_mode"] = "ANSI\" #";
    EXPECT_THROW(configText(settings), Error);
}

TEST(TenantVariables, SortsWhatItKnows) {
    const auto checked = checkVariables({{"OB_TCP_INVITED_NODES", "%"},
                                         {"Sql_Mode", "ANSI"},
                                         {"ob_query_timeout", "1"},
                                         {"time_zone", "+08:00"},
                                         {"ob_compatibility_mode", "MySQL"}},
                                        [](const auto&) { return false; });
    EXPECT_EQ(checked.at("ob_tcp_invited_nodes"), "%");
    const std::map<std::string, std::string> expected = {{"sql_mode", "ANSI"}, {"time_zone", "+08:00"}};
    EXPECT_EQ(serverSettings(checked), expected);
}

TEST(TenantVariables, RefusesWhatItCannotKeep) {
    const auto number = [](const std::string& name, const std::string& value) {
        try {
            checkVariables({{name, value}}, [](const std::string& known) { return known == "sync_binlog"; });
            return 0;
        } catch (const Error& error) {
            return error.sql()->number;
        }
    };
    EXPECT_EQ(number("ob_compatibility_mode", "Oracle"), 0);
    EXPECT_EQ(number("ob_compatibility_mode", "postgres"), 1231);
    EXPECT_EQ(number("lower_case_table_names", "0"), 1235);
    EXPECT_EQ(number("lower_case_table_names", "1"), 0);
    EXPECT_EQ(number("secure_file_priv", "/"), 1235);
    EXPECT_EQ(number("ob_tcp_invited_nodes", "localhost"), 1231);
    EXPECT_EQ(number("no_such_variable", "1"), 1193);
    EXPECT_EQ(number("sync_binlog", "0"), 1235);
    EXPECT_EQ(number("sql_mode", "ANSI\nskip-grant-tables"), 1231);
}

TEST(TenantConfig, AnUpgradeRunsAsAReplayWithAllRights) {
    TenantSettings settings{.tenant = 1002, .profile = Profile::Replay};
    const std::string replay = configText(settings);
    settings.profile = Profile::Upgrade;
    EXPECT_EQ(configText(settings), replay);
    const auto mode = catalog::CompatibilityMode::Mysql;
    const std::string all = "GRANT ALL PRIVILEGES ON *.* TO `tidemark`";
    EXPECT_NE(initFileText("x", Profile::Upgrade, mode).find(all), std::string::npos);
    EXPECT_NE(initFileText("x", Profile::Replay, mode).find(all), std::string::npos);
    for (const Profile usual : {Profile::Primary, Profile::Standby})
        EXPECT_EQ(initFileText("x", usual, mode).find(all), std::string::npos);
}

TEST(TenantVariables, KeepsAnOracleTenantOne) {
    using catalog::CompatibilityMode;
    EXPECT_EQ(modeOf({}), CompatibilityMode::Mysql);
    EXPECT_EQ(modeOf({{"ob_compatibility_mode", "ORACLE"}}), CompatibilityMode::Oracle);
    requireModesSqlMode(CompatibilityMode::Mysql, {{"sql_mode", ""}});
    requireModesSqlMode(CompatibilityMode::Oracle, {{"autocommit", "0"}});
    requireModesSqlMode(CompatibilityMode::Oracle, {{"sql_mode", "strict_all_tables,oracle"}});
    EXPECT_THROW(requireModesSqlMode(CompatibilityMode::Oracle, {{"sql_mode", ""}}), Error);
    EXPECT_THROW(requireModesSqlMode(CompatibilityMode::Oracle, {{"sql_mode", "NO_ORACLE"}}), Error);
}

}  // namespace
}  // namespace tidemark::tenant
