// The rows that OceanBase's pages show, made from catalog data: the two pages this project was born from ("view data
// backup progress", "view restore progress") and the example rows of the view reference.

#include <gtest/gtest.h>

#include <array>

#include <fmt/format.h>

#include "catalog/stores.h"
#include "testing/mariadb_server.h"
#include "view/sys_views.h"

namespace tidemark::view {
namespace {

class ViewRowsTest : public ::testing::Test {
protected:
    static void SetUpTestSuite() {
        server_ = std::make_unique<testing::MariadbServer>();
        SystemClock clock;
        catalog::Catalog catalog({.endpoint = server_->endpoint()}, clock);
        catalog.migrate();
        installSysViews(catalog);
    }
    static void TearDownTestSuite() { server_.reset(); }

    ViewRowsTest() {
        for (const mysql::Row& row : client_
                                         .query("SELECT table_name FROM information_schema.tables "
                                                "WHERE table_schema = 'tidemark' "
                                                "AND table_name <> 'parameter_definition'")
                                         .rows) {
            client_.query("DELETE FROM tidemark." + row.text(0));
        }
        client_.query("INSERT INTO tidemark.own_tenant VALUES (1)");
        // The pages were made in China: +08:00. SCNs and times below are theirs.
        client_.script("SET time_zone = '+08:00'");
    }

    /// One "NAME=value; NAME=value" line per row, in the order of the columns.
    std::vector<std::string> rows(const std::string& select) {
        const mysql::Result result = client_.query(select);
        std::vector<std::string> lines;
        for (const mysql::Row& row : result.rows) {
            std::string line;
            for (std::size_t i = 0; i < result.columns.size(); ++i) {
                line += fmt::format("{}{}={}", i == 0 ? "" : "; ", result.columns[i], row.values()[i].value_or("NULL"));
            }
            lines.push_back(line);
        }
        return lines;
    }

