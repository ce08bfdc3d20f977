#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "catalog/schema.h"
#include "catalog/stores.h"
#include "testing/mariadb_server.h"
#include "testing/source_directory.h"

namespace tidemark::catalog {
namespace {

std::string released(const std::string& name) {
    const std::ifstream file(testing::sourceDirectory() / "testdata" / "catalog" / name);
    std::ostringstream text;
    text << file.rdbuf();
    EXPECT_FALSE(text.str().empty()) << name;
    return text.str();
}

/// The statements of a step, as far as `script` would have come before a crash. None has a `;` inside.
std::vector<std::string> statementsOf(const std::string& step) {
    std::vector<std::string> statements;
    std::istringstream text(step);
    for (std::string statement; std::getline(text, statement, ';');) {
        if (statement.find_first_not_of(" \n") != std::string::npos) statements.push_back(statement);
    }
    return statements;
}

/// What is stored was written by an older program, and is read by this one.
class SchemaUpgradeTest : public ::testing::Test {
protected:
    static void SetUpTestSuite() { server_ = std::make_unique<testing::MariadbServer>(); }
    static void TearDownTestSuite() { server_.reset(); }

    void load(const std::string& name) {
        server_->connect().script("DROP DATABASE IF EXISTS tidemark");
        server_->connect().script(released(name));
    }

    /// Every column of every table, and its rows' checksum.
    std::string everything() {
        mysql::SqlClient client = server_->connect();
        std::string text = shape();
        for (const auto& row :
             client.query("SELECT table_name FROM information_schema.tables WHERE table_schema = 'tidemark' ORDER BY 1")
                 .rows) {
            const std::string table = "tidemark." + row.text(0);
            text += table + " " + client.query("CHECKSUM TABLE " + table).rows.at(0).text(1) + "\n";
        }
        return text;
    }

    std::string shape() {
        mysql::SqlClient client = server_->connect();
        std::string text;
        for (const auto& row :
             client
                 .query("SELECT CONCAT_WS(' ', table_name, column_name, column_type, is_nullable, column_default)"
                        " FROM information_schema.columns WHERE table_schema = 'tidemark' ORDER BY table_name,"
                        " column_name")
                 .rows) {
            text += row.text(0) + "\n";
        }
        for (const auto& row : client
                                   .query("SELECT CONCAT_WS(' ', table_name, non_unique, GROUP_CONCAT(column_name"
                                          " ORDER BY seq_in_index)) FROM information_schema.statistics"
                                          " WHERE table_schema = 'tidemark' GROUP BY table_name, non_unique, index_name"
                                          " ORDER BY 1")
                                   .rows) {
            text += row.text(0) + "\n";
        }
        return text;
    }

    static inline std::unique_ptr<testing::MariadbServer> server_;
    ManualClock clock_{kSecond};
    Catalog catalog_{{.endpoint = server_->endpoint()}, clock_};
    Stores stores_{catalog_};
};

TEST_F(SchemaUpgradeTest, WhatAnOlderProgramWroteIsRead) {
    load("schema_2.sql");
    catalog_.migrate();
    ASSERT_EQ(stores_.tenants.all().size(), 4U);
    const Tenant shop = stores_.tenants.get("shop");
    EXPECT_EQ(shop.status, TenantStatus::Normal);
    EXPECT_EQ(shop.log_mode, LogMode::Archivelog);
    EXPECT_EQ(stores_.tenants.get("books").mode, CompatibilityMode::Oracle);
    EXPECT_EQ(stores_.tenants.get("back").role, TenantRole::Primary);
    EXPECT_EQ(stores_.cluster.servers().size(), 1U);
    EXPECT_EQ(stores_.resources.unitsOf(shop.id).at(0).config.name, "u_p_shop");
    EXPECT_EQ(stores_.parameters.bytes(shop.id, "backup_data_file_size"), 1LL << 30);
    EXPECT_EQ(stores_.destinations.backup(shop.id)->path, "file:///backup/shop_data");

    ASSERT_EQ(stores_.archive.rounds(shop.id).size(), 2U);
    EXPECT_EQ(stores_.archive.rounds(shop.id)[0].status, RoundStatus::Stop);
    EXPECT_EQ(stores_.archive.lastRound(shop.id)->status, RoundStatus::Doing);
    EXPECT_GT(stores_.archive.lastRound(shop.id)->checkpoint_scn, 0U);
    EXPECT_EQ(stores_.archive.pieces(shop.id).size(), 2U);

    const auto sets = stores_.backups.sets(shop.id);
    ASSERT_EQ(sets.size(), 2U);
    EXPECT_EQ(sets[1].file_status, FileStatus::Available);
    EXPECT_GT(sets[1].stats.input_bytes, 0U);
    EXPECT_EQ(stores_.backups.job(shop.id, 1)->status, BackupJobStatus::Completed);
    ASSERT_EQ(stores_.restores.history().size(), 1U);
    EXPECT_EQ(stores_.restores.history()[0].sys_status, RestoreSysStatus::RestoreSuccess);
    EXPECT_FALSE(stores_.restores.findActive("back"));
}

TEST_F(SchemaUpgradeTest, RestoresThatWereAtWorkAreWork) {
    load("schema_2.sql");
    server_->connect().script(
        "INSERT INTO tidemark.restore_job SELECT * FROM tidemark.restore_job_history;"
        "UPDATE tidemark.restore_job SET job_id = 2, finish_time = NULL;"
        "INSERT INTO tidemark.restore_job SELECT * FROM tidemark.restore_job_history;"
        "DELETE FROM tidemark.restore_job_history");
    catalog_.migrate();
    EXPECT_TRUE(stores_.restores.findActive("back"));
    EXPECT_TRUE(stores_.work.find(kRestoreWork, kSysTenantId, 2));
    EXPECT_TRUE(stores_.work.find(kRestoreHistoryWork, kSysTenantId, 1));
    // Later records have other numbers.
    EXPECT_NO_THROW(stores_.work.add("other", kSysTenantId, 1));
}

TEST_F(SchemaUpgradeTest, AnUpgradedSchemaIsTheOneOfANewCluster) {
    load("schema_2.sql");
    catalog_.migrate();
    const std::string upgraded = shape();
    server_->connect().script("DROP DATABASE tidemark");
    catalog_.migrate();
    EXPECT_EQ(upgraded, shape()) << "a released step was changed";
}

TEST_F(SchemaUpgradeTest, TheSecondUpgradeChangesNothing) {
    load("schema_2.sql");
    catalog_.migrate();
    const std::string first = everything();
    catalog_.migrate();
    EXPECT_EQ(first, everything());
}

TEST_F(SchemaUpgradeTest, ACrashBetweenAnyTwoStatementsIsRepaired) {
    load("schema_2.sql");
    catalog_.migrate();
    const std::string whole = everything();
    const auto steps = schemaSteps();
    for (std::size_t step = 2; step < steps.size(); ++step) {
        const auto statements = statementsOf(steps[step]);
        for (std::size_t done = 1; done <= statements.size(); ++done) {
            load("schema_2.sql");
            for (std::size_t before = 2; before < step; ++before)
                server_->connect().script(steps[before]);
            mysql::SqlClient client = server_->connect();
            for (std::size_t i = 0; i < done; ++i)
                client.query(statements[i]);
            catalog_.migrate();
            EXPECT_EQ(whole, everything()) << "step " << step + 1 << " after " << done << " statements";
        }
    }
}

}  // namespace
}  // namespace tidemark::catalog
