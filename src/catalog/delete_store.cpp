#include "catalog/delete_store.h"

#include <fmt/format.h>

#include <algorithm>

#include "catalog/backup_rows.h"
#include "catalog/delete_rows.h"
#include "oceanbase/ob_error.h"

namespace tidemark::catalog {
namespace {

constexpr JobId kOnlyPolicy = 1;  // a tenant has one schedule

Columns deleteJobKey(TenantId tenant, JobId job_id) {
    return {{"tenant_id", tenant}, {"job_id", job_id}};
}
Columns taskKey(const DeleteTask& task) {
    return {{"tenant_id", task.tenant}, {"task_id", task.task_id}};
}
DeletedThing thingOf(const DeleteTask& task) {
    return {task.object, task.id};
}

std::vector<Change> changesOf(TenantId tenant) {
    return {{kSysTenantId, Topic::Backup | Topic::Validate}, {tenant, Topic::Backup | Topic::Archive | Topic::Validate}};
}

const BackupSet& setOf(const BackupInventory& inventory, std::int64_t id) {
    return *std::find_if(inventory.sets.begin(), inventory.sets.end(),
                         [&](const BackupSet& one) { return one.backup_set_id == id; });
}
const ArchivePiece& pieceOf(const BackupInventory& inventory, std::int64_t id) {
    return *std::find_if(inventory.pieces.begin(), inventory.pieces.end(),
                         [&](const ArchivePiece& one) { return one.piece_id == id; });
}

FileStatus statusOf(const BackupInventory& inventory, const DeletedThing& thing) {
    return thing.object == DeletedObject::BackupSet ? setOf(inventory, thing.id).file_status
                                                    : pieceOf(inventory, thing.id).file_status;
}

DeleteTask taskOf(const DeletedThing& thing, const BackupInventory& inventory) {
    DeleteTask task{.object = thing.object, .id = thing.id};
    if (thing.object == DeletedObject::BackupSet) {
        const BackupSet& set = setOf(inventory, thing.id);
        task.dest_id = set.dest_id;
        task.path = set.path;
    } else {
        const ArchivePiece& piece = pieceOf(inventory, thing.id);
        task.dest_id = piece.dest_id;
        task.round_id = piece.round_id;
        task.path = piece.path;
    }
    return task;
}

DeleteJobRow insertJob(mysql::SqlClient& client, const DeleteRequest& request, const std::vector<DeletedThing>& remove,
                       const BackupInventory& inventory, Nanos now) {
    DeleteJobRow job{.tenant = request.tenant,
                     .job_id = nextId(client, "delete_job", request.tenant),
                     .initiator_tenant = request.initiator,
                     .type = request.type,
                     .expiry = request.expiry,
                     .parameter = request.parameter,
                     .start_time = now,
                     .task_count = static_cast<std::int64_t>(remove.size())};
    insertDeleteJob(client, job);
    for (const DeletedThing& thing : remove) {
        DeleteTask task = taskOf(thing, inventory);
        task.tenant = request.tenant;
        task.job_id = job.job_id;
        task.task_id = nextId(client, "delete_task", request.tenant);
        task.start_time = now;
        insertDeleteTask(client, task);
    }
    addWork(client, kDeleteWork, job.tenant, job.job_id);
    return job;
}

Columns counters(const DeleteTask& task) {
    return {{"total_bytes", task.total_bytes},
            {"deleted_bytes", task.deleted_bytes},
            {"total_files", task.total_files},
            {"deleted_files", task.deleted_files}};
}

void endTask(mysql::SqlClient& client, const DeleteTask& task, BackupJobStatus status, int result,
             const std::string& comment, Nanos now) {
    updateRows(client, "delete_task",
               {{"status", text(status)},
                {"result", std::int64_t{result}},
                {"comment", fitting(comment, 4096)},
                {"begun", std::int64_t{0}},
                {"end_time", sqlTime(now)}},
               taskKey(task));
}

/// A piece's bytes are its round's, which go on counting what is gone.
void markDeleted(mysql::SqlClient& client, TenantId tenant, const DeletedThing& thing) {
    setFileStatus(client, tenant, thing, FileStatus::Deleted);
    const bool is_set = thing.object == DeletedObject::BackupSet;
    // What was wrong with it is wrong no more.
    client.query(std::string("UPDATE tidemark.validate_finding SET status = 'CLOSED', closed_time = NOW(6) "
                             "WHERE tenant_id = ? AND status = 'OPEN' AND ") +
                     (is_set ? "backup_set_id" : "piece_id") + " = ?",
                 {tenant, thing.id});
    if (is_set) return;
    client.query(
        "UPDATE tidemark.archive_round r JOIN tidemark.archive_piece p "
        "ON p.tenant_id = r.tenant_id AND p.round_id = r.round_id "
        "SET r.deleted_input_bytes = r.deleted_input_bytes + p.input_bytes, "
        "r.deleted_output_bytes = r.deleted_output_bytes + p.output_bytes WHERE p.tenant_id = ? AND p.piece_id = ?",
        {tenant, thing.id});
}

std::vector<DeleteTask> tasksOf(mysql::SqlClient& client, TenantId tenant, JobId job_id) {
    return rowsAs<DeleteTask>(
        client.query("SELECT * FROM tidemark.delete_task WHERE tenant_id = ? AND job_id = ? ORDER BY task_id",
                     {tenant, job_id}),
        deleteTaskFrom);
}

}  // namespace

void DeleteStore::addPolicy(const DeletePolicy& policy, std::chrono::milliseconds delay) {
    catalog_.write({{policy.tenant, Topic::Parameter}}, [&](mysql::SqlClient& client) {
        takeTurn(client);
        if (client.scalar("SELECT 1 FROM tidemark.delete_policy WHERE tenant_id = ?", {policy.tenant}))
            throw obError(Ob::EntryExist, {}, "DROP DELETE BACKUP POLICY 'default' first");
        insertRow(client, "delete_policy",
                  {{"tenant_id", policy.tenant},
                   {"policy_name", policy.name},
                   {"recovery_window", policy.recovery_window}});
        const bool scheduled = client
                                   .scalar("SELECT 1 FROM tidemark.work WHERE kind = ? AND tenant_id = ? FOR UPDATE",
                                           {std::string(kDeletePolicyWork), policy.tenant})
                                   .has_value();
        // One that was dropped just now may not have ended yet, and goes on with this one.
        if (!scheduled) addWork(client, kDeletePolicyWork, policy.tenant, kOnlyPolicy, {}, delay);
    });
}

void DeleteStore::dropPolicy(TenantId tenant) {
    auto changes = changesOf(tenant);
    changes.push_back({tenant, Topic::Parameter});
    catalog_.write(changes, [&](mysql::SqlClient& client) {
        takeTurn(client);
        if (deleteRows(client, "delete_policy", {{"tenant_id", tenant}}) == 0) throw obError(Ob::EntryNotExist);
        // A schedule that runs now finds no policy when it ends.
        client.query("DELETE FROM tidemark.work WHERE kind = ? AND tenant_id = ? AND owner_node = 0",
                     {std::string(kDeletePolicyWork), tenant});
        markExpired(client, tenant, lockedInventory(client, tenant), {});
    });
}

std::optional<DeletePolicy> DeleteStore::policy(TenantId tenant) {
    return catalog_.read([&](mysql::SqlClient& client) {
        return firstAs<DeletePolicy>(
            client.query("SELECT * FROM tidemark.delete_policy WHERE tenant_id = ?", {tenant}),
            [](const mysql::Row& row) {
                return DeletePolicy{row.integer("tenant_id"), row.text("policy_name"), row.text("recovery_window")};
            });
    });
}

void DeleteStore::policyRan(const WorkClaim& claim, TenantId tenant, std::chrono::milliseconds delay) {
    catalog_.write({}, [&](mysql::SqlClient& client) {
        endWork(client, claim);
        if (client.scalar("SELECT 1 FROM tidemark.delete_policy WHERE tenant_id = ?", {tenant}))
            addWork(client, kDeletePolicyWork, tenant, kOnlyPolicy, {}, delay);
    });
}

void DeleteStore::hurryPolicies(std::chrono::milliseconds delay) {
    const std::int64_t micros = std::chrono::microseconds(delay).count();
    catalog_.write({}, [&](mysql::SqlClient& client) {
        client.query(
            "UPDATE tidemark.work SET next_run = LEAST(next_run, NOW(6) + INTERVAL ? MICROSECOND) WHERE kind = ?",
            {micros, std::string(kDeletePolicyWork)});
    });
}

void DeleteStore::keep(TenantId tenant, std::int64_t backup_set_id, std::optional<Scn> until) {
    catalog_.write({{tenant, Topic::Backup}}, [&](mysql::SqlClient& client) {
        const auto status = client.scalar(
            "SELECT file_status FROM tidemark.backup_set WHERE tenant_id = ? AND backup_set_id = ? FOR UPDATE",
            {tenant, backup_set_id});
        if (!status || status == text(FileStatus::Deleted) || status == text(FileStatus::Incomplete))
            throw obError(Ob::InvalidBackupSetId, fmt::format("{} is {}", backup_set_id, status.value_or("unknown")));
        if (status == text(FileStatus::Deleting))
            throw obError(Ob::InvalidBackupSetId, fmt::format("{} is being removed", backup_set_id));
        deleteRows(client, "backup_keep", {{"tenant_id", tenant}, {"backup_set_id", backup_set_id}});
        if (!until) return;
        insertRow(client, "backup_keep",
                  {{"tenant_id", tenant}, {"backup_set_id", backup_set_id}, {"until", *until}});
    });
}

BackupInventory DeleteStore::inventory(TenantId tenant) {
    return catalog_.write({}, [&](mysql::SqlClient& client) { return lockedInventory(client, tenant); });
}

std::optional<DeleteJobRow> DeleteStore::start(const DeleteRequest& request) {
    const auto changes = changesOf(request.tenant);
    return catalog_.write(changes, [&](mysql::SqlClient& client) -> std::optional<DeleteJobRow> {
        takeTurn(client);
        const auto running = client.scalar("SELECT job_id FROM tidemark.delete_job WHERE tenant_id = ?",
                                           {request.tenant});
        if (running) throw obError(Ob::BackupDeleteInProgress, fmt::format("job {}", *running));
        const BackupInventory inventory = lockedInventory(client, request.tenant);
        const DeleteDecision decision = request.decide(inventory);
        if (decision.expired) markExpired(client, request.tenant, inventory, *decision.expired);
        if (decision.remove.empty() && !request.even_if_nothing) return std::nullopt;
        return insertJob(client, request, decision.remove, inventory, catalog_.clock().now());
    });
}

void DeleteStore::begin(const WorkClaim& claim, TenantId tenant, JobId job_id) {
    catalog_.write(changesOf(tenant), [&](mysql::SqlClient& client) {
        requireClaim(client, claim);
        client.query(
            "UPDATE tidemark.delete_job SET status = 'DOING' WHERE tenant_id = ? AND job_id = ? AND status = 'INIT'",
            {tenant, job_id});
    });
}

bool DeleteStore::beginTask(const WorkClaim& claim, const DeleteTask& task,
                            const std::function<std::string(const BackupInventory&)>& held_by) {
    return catalog_.write(changesOf(task.tenant), [&](mysql::SqlClient& client) {
        requireClaim(client, claim);
        const BackupInventory inventory = lockedInventory(client, task.tenant);
        const std::string reason = held_by(inventory);
        if (!reason.empty()) {
            endTask(client, task, BackupJobStatus::Canceled, 0, reason, catalog_.clock().now());
            return false;
        }
        Columns columns = counters(task);
        columns.insert(columns.end(),
                       {{"begun", std::int64_t{1}}, {"was", text(statusOf(inventory, thingOf(task)))}});
        updateRows(client, "delete_task", columns, taskKey(task));
        client.query(
            "UPDATE tidemark.delete_task SET status = 'DOING' WHERE tenant_id = ? AND task_id = ? AND status = 'INIT'",
            {task.tenant, task.task_id});
        setFileStatus(client, task.tenant, thingOf(task), FileStatus::Deleting);
        return true;
    });
}

void DeleteStore::progress(const WorkClaim& claim, const DeleteTask& task) {
    catalog_.write({{task.tenant, Topic::BackupProgress}}, [&](mysql::SqlClient& client) {
        requireClaim(client, claim);
        updateRows(client, "delete_task", counters(task), taskKey(task));
    });
}

void DeleteStore::completeTask(const WorkClaim& claim, const DeleteTask& task) {
    catalog_.write(changesOf(task.tenant), [&](mysql::SqlClient& client) {
        requireClaim(client, claim);
        updateRows(client, "delete_task", counters(task), taskKey(task));
        endTask(client, task, BackupJobStatus::Completed, 0, {}, catalog_.clock().now());
        client.query(
            "UPDATE tidemark.delete_job SET success_task_count = success_task_count + 1 WHERE tenant_id = ? AND job_id "
            "= ?",
            {task.tenant, task.job_id});
        markDeleted(client, task.tenant, thingOf(task));
    });
}

void DeleteStore::failTask(const WorkClaim& claim, const DeleteTask& task, const Outcome& outcome, bool untouched) {
    catalog_.write(changesOf(task.tenant), [&](mysql::SqlClient& client) {
        requireClaim(client, claim);
        endTask(client, task, BackupJobStatus::Failed, outcome.result, outcome.comment, catalog_.clock().now());
        if (untouched) {
            const auto was = client.scalar("SELECT was FROM tidemark.delete_task WHERE tenant_id = ? AND task_id = ?",
                                           {task.tenant, task.task_id});
            if (was && !was->empty()) setFileStatus(client, task.tenant, thingOf(task), parseText<FileStatus>(*was));
        } else {
            updateRows(client, "delete_task", {{"begun", std::int64_t{1}}}, taskKey(task));
        }
    });
}

void DeleteStore::finish(const WorkClaim& claim, TenantId tenant, JobId job_id, const Outcome& outcome,
                         const std::function<std::string(const DeleteTask&)>& rest) {
    catalog_.write(changesOf(tenant), [&](mysql::SqlClient& client) {
        endWork(client, claim);
        const Nanos now = catalog_.clock().now();
        for (const DeleteTask& task : tasksOf(client, tenant, job_id)) {
            if (task.begun) addWork(client, kDeleteRestWork, tenant, task.task_id, rest(task));
            if (!task.over()) endTask(client, task, terminalStatus(outcome.state), outcome.result, outcome.comment, now);
        }
        moveToHistory(client, "delete_task", deleteJobKey(tenant, job_id));
        updateRows(client, "delete_job",
                   {{"status", text(terminalStatus(outcome.state))},
                    {"result", std::int64_t{outcome.result}},
                    {"comment", fitting(outcome.comment, 4096)},
                    {"end_time", sqlTime(now)}},
                   deleteJobKey(tenant, job_id));
        moveToHistory(client, "delete_job", deleteJobKey(tenant, job_id));
    });
}

void DeleteStore::finishRest(const WorkClaim& claim, TenantId tenant, const DeletedThing& thing) {
    catalog_.write(changesOf(tenant), [&](mysql::SqlClient& client) {
        endWork(client, claim);
        markDeleted(client, tenant, thing);
    });
}

std::vector<DeleteJobRow> DeleteStore::cancel(std::optional<TenantId> tenant) {
    const std::string of_tenant = tenant ? " AND tenant_id = " + std::to_string(*tenant) : "";
    const auto work = [&](mysql::SqlClient& client) {
        takeTurn(client);
        cancelWork(client, kDeleteWork, tenant);
        client.query("UPDATE tidemark.delete_job SET status = 'CANCELING' WHERE status IN ('INIT', 'DOING')" +
                     of_tenant);
        client.query("UPDATE tidemark.delete_task SET status = 'CANCELING' WHERE status IN ('INIT', 'DOING')" +
                     of_tenant);
        return rowsAs<DeleteJobRow>(
            client.query("SELECT * FROM tidemark.delete_job WHERE status = 'CANCELING'" + of_tenant), deleteJobFrom);
    };
    return catalog_.writeThen(work, [](const std::vector<DeleteJobRow>& jobs) {
        std::vector<Change> changes;
        for (const DeleteJobRow& job : jobs)
            changes.push_back({job.tenant, Topic::Backup});
        return changes;
    });
}

std::optional<DeleteJobRow> DeleteStore::activeJob(TenantId tenant) {
    return catalog_.read([&](mysql::SqlClient& client) {
        return firstAs<DeleteJobRow>(client.query("SELECT * FROM tidemark.delete_job WHERE tenant_id = ?", {tenant}),
                                     deleteJobFrom);
    });
}

std::vector<DeleteTask> DeleteStore::tasks(TenantId tenant, JobId job_id) {
    return catalog_.read([&](mysql::SqlClient& client) { return tasksOf(client, tenant, job_id); });
}

}  // namespace tidemark::catalog