    static inline std::unique_ptr<testing::MariadbServer> server_;
    SystemClock clock_;
    catalog::Catalog catalog_{{.endpoint = server_->endpoint()}, clock_};
    mysql::SqlClient client_ = server_->connect();
};

TEST_F(ViewRowsTest, BackupJobOfThePage) {
    client_.query(
        "INSERT INTO tidemark.backup_job SET tenant_id = 1002, job_id = 1, backup_set_id = 1, initiator_tenant_id = 1, "
        "initiator_job_id = 1, executors = '1002', backup_type = 'FULL', job_level = 'USER_TENANT', "
        "start_time = '2022-06-01 17:10:24.046643', status = 'DOING', path = 'file:///data/nfs/backup/data'");
    // The page prints BACKUP_TYPE D; real clients compare with FULL (docs/views.md).
    const std::string row =
        "JOB_ID=1; INCARNATION=1; BACKUP_SET_ID=1; INITIATOR_TENANT_ID=1; INITIATOR_JOB_ID=1; "
        "EXECUTOR_TENANT_ID=1002; PLUS_ARCHIVELOG=OFF; BACKUP_TYPE=FULL; JOB_LEVEL=USER_TENANT; ENCRYPTION_MODE=NONE; "
        "PASSWD=; START_TIMESTAMP=2022-06-01 17:10:24.046643; END_TIMESTAMP=NULL; STATUS=DOING; RESULT=0; COMMENT=; "
        "DESCRIPTION=; PATH=file:///data/nfs/backup/data";
    EXPECT_EQ(rows("SELECT * FROM oceanbase.CDB_OB_BACKUP_JOBS"), std::vector{"TENANT_ID=1002; " + row});
    // sys's own view shows sys's own rows only
    EXPECT_TRUE(rows("SELECT * FROM oceanbase.DBA_OB_BACKUP_JOBS").empty());
    client_.query("UPDATE tidemark.own_tenant SET tenant_id = 1002");
    EXPECT_EQ(rows("SELECT * FROM oceanbase.DBA_OB_BACKUP_JOBS"), std::vector{row});
}

TEST_F(ViewRowsTest, BackupTaskOfThePage) {
    client_.query(
        "INSERT INTO tidemark.backup_task SET tenant_id = 1002, task_id = 2, job_id = 2, backup_set_id = 2, "
        "start_time = '2024-05-09 17:54:07.718856', status = 'BEFORE_BACKUP_LOG', start_scn = 1715248462749288000, "
        "end_scn = 1715248598352783000, user_ls_start_scn = 1715248476694964000, input_bytes = 173261302, "
        "output_bytes = 18706154, tablet_count = 668, finish_tablet_count = 668, macro_block_count = 82, "
        "finish_macro_block_count = 82, path = 'file:///data/nfs/backup/data'");
    EXPECT_EQ(rows("SELECT * FROM oceanbase.CDB_OB_BACKUP_TASKS"),
              std::vector<std::string>{
                  "TENANT_ID=1002; TASK_ID=2; JOB_ID=2; INCARNATION=1; BACKUP_SET_ID=2; "
                  "START_TIMESTAMP=2024-05-09 17:54:07.718856; END_TIMESTAMP=NULL; STATUS=BEFORE_BACKUP_LOG; "
                  "START_SCN=1715248462749288000; END_SCN=1715248598352783000; USER_LS_START_SCN=1715248476694964000; "
                  "ENCRYPTION_MODE=NONE; PASSWD=; INPUT_BYTES=173261302; OUTPUT_BYTES=18706154; "
                  "OUTPUT_RATE_BYTES=0.0000; EXTRA_META_BYTES=0; TABLET_COUNT=668; FINISH_TABLET_COUNT=668; "
                  "MACRO_BLOCK_COUNT=82; FINISH_MACRO_BLOCK_COUNT=82; FILE_COUNT=0; META_TURN_ID=1; DATA_TURN_ID=0; "
                  "RESULT=0; COMMENT=; PATH=file:///data/nfs/backup/data; MINOR_TURN_ID=1; MAJOR_TURN_ID=1; "
                  "DATA_PROGRESS=100.00; LOG_FILE_COUNT=0; FINISH_LOG_FILE_COUNT=0; LOG_PROGRESS=0.00"});
    client_.query("UPDATE tidemark.backup_task SET finish_macro_block_count = 27");
    EXPECT_EQ(client_.scalar("SELECT DATA_PROGRESS FROM oceanbase.CDB_OB_BACKUP_TASKS"), "32.93");
    client_.query("UPDATE tidemark.backup_task SET macro_block_count = 0");
    EXPECT_EQ(client_.scalar("SELECT DATA_PROGRESS FROM oceanbase.CDB_OB_BACKUP_TASKS"), "0.00");
}

/// Both rows of the page share all of this. It prints the day of 2022-07-20 as "2022-06-1", an edit by hand.
constexpr const char* kRestoreOfThePage =
    "JOB_ID=1; RESTORE_TENANT_NAME=mysql; RESTORE_TENANT_ID=1002; BACKUP_TENANT_NAME=backup_tenant; "
    "BACKUP_TENANT_ID=1002; BACKUP_CLUSTER_NAME=backup_cluster; "
    "BACKUP_DEST=file:///data/nfs/backup//archive,file:///data/nfs/backup/data; "
    "RESTORE_OPTION=pool_list=small_pool_2&primary_zone=z1; RESTORE_SCN=1658285759724047000; "
    "RESTORE_SCN_DISPLAY=2022-07-20 10:55:59.724047; STATUS={}; START_TIMESTAMP=2022-07-20 10:58:33.689560; "
    "BACKUP_SET_LIST=file:///data/nfs/backup/data/backup_set_1_full; "
    "BACKUP_PIECE_LIST=file:///data/nfs/backup/archive/2_1_2,file:///data/nfs/backup/archive/2_1_3; {}; DESCRIPTION=";

std::string restoreRow(const std::string& status, const std::string& numbers) {
    return fmt::format(fmt::runtime(kRestoreOfThePage), status, numbers);
}

TEST_F(ViewRowsTest, RestoreOfThePage) {
    client_.query(
        "INSERT INTO tidemark.restore_job SET job_id = 1, tenant_id = 1002, tenant_name = 'mysql', "
        "backup_tenant_id = 1002, backup_tenant_name = 'backup_tenant', backup_cluster_name = 'backup_cluster', "
        "backup_dest = 'file:///data/nfs/backup//archive,file:///data/nfs/backup/data', "
        "restore_option = 'pool_list=small_pool_2&primary_zone=z1', restore_scn = 1658285759724047000, "
        "sys_status = 'CREATE_TENANT', start_time = '2022-07-20 10:58:33.689560', "
        "set_list = 'file:///data/nfs/backup/data/backup_set_1_full', "
        "piece_list = 'file:///data/nfs/backup/archive/2_1_2,file:///data/nfs/backup/archive/2_1_3'");
    const std::string columns_of_page =
        "SELECT TENANT_ID, JOB_ID, RESTORE_TENANT_NAME, RESTORE_TENANT_ID, BACKUP_TENANT_NAME, BACKUP_TENANT_ID, "
        "BACKUP_CLUSTER_NAME, BACKUP_DEST, RESTORE_OPTION, RESTORE_SCN, RESTORE_SCN_DISPLAY, STATUS, START_TIMESTAMP, "
        "BACKUP_SET_LIST, BACKUP_PIECE_LIST, TOTAL_BYTES, TOTAL_BYTES_DISPLAY, FINISH_BYTES, FINISH_BYTES_DISPLAY, "
        "DESCRIPTION FROM oceanbase.CDB_OB_RESTORE_PROGRESS";
    const std::string nothing =
        "TOTAL_BYTES=NULL; TOTAL_BYTES_DISPLAY=NULL; FINISH_BYTES=NULL; FINISH_BYTES_DISPLAY=NULL";
    EXPECT_EQ(rows(columns_of_page), std::vector{"TENANT_ID=1; " + restoreRow("CREATE_TENANT", nothing)});
    client_.query(
        "UPDATE tidemark.restore_job SET sys_status = 'WAIT_TENANT_RESTORE_FINISH', "
        "tenant_status = 'RESTORING', total_bytes = 313158553");
    const std::vector expected{"TENANT_ID=1; " + restoreRow("WAIT_TENANT_RESTORE_FINISH", nothing),
                               "TENANT_ID=1002; " + restoreRow("RESTORING",
                                                               "TOTAL_BYTES=313158553; TOTAL_BYTES_DISPLAY=298.65MB; "
                                                               "FINISH_BYTES=0; FINISH_BYTES_DISPLAY=0.00MB")};
    EXPECT_EQ(rows(columns_of_page), expected);
}

TEST_F(ViewRowsTest, RestoreProgressCountsDataAndLog) {
    const auto progress = [&] {
        return rows(
            "SELECT TENANT_ID, RECOVER_SCN_DISPLAY, RECOVER_PROGRESS, TABLET_COUNT, RESTORE_PROGRESS "
            "FROM oceanbase.CDB_OB_RESTORE_PROGRESS");
    };
    client_.query(
        "INSERT INTO tidemark.restore_job SET job_id = 1, tenant_id = 1002, tenant_name = 'a', backup_dest = '', "
        "restore_option = '', set_list = '', piece_list = '', sys_status = 'WAIT_TENANT_RESTORE_FINISH', "
        "tenant_status = 'RESTORING', restore_scn = 1700000000000000000");
    EXPECT_EQ(progress().at(1),
              "TENANT_ID=1002; RECOVER_SCN_DISPLAY=NULL; RECOVER_PROGRESS=0.00; TABLET_COUNT=0; "
              "RESTORE_PROGRESS=NULL");
    client_.query(
        "UPDATE tidemark.restore_job SET total_bytes = 200, finish_bytes = 50, tablet_count = 9, "
        "recover_start_scn = 1600000000000000000, recover_scn = 1675000000000000000");
    EXPECT_EQ(progress().at(0),
              "TENANT_ID=1; RECOVER_SCN_DISPLAY=NULL; RECOVER_PROGRESS=NULL; TABLET_COUNT=NULL; "
              "RESTORE_PROGRESS=NULL");
    EXPECT_EQ(progress().at(1),
              "TENANT_ID=1002; RECOVER_SCN_DISPLAY=2023-01-29 21:46:40.000000; "
              "RECOVER_PROGRESS=75.00; TABLET_COUNT=9; RESTORE_PROGRESS=25.00");
    client_.query("UPDATE tidemark.restore_job SET recover_scn = restore_scn");
    EXPECT_NE(progress().at(1).find("RECOVER_PROGRESS=100.00"), std::string::npos);
}

TEST_F(ViewRowsTest, RestoreHistoryOfTheReference) {
    client_.query(
        "INSERT INTO tidemark.restore_job_history SET job_id = 1, tenant_id = 1002, tenant_name = 'mysql', "
        "backup_tenant_id = 1002, backup_tenant_name = 'backup_tenant', backup_cluster_name = 'backup_cluster', "
        "backup_dest = 'file:///a,file:///d', restore_option = 'pool_list=small_pool_2&primary_zone=z1', "
        "restore_scn = 1658389117092435000, sys_status = 'RESTORE_SUCCESS', tenant_status = 'RESTORE_SUCCESS', "
        "start_time = '2022-07-21 15:40:58.366601', finish_time = '2022-07-21 15:44:16.061358', set_list = 's', "
        "piece_list = 'p', backup_cluster_version = 17179869184, tablet_count = 428, finish_tablet_count = 428, "
        "total_bytes = 313158553");
    const std::string row =
        "JOB_ID=1; RESTORE_TENANT_NAME=mysql; RESTORE_TENANT_ID=1002; BACKUP_TENANT_NAME=backup_tenant; "
        "BACKUP_TENANT_ID=1002; BACKUP_CLUSTER_NAME=backup_cluster; BACKUP_DEST=file:///a,file:///d; "
        "RESTORE_SCN=1658389117092435000; RESTORE_SCN_DISPLAY=2022-07-21 15:38:37.092435; "
        "RESTORE_OPTION=pool_list=small_pool_2&primary_zone=z1; START_TIMESTAMP=2022-07-21 15:40:58.366601; "
        "FINISH_TIMESTAMP=2022-07-21 15:44:16.061358; STATUS=SUCCESS; BACKUP_PIECE_LIST=p; BACKUP_SET_LIST=s; "
        "BACKUP_CLUSTER_VERSION=17179869184; LS_COUNT=1; FINISH_LS_COUNT=1; TABLET_COUNT=428; "
        "FINISH_TABLET_COUNT=428; TOTAL_BYTES=313158553; TOTAL_BYTES_DISPLAY=298.65MB; FINISH_BYTES=0; "
        "FINISH_BYTES_DISPLAY=0.00MB; DESCRIPTION=NULL; COMMENT=NULL; RESTORE_TYPE=FULL";
    const std::vector expected{"TENANT_ID=1; " + row, "TENANT_ID=1002; " + row};
    EXPECT_EQ(rows("SELECT * FROM oceanbase.CDB_OB_RESTORE_HISTORY"), expected);
}

/// On the page sys's row is the first of a job, and nobody has said ORDER BY.
TEST_F(ViewRowsTest, RestoresComeInOrderOfJobsSysFirst) {
    for (const std::string table : {"restore_job", "restore_job_history"}) {
        for (const auto& [job, tenant] : {std::pair{12, 1004}, {3, 1020}, {7, 1002}}) {
            client_.query(
                "INSERT INTO tidemark." + table +
                    " SET job_id = ?, tenant_id = ?, tenant_name = 'a', backup_dest = '', restore_option = '', "
                    "set_list = '', piece_list = '', sys_status = 'WAIT_TENANT_RESTORE_FINISH', "
                    "tenant_status = 'RESTORING'",
                {std::int64_t{job}, std::int64_t{tenant}});
        }
    }
    const std::vector<std::string> expected{"JOB_ID=3; TENANT_ID=1",  "JOB_ID=3; TENANT_ID=1020",
                                            "JOB_ID=7; TENANT_ID=1",  "JOB_ID=7; TENANT_ID=1002",
                                            "JOB_ID=12; TENANT_ID=1", "JOB_ID=12; TENANT_ID=1004"};
    for (const std::string view : {"CDB_OB_RESTORE_PROGRESS", "CDB_OB_RESTORE_HISTORY"}) {
        const std::string select = "SELECT JOB_ID, TENANT_ID FROM oceanbase." + view;
        EXPECT_EQ(rows(select), expected);
        EXPECT_EQ(rows(select + " WHERE RESTORE_TENANT_NAME = 'a'"), expected);
        EXPECT_EQ(rows(select + " LIMIT 2"), std::vector(expected.begin(), expected.begin() + 2));
        EXPECT_EQ(rows(select + " ORDER BY JOB_ID DESC, TENANT_ID LIMIT 1"), std::vector{expected[4]});
    }
}

TEST_F(ViewRowsTest, BackupHistoryAndSetOfTheReference) {
    const std::string common =
        "tenant_id = 1002, backup_set_id = 1, start_time = '2024-01-31 11:20:59.804836', "
        "end_time = '2024-01-31 11:23:08.762451', input_bytes = 198130272, output_bytes = 16984419, "
        "tablet_count = 617, finish_tablet_count = 617, macro_block_count = 94, finish_macro_block_count = 94, "
        "path = 'file:///data/nfs/backup/data'";
    client_.query(
        "INSERT INTO tidemark.backup_task_history SET task_id = 1, job_id = 1, status = 'COMPLETED', "
        "start_scn = 1706671262627179000, end_scn = 1706671388756316000, "
        "user_ls_start_scn = 1706671278153636000, " +
        common);
    client_.query(
        "INSERT INTO tidemark.backup_set SET dest_id = 1002, backup_type = 'FULL', status = 'SUCCESS', "
        "file_status = 'AVAILABLE', start_replay_scn = 1706670992366131000, "
        "min_restore_scn = 1706671388756316000, consistent_scn = 1706671288404894000, "
        "tenant_compatible = '4.2.2.0', backup_compatible = 3, cluster_version = '4.2.2.0', " +
        common);
    const std::string numbers =
        "INPUT_BYTES=198130272; OUTPUT_BYTES=16984419; OUTPUT_RATE_BYTES=131705.4367; EXTRA_META_BYTES=0; "
        "TABLET_COUNT=617; FINISH_TABLET_COUNT=617; MACRO_BLOCK_COUNT=94; FINISH_MACRO_BLOCK_COUNT=94; FILE_COUNT=0; "
        "META_TURN_ID=1; DATA_TURN_ID=0; RESULT=0; COMMENT=; ";
    EXPECT_EQ(rows("SELECT * FROM oceanbase.CDB_OB_BACKUP_TASK_HISTORY"),
              std::vector{"TENANT_ID=1002; TASK_ID=1; JOB_ID=1; INCARNATION=1; BACKUP_SET_ID=1; "
                          "START_TIMESTAMP=2024-01-31 11:20:59.804836; END_TIMESTAMP=2024-01-31 11:23:08.762451; "
                          "STATUS=COMPLETED; START_SCN=1706671262627179000; END_SCN=1706671388756316000; "
                          "USER_LS_START_SCN=1706671278153636000; ENCRYPTION_MODE=NONE; PASSWD=; " +
                          numbers + "PATH=file:///data/nfs/backup/data; MINOR_TURN_ID=1; MAJOR_TURN_ID=1"});
    EXPECT_EQ(
        rows("SELECT * FROM oceanbase.CDB_OB_BACKUP_SET_FILES"),
        std::vector{"TENANT_ID=1002; BACKUP_SET_ID=1; DEST_ID=1002; INCARNATION=1; BACKUP_TYPE=FULL; "
                    "PREV_FULL_BACKUP_SET_ID=0; PREV_INC_BACKUP_SET_ID=0; START_TIMESTAMP=2024-01-31 11:20:59.804836; "
                    "END_TIMESTAMP=2024-01-31 11:23:08.762451; STATUS=SUCCESS; FILE_STATUS=AVAILABLE; "
                    "ELAPSED_SECONDES=129; PLUS_ARCHIVELOG=OFF; START_REPLAY_SCN=1706670992366131000; "
                    "START_REPLAY_SCN_DISPLAY=2024-01-31 11:16:32.366131; MIN_RESTORE_SCN=1706671388756316000; "
                    "MIN_RESTORE_SCN_DISPLAY=2024-01-31 11:23:08.756316; " +
                    numbers +
                    "ENCRYPTION_MODE=NONE; PASSWD=; TENANT_COMPATIBLE=4.2.2.0; BACKUP_COMPATIBLE=3; "
                    "PATH=file:///data/nfs/backup/data; CLUSTER_VERSION=4.2.2.0; CONSISTENT_SCN=1706671288404894000; "
                    "MINOR_TURN_ID=1; MAJOR_TURN_ID=1"});
}

TEST_F(ViewRowsTest, ArchiveOfTheReference) {
    client_.query(
        "INSERT INTO tidemark.archive_round SET tenant_id = 1002, dest_id = 1002, round_id = 1, status = 'STOP', "
        "base_piece_id = 1, used_piece_id = 3, piece_switch_days = 1, path = 'old'");
    client_.query(
        "INSERT INTO tidemark.archive_round SET tenant_id = 1002, dest_id = 1002, round_id = 2, status = 'DOING', "
        "start_scn = 1655697600000000000, checkpoint_scn = 1655769600000000000, base_piece_id = 4, "
        "used_piece_id = 4, piece_switch_days = 1, input_bytes = 16106127360, output_bytes = 16106127360, "
        "path = 'file:///data/nfs/backup/archive'");
    client_.query(
        "INSERT INTO tidemark.archive_piece SET tenant_id = 1002, dest_id = 1002, round_id = 1, piece_id = 1, "
        "status = 'FROZEN', start_scn = 1654034400000000000, checkpoint_scn = 1654120740000000000, "
        "max_scn = 1654120770000000000, end_scn = 1654120800000000000, input_bytes = 26843545600, "
        "output_bytes = 26843545600, file_status = 'DELETED', create_time = '2022-06-01 06:00:00.000001', "
        "path = 'file:///data/nfs/backup/archive'");
    const std::string round =
        "TENANT_ID=1002; DEST_ID=1002; ROUND_ID=2; INCARNATION=1; DEST_NO=0; STATUS=DOING; "
        "START_SCN=1655697600000000000; START_SCN_DISPLAY=2022-06-20 12:00:00.000000; "
        "CHECKPOINT_SCN=1655769600000000000; CHECKPOINT_SCN_DISPLAY=2022-06-21 08:00:00.000000; COMPATIBLE=1; "
        "BASE_PIECE_ID=4; USED_PIECE_ID=4; PIECE_SWITCH_INTERVAL=1d; UNIT_SIZE=0; COMPRESSION=zstd; "
        "INPUT_BYTES=16106127360; INPUT_BYTES_DISPLAY=15.00GB; OUTPUT_BYTES=16106127360; "
        "OUTPUT_BYTES_DISPLAY=15.00GB; COMPRESSION_RATIO=1.00; DELETED_INPUT_BYTES=0; "
        "DELETED_INPUT_BYTES_DISPLAY=0.00MB; DELETED_OUTPUT_BYTES=0; DELETED_OUTPUT_BYTES_DISPLAY=0.00MB; ";
    EXPECT_EQ(rows("SELECT * FROM oceanbase.CDB_OB_ARCHIVELOG"),
              std::vector{round + "COMMENT=; PATH=file:///data/nfs/backup/archive"});
    EXPECT_EQ(rows("SELECT * FROM oceanbase.CDB_OB_ARCHIVELOG_SUMMARY ORDER BY ROUND_ID").at(1),
              round + "PATH=file:///data/nfs/backup/archive; COMMENT=");
    EXPECT_EQ(client_.scalar("SELECT COMPRESSION_RATIO FROM oceanbase.CDB_OB_ARCHIVELOG_SUMMARY WHERE ROUND_ID = 1"),
              "0.00");
    EXPECT_EQ(
        rows("SELECT * FROM oceanbase.CDB_OB_ARCHIVELOG_PIECE_FILES"),
        std::vector<std::string>{"TENANT_ID=1002; DEST_ID=1002; ROUND_ID=1; PIECE_ID=1; INCARNATION=1; DEST_NO=0; "
                                 "CREATE_TIMESTAMP=1654034400000001; STATUS=FROZEN; START_SCN=1654034400000000000; "
                                 "START_SCN_DISPLAY=2022-06-01 06:00:00.000000; CHECKPOINT_SCN=1654120740000000000; "
                                 "CHECKPOINT_SCN_DISPLAY=2022-06-02 05:59:00.000000; MAX_SCN=1654120770000000000; "
                                 "END_SCN=1654120800000000000; COMPATIBLE=1; UNIT_SIZE=0; COMPRESSION=zstd; "
                                 "INPUT_BYTES=26843545600; INPUT_BYTES_DISPLAY=25.00GB; OUTPUT_BYTES=26843545600; "
                                 "OUTPUT_BYTES_DISPLAY=25.00GB; COMPRESSION_RATIO=1.00; FILE_STATUS=DELETED; "
                                 "PATH=file:///data/nfs/backup/archive"});
    client_.query("UPDATE tidemark.own_tenant SET tenant_id = 1002");
    EXPECT_EQ(client_.scalar("SELECT END_SCN_DISPLAY FROM oceanbase.DBA_OB_ARCHIVELOG_PIECE_FILES"),
              "2022-06-02 06:00:00.000000");
}

TEST_F(ViewRowsTest, DestinationsAsNamesAndValues) {
    client_.query(
        "INSERT INTO tidemark.archive_destination SET tenant_id = 1002, dest_id = 1001, path = 'file:///a', "
        "binding = 'OPTIONAL', piece_switch_days = 1, state = 'ENABLE'");
    client_.query("INSERT INTO tidemark.backup_destination SET tenant_id = 1002, dest_id = 1002, path = 'file:///d'");
    const std::vector<std::string> expected{"TENANT_ID=1002; DEST_NO=0; NAME=binding; VALUE=OPTIONAL",
                                            "TENANT_ID=1002; DEST_NO=0; NAME=dest_id; VALUE=1001",
                                            "TENANT_ID=1002; DEST_NO=0; NAME=path; VALUE=file:///a",
                                            "TENANT_ID=1002; DEST_NO=0; NAME=piece_switch_interval; VALUE=1d",
                                            "TENANT_ID=1002; DEST_NO=0; NAME=state; VALUE=ENABLE"};
    EXPECT_EQ(rows("SELECT * FROM oceanbase.CDB_OB_ARCHIVE_DEST"), expected);
    EXPECT_EQ(rows("SELECT * FROM oceanbase.CDB_OB_BACKUP_PARAMETER"),
              std::vector<std::string>{"TENANT_ID=1002; NAME=data_backup_dest; VALUE=file:///d"});
}

TEST_F(ViewRowsTest, ClusterTenantsAndResources) {
    catalog::Stores stores(catalog_);
    stores.cluster.bootstrap({.cluster = {.name = "c"},
                              .zone = {.name = "zone1", .region = "hangzhou", .idc = "HZ0"},
                              .server = {.ip = "10.0.0.1",
                                         .zone = "zone1",
                                         .build_version = "0.1.0",
                                         .cpu_capacity = 8,
                                         .memory_capacity = 1000,
                                         .disk_capacity = 2000},
                              .sys_memory = 100,
                              .sys_log_disk = 300});
    stores.resources.createUnit({.name = "u1", .max_cpu = 2, .min_cpu = 1, .memory_size = 200, .log_disk_size = 600});
    stores.resources.createPool("p1", "u1", 1, {"zone1"});
    stores.tenants.create({.name = "t1", .pools = {"p1"}});
    stores.parameters.set(1002, "archive_lag_target", "60s");
    EXPECT_EQ(rows("SELECT TENANT_ID, TENANT_NAME, TENANT_TYPE, PRIMARY_ZONE, LOCALITY, COMPATIBILITY_MODE, STATUS, "
                   "TENANT_ROLE, SYNC_SCN, RECOVERY_UNTIL_SCN, LOG_MODE, UNIT_NUM FROM oceanbase.DBA_OB_TENANTS"),
              (std::vector<std::string>{
                  "TENANT_ID=1; TENANT_NAME=sys; TENANT_TYPE=SYS; PRIMARY_ZONE=zone1; LOCALITY=FULL{1}@zone1; "
                  "COMPATIBILITY_MODE=MYSQL; STATUS=NORMAL; TENANT_ROLE=PRIMARY; SYNC_SCN=NULL; "
                  "RECOVERY_UNTIL_SCN=NULL; LOG_MODE=NOARCHIVELOG; UNIT_NUM=1",
                  "TENANT_ID=1002; TENANT_NAME=t1; TENANT_TYPE=USER; PRIMARY_ZONE=RANDOM; LOCALITY=FULL{1}@zone1; "
                  "COMPATIBILITY_MODE=MYSQL; STATUS=CREATING; TENANT_ROLE=PRIMARY; SYNC_SCN=0; "
                  "RECOVERY_UNTIL_SCN=4611686018427387903; LOG_MODE=NOARCHIVELOG; UNIT_NUM=1"}));
    EXPECT_EQ(rows("SELECT UNIT_ID, TENANT_ID, RESOURCE_POOL_ID, ZONE, SVR_IP, SVR_PORT, UNIT_CONFIG_ID, MAX_CPU, "
                   "MEMORY_SIZE, MAX_IOPS FROM oceanbase.DBA_OB_UNITS WHERE TENANT_ID = 1002"),
              (std::vector<std::string>{"UNIT_ID=1001; TENANT_ID=1002; RESOURCE_POOL_ID=1001; ZONE=zone1; "
                                        "SVR_IP=10.0.0.1; SVR_PORT=2882; UNIT_CONFIG_ID=1001; MAX_CPU=2; "
                                        "MEMORY_SIZE=200; MAX_IOPS=9223372036854775807"}));
    EXPECT_EQ(rows("SELECT ZONE, STATUS, IDC, REGION, TYPE FROM oceanbase.DBA_OB_ZONES"),
              std::vector<std::string>{"ZONE=zone1; STATUS=ACTIVE; IDC=HZ0; REGION=hangzhou; TYPE=ReadWrite"});
    EXPECT_EQ(rows("SELECT CPU_CAPACITY, CPU_ASSIGNED, CPU_ASSIGNED_MAX, MEM_CAPACITY, MEM_ASSIGNED, "
                   "LOG_DISK_ASSIGNED, LOG_DISK_IN_USE FROM oceanbase.GV$OB_SERVERS"),
              std::vector<std::string>{"CPU_CAPACITY=8; CPU_ASSIGNED=2; CPU_ASSIGNED_MAX=3; MEM_CAPACITY=1000; "
                                       "MEM_ASSIGNED=300; LOG_DISK_ASSIGNED=900; LOG_DISK_IN_USE=NULL"});
    EXPECT_EQ(
        rows("SELECT SCOPE, TENANT_ID, NAME, DATA_TYPE, VALUE, DEFAULT_VALUE, ISDEFAULT "
             "FROM oceanbase.GV$OB_PARAMETERS WHERE NAME = 'archive_lag_target' ORDER BY TENANT_ID"),
        (std::vector<std::string>{"SCOPE=TENANT; TENANT_ID=1; NAME=archive_lag_target; DATA_TYPE=TIME; VALUE=120s; "
                                  "DEFAULT_VALUE=120s; ISDEFAULT=YES",
                                  "SCOPE=TENANT; TENANT_ID=1002; NAME=archive_lag_target; DATA_TYPE=TIME; VALUE=60s; "
                                  "DEFAULT_VALUE=120s; ISDEFAULT=NO"}));
    EXPECT_EQ(client_.scalar("SELECT COUNT(*) FROM oceanbase.V$OB_PARAMETERS WHERE SCOPE = 'CLUSTER' "
                             "AND TENANT_ID IS NOT NULL"),
              "0");
    EXPECT_EQ(rows("SELECT * FROM oceanbase.CDB_OB_ACCESS_POINT WHERE TENANT_ID = 1002"),
              std::vector<std::string>{"TENANT_ID=1002; TENANT_NAME=t1; SVR_IP=10.0.0.1; SQL_PORT=2881"});
}

TEST_F(ViewRowsTest, ArchiveIsSynchronizedWithinTheLagTarget) {
    catalog::Stores stores(catalog_);
    stores.cluster.bootstrap({.cluster = {.name = "c"}, .zone = {.name = "z"}, .server = {.ip = "h", .zone = "z"}});
    stores.resources.createUnit({.name = "u1"});
    stores.resources.createPool("p1", "u1", 1, {"z"});
    const auto tenant = stores.tenants.create({.name = "t1", .pools = {"p1"}}).id;
    stores.archive.beginRound(stores.destinations.setArchive(tenant, "file:///a", catalog::Binding::Optional, 1));
    const Scn now = static_cast<Scn>(clock_.now());
    stores.archive.update(
        std::array{catalog::RoundUpdate{.tenant = tenant, .round_id = 1, .start_scn = now - 60 * kSecond}});
    const auto synchronized = [&] {
        return client_.scalar("SELECT SYNCHRONIZED FROM oceanbase.V$OB_ARCHIVE_DEST_STATUS").value();
    };
    EXPECT_EQ(synchronized(), "NO");
    stores.archive.setRoundStatus(tenant, 1, catalog::RoundStatus::Doing);
    EXPECT_EQ(synchronized(), "YES");
    stores.parameters.set(tenant, "archive_lag_target", "30s");
    EXPECT_EQ(synchronized(), "NO");
}

TEST_F(ViewRowsTest, BytesAreShownInTheLargestUnit) {
    client_.query(
        "INSERT INTO tidemark.archive_piece SET tenant_id = 1, dest_id = 1, round_id = 1, piece_id = 1, "
        "status = '', start_scn = 0, end_scn = 0, file_status = '', path = ''");
    const std::pair<std::int64_t, const char*> examples[] = {
        {0, "0.00MB"},          {5243, "0.01MB"},          {1073741823, "1024.00MB"},
        {1632087572, "1.52GB"}, {1099511627776, "1.00TB"}, {1125899906842624, "1.00PB"}};
    for (const auto& [bytes, text] : examples) {
        client_.query("UPDATE tidemark.archive_piece SET input_bytes = ?", {bytes});
        EXPECT_EQ(client_.scalar("SELECT INPUT_BYTES_DISPLAY FROM oceanbase.CDB_OB_ARCHIVELOG_PIECE_FILES"), text);
    }
}

}  // namespace
}  // namespace tidemark::view
