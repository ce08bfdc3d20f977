#include "catalog/delete_rows.h"

#include <algorithm>

#include "catalog/backup_rows.h"

namespace tidemark::catalog {

DeleteJobRow deleteJobFrom(const mysql::Row& row) {
    return {.tenant = row.integer("tenant_id"),
            .job_id = row.integer("job_id"),
            .initiator_tenant = row.integer("initiator_tenant_id"),
            .type = parseText<DeleteType>(row.text("delete_type")),
            .expiry = maybeTimeOf(row, "expiry"),
            .parameter = row.text("parameter"),
            .start_time = timeOf(row, "start_time"),
            .end_time = maybeTimeOf(row, "end_time"),
            .status = parseText<BackupJobStatus>(row.text("status")),
            .task_count = row.integer("task_count"),
            .success_task_count = row.integer("success_task_count"),
            .result = static_cast<int>(row.integer("result")),
            .comment = row.text("comment")};
}

DeleteTask deleteTaskFrom(const mysql::Row& row) {
    return {.tenant = row.integer("tenant_id"),
            .task_id = row.integer("task_id"),
            .job_id = row.integer("job_id"),
            .object = parseText<DeletedObject>(row.text("task_type")),
            .id = row.integer("id"),
            .round_id = row.integer("round_id"),
            .dest_id = row.integer("dest_id"),
            .start_time = timeOf(row, "start_time"),
            .end_time = maybeTimeOf(row, "end_time"),
            .status = parseText<BackupJobStatus>(row.text("status")),
            .begun = row.integer("begun") != 0,
            .total_bytes = row.unsignedInteger("total_bytes"),
            .deleted_bytes = row.unsignedInteger("deleted_bytes"),
            .total_files = row.integer("total_files"),
            .deleted_files = row.integer("deleted_files"),
            .result = static_cast<int>(row.integer("result")),
            .comment = row.text("comment"),
            .path = row.text("path")};
}

void insertDeleteJob(mysql::SqlClient& client, const DeleteJobRow& job) {
    const bool own = job.initiator_tenant == job.tenant;
    insertRow(client, "delete_job",
              {{"tenant_id", job.tenant},
               {"job_id", job.job_id},
               {"initiator_tenant_id", job.initiator_tenant},
               {"delete_type", text(job.type)},
               {"expiry", sqlTime(job.expiry)},
               {"parameter", fitting(job.parameter, 1024)},
               {"job_level", text(own ? JobLevel::UserTenant : JobLevel::SysTenant)},
               {"start_time", sqlTime(job.start_time)},
               {"status", text(job.status)},
               {"task_count", job.task_count}});
}

void insertDeleteTask(mysql::SqlClient& client, const DeleteTask& task) {
    insertRow(client, "delete_task",
              {{"tenant_id", task.tenant},
               {"task_id", task.task_id},
               {"job_id", task.job_id},
               {"task_type", text(task.object)},
               {"id", task.id},
               {"round_id", task.round_id},
               {"dest_id", task.dest_id},
               {"start_time", sqlTime(task.start_time)},
               {"status", text(task.status)},
               {"path", task.path}});
}

BackupInventory lockedInventory(mysql::SqlClient& client, TenantId tenant) {
    BackupInventory found;
    found.sets = rowsAs<BackupSet>(
        client.query("SELECT * FROM tidemark.backup_set WHERE tenant_id = ? ORDER BY backup_set_id FOR UPDATE",
                     {tenant}),
        backupSetFrom);
    found.pieces = rowsAs<ArchivePiece>(
        client.query("SELECT * FROM tidemark.archive_piece WHERE tenant_id = ? ORDER BY piece_id FOR UPDATE", {tenant}),
        archivePieceFrom);
    for (const mysql::Row& row :
         client.query("SELECT * FROM tidemark.backup_keep WHERE tenant_id = ? FOR UPDATE", {tenant}).rows)
        found.kept[row.integer("backup_set_id")] = row.unsignedInteger("until");
    found.uses = backupUses(client, tenant);
    return found;
}

void setFileStatus(mysql::SqlClient& client, TenantId tenant, const DeletedThing& thing, FileStatus status) {
    const bool is_set = thing.object == DeletedObject::BackupSet;
    updateRows(client, is_set ? "backup_set" : "archive_piece", {{"file_status", text(status)}},
               {{"tenant_id", tenant}, {is_set ? "backup_set_id" : "piece_id", thing.id}});
}

void markExpired(mysql::SqlClient& client, TenantId tenant, const BackupInventory& inventory,
                 const std::vector<DeletedThing>& expired) {
    const auto mark = [&](DeletedObject object, std::int64_t id, FileStatus status) {
        if (status != FileStatus::Available && status != FileStatus::Expired) return;
        const DeletedThing thing{object, id};
        const bool is_expired = std::find(expired.begin(), expired.end(), thing) != expired.end();
        const FileStatus wanted = is_expired ? FileStatus::Expired : FileStatus::Available;
        if (status != wanted) setFileStatus(client, tenant, thing, wanted);
    };
    for (const BackupSet& set : inventory.sets)
        mark(DeletedObject::BackupSet, set.backup_set_id, set.file_status);
    for (const ArchivePiece& piece : inventory.pieces)
        mark(DeletedObject::BackupPiece, piece.piece_id, piece.file_status);
}

}  // namespace tidemark::catalog
