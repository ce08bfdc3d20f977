#include "catalog/backup_rows.h"

#include <fmt/format.h>

namespace tidemark::catalog {
namespace {

BackupStats statsFrom(const mysql::Row& row) {
    return {.input_bytes = row.unsignedInteger("input_bytes"),
            .output_bytes = row.unsignedInteger("output_bytes"),
            .extra_meta_bytes = row.unsignedInteger("extra_meta_bytes"),
            .tablet_count = row.integer("tablet_count"),
            .finish_tablet_count = row.integer("finish_tablet_count"),
            .macro_block_count = row.integer("macro_block_count"),
            .finish_macro_block_count = row.integer("finish_macro_block_count"),
            .file_count = row.integer("file_count"),
            .log_file_count = row.integer("log_file_count"),
            .finish_log_file_count = row.integer("finish_log_file_count")};
}

BackupEncryption encryptionFrom(const mysql::Row& row) {
    return {.mode = row.text("encryption_mode"), .passwd = row.text("passwd")};
}

Columns with(Columns columns, const Columns& more) {
    columns.insert(columns.end(), more.begin(), more.end());
    return columns;
}

}  // namespace

Columns statsColumns(const BackupStats& stats) {
    return {{"input_bytes", stats.input_bytes},
            {"output_bytes", stats.output_bytes},
            {"extra_meta_bytes", stats.extra_meta_bytes},
            {"tablet_count", stats.tablet_count},
            {"finish_tablet_count", stats.finish_tablet_count},
            {"macro_block_count", stats.macro_block_count},
            {"finish_macro_block_count", stats.finish_macro_block_count},
            {"file_count", stats.file_count},
            {"log_file_count", stats.log_file_count},
            {"finish_log_file_count", stats.finish_log_file_count}};
}

void takeTurn(mysql::SqlClient& client) {
    client.query("SELECT id FROM tidemark.cluster FOR UPDATE");
}

BackupJobStatus terminalStatus(Outcome::State state) {
    switch (state) {
        case Outcome::State::Completed:
            return BackupJobStatus::Completed;
        case Outcome::State::Canceled:
            return BackupJobStatus::Canceled;
        case Outcome::State::Failed:
            break;
    }
    return BackupJobStatus::Failed;
}

BackupJobRow backupJobFrom(const mysql::Row& row) {
    return {.tenant = row.integer("tenant_id"),
            .job_id = row.integer("job_id"),
            .backup_set_id = row.integer("backup_set_id"),
            .initiator_tenant = row.integer("initiator_tenant_id"),
            .initiator_job_id = row.integer("initiator_job_id"),
            .executors = row.text("executors"),
            .dest_id = row.integer("dest_id"),
            .plus_archivelog = row.integer("plus_archivelog") != 0,
            .type = parseText<BackupType>(row.text("backup_type")),
            .level = parseText<JobLevel>(row.text("job_level")),
            .encryption = encryptionFrom(row),
            .start_time = timeOf(row, "start_time"),
            .end_time = maybeTimeOf(row, "end_time"),
            .status = parseText<BackupJobStatus>(row.text("status")),
            .result = static_cast<int>(row.integer("result")),
            .comment = row.text("comment"),
            .description = row.text("description"),
            .path = row.text("path")};
}

BackupTask backupTaskFrom(const mysql::Row& row) {
    const auto left = row.maybe("milliseconds_left");
    return {.tenant = row.integer("tenant_id"),
            .task_id = row.integer("task_id"),
            .job_id = row.integer("job_id"),
            .backup_set_id = row.integer("backup_set_id"),
            .start_time = timeOf(row, "start_time"),
            .end_time = maybeTimeOf(row, "end_time"),
            .status = parseText<BackupTaskStatus>(row.text("status")),
            .start_scn = row.unsignedInteger("start_scn"),
            .end_scn = row.unsignedInteger("end_scn"),
            .user_ls_start_scn = row.unsignedInteger("user_ls_start_scn"),
            .turn = row.integer("turn"),
            .encryption = encryptionFrom(row),
            .stats = statsFrom(row),
            .left = left ? std::optional(std::chrono::milliseconds(row.integer("milliseconds_left"))) : std::nullopt,
            .result = static_cast<int>(row.integer("result")),
            .comment = row.text("comment"),
            .path = row.text("path")};
}

BackupSet backupSetFrom(const mysql::Row& row) {
    return {.tenant = row.integer("tenant_id"),
            .backup_set_id = row.integer("backup_set_id"),
            .dest_id = row.integer("dest_id"),
            .type = parseText<BackupType>(row.text("backup_type")),
            .prev_full_set_id = row.integer("prev_full_set_id"),
            .prev_inc_set_id = row.integer("prev_inc_set_id"),
            .start_time = timeOf(row, "start_time"),
            .end_time = maybeTimeOf(row, "end_time"),
            .status = parseText<BackupSetStatus>(row.text("status")),
            .file_status = parseText<FileStatus>(row.text("file_status")),
            .plus_archivelog = row.integer("plus_archivelog") != 0,
            .start_replay_scn = row.unsignedInteger("start_replay_scn"),
            .min_restore_scn = row.unsignedInteger("min_restore_scn"),
            .consistent_scn = row.unsignedInteger("consistent_scn"),
            .log_end_scn = row.unsignedInteger("log_end_scn"),
            .encryption = encryptionFrom(row),
            .stats = statsFrom(row),
            .result = static_cast<int>(row.integer("result")),
            .comment = row.text("comment"),
            .tenant_compatible = row.text("tenant_compatible"),
            .backup_compatible = row.integer("backup_compatible"),
            .cluster_version = row.text("cluster_version"),
            .path = row.text("path")};
}

void insertBackupJob(mysql::SqlClient& client, const BackupJobRow& job) {
    insertRow(client, "backup_job",
              {{"tenant_id", job.tenant},
               {"job_id", job.job_id},
               {"backup_set_id", job.backup_set_id},
               {"initiator_tenant_id", job.initiator_tenant},
               {"initiator_job_id", job.initiator_job_id},
               {"executors", job.executors},
               {"dest_id", job.dest_id},
               {"plus_archivelog", std::int64_t{job.plus_archivelog}},
               {"backup_type", text(job.type)},
               {"job_level", text(job.level)},
               {"encryption_mode", job.encryption.mode},
               {"passwd", job.encryption.passwd},
               {"start_time", sqlTime(job.start_time)},
               {"status", text(job.status)},
               {"comment", fitting(job.comment, 4096)},
               {"description", fitting(job.description, 4096)},
               {"path", job.path}});
}

void insertBackupTask(mysql::SqlClient& client, const BackupTask& task) {
    insertRow(client, "backup_task",
              with(statsColumns(task.stats), {{"tenant_id", task.tenant},
                                              {"task_id", task.task_id},
                                              {"job_id", task.job_id},
                                              {"backup_set_id", task.backup_set_id},
                                              {"start_time", sqlTime(task.start_time)},
                                              {"status", text(task.status)},
                                              {"encryption_mode", task.encryption.mode},
                                              {"passwd", task.encryption.passwd},
                                              {"path", task.path}}));
}

void insertBackupSet(mysql::SqlClient& client, const BackupSet& set) {
    insertRow(client, "backup_set",
              with(statsColumns(set.stats), {{"tenant_id", set.tenant},
                                             {"backup_set_id", set.backup_set_id},
                                             {"dest_id", set.dest_id},
                                             {"backup_type", text(set.type)},
                                             {"prev_full_set_id", set.prev_full_set_id},
                                             {"prev_inc_set_id", set.prev_inc_set_id},
                                             {"start_time", sqlTime(set.start_time)},
                                             {"status", text(set.status)},
                                             {"file_status", text(set.file_status)},
                                             {"plus_archivelog", std::int64_t{set.plus_archivelog}},
                                             {"encryption_mode", set.encryption.mode},
                                             {"passwd", set.encryption.passwd},
                                             {"tenant_compatible", set.tenant_compatible},
                                             {"backup_compatible", set.backup_compatible},
                                             {"cluster_version", set.cluster_version},
                                             {"path", set.path}}));
}

void endParentJobs(mysql::SqlClient& client, Nanos now) {
    const mysql::Result orphans = client.query(
        "SELECT p.job_id FROM tidemark.backup_job p WHERE p.tenant_id = ? AND NOT EXISTS ("
        "    SELECT 1 FROM tidemark.backup_job c WHERE c.initiator_tenant_id = p.tenant_id"
        "        AND c.initiator_job_id = p.job_id) FOR UPDATE",
        {kSysTenantId});
    for (const mysql::Row& row : orphans.rows) {
        const JobId parent = row.integer("job_id");
        const mysql::Result worst = client.query(
            "SELECT status, result, comment, tenant_id FROM tidemark.backup_job_history "
            "WHERE initiator_tenant_id = ? AND initiator_job_id = ? "
            "ORDER BY FIELD(status, 'FAILED', 'CANCELED', 'COMPLETED'), tenant_id LIMIT 1",
            {kSysTenantId, parent});
        const bool gone = worst.empty();  // all of its tenants were dropped meanwhile
        const std::string status = gone ? text(BackupJobStatus::Canceled) : worst.rows[0].text("status");
        std::string comment = gone ? "the tenants are gone" : worst.rows[0].text("comment");
        if (!gone && !comment.empty()) comment = fmt::format("tenant {}: {}", worst.rows[0].text("tenant_id"), comment);
        const Columns key{{"tenant_id", kSysTenantId}, {"job_id", parent}};
        updateRows(client, "backup_job",
                   {{"status", status},
                    {"result", gone ? std::int64_t{0} : worst.rows[0].integer("result")},
                    {"comment", fitting(comment, 4096)},
                    {"end_time", sqlTime(now)}},
                   key);
        moveToHistory(client, "backup_job", key);
    }
}

}  // namespace tidemark::catalog
