#include "catalog/backup_store.h"

#include <fmt/format.h>

#include "catalog/backup_rows.h"
#include "catalog/backup_use.h"
#include "oceanbase/ob_error.h"

namespace tidemark::catalog {
namespace {

constexpr const char* kJobNotOver = "status IN ('INIT', 'DOING')";

Columns jobKey(TenantId tenant, JobId job_id) {
    return {{"tenant_id", tenant}, {"job_id", job_id}};
}

void requireNoBackup(mysql::SqlClient& client, TenantId tenant) {
    const auto running = client.scalar("SELECT job_id FROM tidemark.backup_job WHERE tenant_id = ?", {tenant});
    if (running) throw obError(Ob::BackupInProgress, fmt::format("tenant {}, job {}", tenant, *running));
}

BackupJobRow startJob(mysql::SqlClient& client, const BackupRequest& request, Nanos now) {
    requireNoBackup(client, request.tenant);
    return {.tenant = request.tenant,
            .job_id = nextId(client, "backup_job", request.tenant),
            .initiator_tenant = request.tenant,
            .executors = std::to_string(request.tenant),
            .dest_id = request.dest_id,
            .plus_archivelog = request.plus_archivelog,
            .type = request.type,
            .encryption = request.encryption,
            .start_time = now,
            .comment = request.comment,
            .description = request.description,
            .path = request.path};
}

BackupJobRow parentJob(mysql::SqlClient& client, const std::vector<BackupRequest>& requests, JobLevel level,
                       const std::string& description, Nanos now) {
    requireNoBackup(client, kSysTenantId);
    BackupJobRow parent{.tenant = kSysTenantId,
                        .job_id = nextId(client, "backup_job", kSysTenantId),
                        .initiator_tenant = kSysTenantId,
                        .level = level,
                        .start_time = now,
                        .description = description};
    for (const BackupRequest& request : requests) {
        parent.executors += (parent.executors.empty() ? "" : ",") + std::to_string(request.tenant);
        parent.plus_archivelog = request.plus_archivelog;
        parent.type = request.type;
        parent.encryption = request.encryption;
    }
    return parent;
}

BackupJobRow lockActiveJob(mysql::SqlClient& client, TenantId tenant, JobId job_id) {
    const auto job = firstAs<BackupJobRow>(
        client.query("SELECT * FROM tidemark.backup_job WHERE tenant_id = ? AND job_id = ? FOR UPDATE",
                     {tenant, job_id}),
        backupJobFrom);
    if (!job) {
        throw Error(ErrorCode::NotFound, fmt::format("backup job {} of tenant {} is not running", job_id, tenant));
    }
    if (job->status == BackupJobStatus::Canceling) {
        throw Error(ErrorCode::Cancelled, fmt::format("backup job {} of tenant {} was cancelled", job_id, tenant));
    }
    return *job;
}

void endTask(mysql::SqlClient& client, TenantId tenant, JobId job_id, const Columns& ending) {
    updateRows(client, "backup_task", ending, jobKey(tenant, job_id));
    moveToHistory(client, "backup_task", jobKey(tenant, job_id));
}

/// What the views show of a set that is described.
void appendDescription(Columns& columns, const BackupSet& set) {
    const Columns stats = statsColumns(set.stats);
    columns.insert(columns.end(), stats.begin(), stats.end());
    columns.insert(columns.end(), {{"start_replay_scn", set.start_replay_scn},
                                   {"min_restore_scn", set.min_restore_scn},
                                   {"consistent_scn", set.consistent_scn},
                                   {"log_end_scn", set.log_end_scn}});
}

void endSet(mysql::SqlClient& client, const BackupJobRow& job, const Outcome& outcome, Nanos now,
            const BackupSet* set) {
    const bool done = outcome.state == Outcome::State::Completed;
    Columns columns{{"status", text(done ? BackupSetStatus::Success : BackupSetStatus::Failed)},
                    {"file_status", text(done ? FileStatus::Available : FileStatus::Incomplete)},
                    {"result", std::int64_t{outcome.result}},
                    {"comment", fitting(outcome.comment, 4096)},
                    {"end_time", sqlTime(done && set != nullptr ? set->end_time.value_or(now) : now)}};
    if (set != nullptr) appendDescription(columns, *set);
    updateRows(client, "backup_set", columns, {{"tenant_id", job.tenant}, {"backup_set_id", job.backup_set_id}});
}

std::optional<BackupSet> setOf(mysql::SqlClient& client, TenantId tenant, std::int64_t backup_set_id) {
    return firstAs<BackupSet>(
        client.query("SELECT * FROM tidemark.backup_set WHERE tenant_id = ? AND backup_set_id = ?",
                     {tenant, backup_set_id}),
        backupSetFrom);
}

/// Throws Ob::OpNotAllow if one that the set leans on is being removed, or is removed already.
void requireParents(mysql::SqlClient& client, const BackupSet& set) {
    for (const std::int64_t parent : {set.prev_full_set_id, set.prev_inc_set_id}) {
        if (parent != 0) requireNotRemoved(client, set.tenant, parent);
    }
}

void noteKey(mysql::SqlClient& client, TenantId tenant, std::int64_t backup_set_id, const std::string& wrapped) {
    if (wrapped.empty()) return;
    insertRow(client, "backup_key", {{"tenant_id", tenant}, {"backup_set_id", backup_set_id}, {"wrapped", wrapped}});
}

/// The set may turn out to be whole when its destination is asked: until then nobody removes what it leans on.
void holdParents(mysql::SqlClient& client, TenantId tenant, JobId job_id, std::int64_t backup_set_id) {
    client.query(
        "INSERT IGNORE INTO tidemark.backup_use (tenant_id, backup_set_id, kind, work_tenant_id, job_id) "
        "SELECT DISTINCT p.tenant_id, p.backup_set_id, ?, ?, ? FROM tidemark.backup_set s "
        "JOIN tidemark.backup_set p ON p.tenant_id = s.tenant_id "
        "AND p.backup_set_id IN (s.prev_full_set_id, s.prev_inc_set_id) WHERE s.tenant_id = ? AND s.backup_set_id = ?",
        {std::string(kCleanWork), tenant, job_id, tenant, backup_set_id});
}

std::vector<Change> backupChanges(const std::vector<TenantId>& tenants) {
    std::vector<Change> changes{{kSysTenantId, Topic::Backup}};
    for (const TenantId tenant : tenants)
        changes.push_back({tenant, Topic::Backup});
    return changes;
}

std::vector<Change> changesOfJobs(const std::vector<BackupJobRow>& jobs) {
    std::vector<TenantId> tenants;
    for (const BackupJobRow& job : jobs)
        tenants.push_back(job.tenant);
    return backupChanges(tenants);
}

/// From the active table or else from the history.
template <typename Struct, typename From>
std::optional<Struct> inEither(mysql::SqlClient& client, const std::string& table, TenantId tenant, JobId job_id,
                               From from) {
    for (const std::string& place : {table, table + "_history"}) {
        auto found = firstAs<Struct>(
            client.query("SELECT * FROM tidemark." + place + " WHERE tenant_id = ? AND job_id = ?", {tenant, job_id}),
            from);
        if (found) return found;
    }
    return std::nullopt;
}

}  // namespace

bool leansOnBroken(const std::vector<BackupSet>& sets, const BackupSet& set) {
    if (set.file_status == FileStatus::Broken) return true;
    for (const BackupSet& other : sets) {
        // Numbers grow along a chain, so this ends.
        const bool is_parent = other.backup_set_id == set.prev_inc_set_id || other.backup_set_id == set.prev_full_set_id;
        if (is_parent && other.backup_set_id < set.backup_set_id && leansOnBroken(sets, other)) return true;
    }
    return false;
}

BackupJobRow BackupStore::start(const BackupRequest& request) {
    return catalog_.write(backupChanges({request.tenant}), [&](mysql::SqlClient& client) {
        takeTurn(client);
        BackupJobRow job = startJob(client, request, catalog_.clock().now());
        insertBackupJob(client, job);
        addWork(client, kBackupWork, job.tenant, job.job_id, request.work_progress);
        return job;
    });
}

ClusterBackup BackupStore::startFromSys(const std::vector<BackupRequest>& requests, JobLevel level,
                                        const std::string& description) {
    const auto work = [&](mysql::SqlClient& client) {
        takeTurn(client);
        const Nanos now = catalog_.clock().now();
        ClusterBackup backup{.parent = parentJob(client, requests, level, description, now)};
        insertBackupJob(client, backup.parent);
        for (const BackupRequest& request : requests) {
            BackupJobRow job = startJob(client, request, now);
            job.initiator_tenant = kSysTenantId;
            job.initiator_job_id = backup.parent.job_id;
            insertBackupJob(client, job);
            addWork(client, kBackupWork, job.tenant, job.job_id, request.work_progress);
            backup.jobs.push_back(std::move(job));
        }
        return backup;
    };
    return catalog_.writeThen(work, [](const ClusterBackup& backup) { return changesOfJobs(backup.jobs); });
}

BegunBackup BackupStore::begin(const WorkClaim& claim, TenantId tenant, JobId job_id, const BackupSet& wanted,
                               std::int64_t least_set_id, const std::string& work_progress,
                               const std::string& wrapped_key) {
    return catalog_.write(backupChanges({tenant}), [&](mysql::SqlClient& client) {
        requireClaim(client, claim);
        setWorkProgress(client, claim, work_progress);
        const BackupJobRow job = lockActiveJob(client, tenant, job_id);
        const Nanos now = catalog_.clock().now();
        BegunBackup begun{.set = wanted};
        begun.set.tenant = tenant;
        requireParents(client, begun.set);
        begun.set.backup_set_id = nextId(client, "backup_set", tenant, 1, 1, least_set_id);
        begun.set.dest_id = job.dest_id;
        begun.set.path = job.path;
        begun.set.plus_archivelog = job.plus_archivelog;
        begun.set.encryption = job.encryption;
        begun.set.start_time = now;
        begun.task = {.tenant = tenant,
                      .task_id = nextId(client, "backup_task", tenant),
                      .job_id = job_id,
                      .backup_set_id = begun.set.backup_set_id,
                      .start_time = now,
                      .encryption = job.encryption,
                      .path = job.path};
        insertBackupSet(client, begun.set);
        noteKey(client, tenant, begun.set.backup_set_id, wrapped_key);
        insertBackupTask(client, begun.task);
        updateRows(client, "backup_job",
                   {{"status", text(BackupJobStatus::Doing)},
                    {"backup_type", text(begun.set.type)},
                    {"comment", fitting(begun.set.comment, 4096)},
                    {"backup_set_id", begun.set.backup_set_id}},
                   jobKey(tenant, job_id));
        client.query(
            "UPDATE tidemark.backup_job SET status = 'DOING' WHERE tenant_id = ? AND job_id = ? "
            "AND status = 'INIT'",
            {job.initiator_tenant, job.initiator_job_id});
        return begun;
    });
}

void BackupStore::progress(const WorkClaim& claim, const BackupTask& task) {
    catalog_.write({{task.tenant, Topic::BackupProgress}}, [&](mysql::SqlClient& client) {
        requireClaim(client, claim);
        Columns columns = statsColumns(task.stats);
        const Columns key{{"tenant_id", task.tenant}, {"task_id", task.task_id}};
        columns.insert(columns.end(), {{"turn", task.turn},
                                       {"start_scn", task.start_scn},
                                       {"end_scn", task.end_scn},
                                       {"user_ls_start_scn", task.user_ls_start_scn},
                                       {"milliseconds_left", task.left ? mysql::Value(std::int64_t{task.left->count()})
                                                                       : mysql::Value(nullptr)}});
        updateRows(client, "backup_task", columns, key);
        client.query(
            "UPDATE tidemark.backup_task SET status = ? WHERE tenant_id = ? AND task_id = ? "
            "AND status <> 'CANCELING'",
            {text(task.status), task.tenant, task.task_id});
        client.query(
            "UPDATE tidemark.backup_set SET input_bytes = ?, output_bytes = ?, tablet_count = ?, "
            "finish_tablet_count = ?, macro_block_count = ?, finish_macro_block_count = ?, file_count = ?, turn = ? "
            "WHERE tenant_id = ? AND backup_set_id = ? AND status = 'DOING'",
            {task.stats.input_bytes, task.stats.output_bytes, task.stats.tablet_count, task.stats.finish_tablet_count,
             task.stats.macro_block_count, task.stats.finish_macro_block_count, task.stats.file_count, task.turn,
             task.tenant, task.backup_set_id});
    });
}

void BackupStore::finish(const WorkClaim& claim, TenantId tenant, JobId job_id, const Outcome& outcome,
                         const BackupSet* set, const std::optional<std::string>& leftovers) {
    catalog_.write(backupChanges({tenant}), [&](mysql::SqlClient& client) {
        endWork(client, claim);
        if (leftovers) addWork(client, kCleanWork, tenant, job_id, *leftovers);
        if (leftovers && set != nullptr) holdParents(client, tenant, job_id, set->backup_set_id);
        const auto job = firstAs<BackupJobRow>(
            client.query("SELECT * FROM tidemark.backup_job WHERE tenant_id = ? AND job_id = ? FOR UPDATE",
                         {tenant, job_id}),
            backupJobFrom);
        if (!job) return;
        const Nanos now = catalog_.clock().now();
        // Task and job share the words COMPLETED, FAILED and CANCELED.
        const Columns ending{{"status", text(terminalStatus(outcome.state))},
                             {"result", std::int64_t{outcome.result}},
                             {"comment", fitting(outcome.comment, 4096)},
                             {"end_time", sqlTime(now)}};
        Columns task_ending = ending;
        if (set != nullptr) {
            const Columns stats = statsColumns(set->stats);
            task_ending.insert(task_ending.end(), stats.begin(), stats.end());
        }
        endTask(client, tenant, job_id, task_ending);
        if (job->backup_set_id != 0) endSet(client, *job, outcome, now, set);
        updateRows(client, "backup_job", ending, jobKey(tenant, job_id));
        moveToHistory(client, "backup_job", jobKey(tenant, job_id));
        endParentJobs(client, now);
    });
}

void BackupStore::adopt(const WorkClaim& claim, const BackupSet& set) {
    catalog_.write(backupChanges({set.tenant}), [&](mysql::SqlClient& client) {
        requireClaim(client, claim);
        if (const auto known = setOf(client, set.tenant, set.backup_set_id)) requireParents(client, *known);
        Columns columns{{"status", text(BackupSetStatus::Success)},
                        {"file_status", text(FileStatus::Available)},
                        {"result", std::int64_t{0}},
                        {"comment", std::string()},
                        {"end_time", sqlTime(set.end_time.value_or(catalog_.clock().now()))}};
        appendDescription(columns, set);
        updateRows(client, "backup_set", columns,
                   {{"tenant_id", set.tenant},
                    {"backup_set_id", set.backup_set_id},
                    {"status", text(BackupSetStatus::Failed)}});
    });
}

void BackupStore::giveUp(const WorkClaim& claim, TenantId tenant, std::int64_t backup_set_id) {
    catalog_.write(backupChanges({tenant}), [&](mysql::SqlClient& client) {
        requireClaim(client, claim);
        for (const BackupUse& use : backupUses(client, tenant)) {
            if (use.backup_set_id == backup_set_id)
                throw Error(ErrorCode::Unavailable, fmt::format("work of kind {} still reads it", use.kind));
        }
        updateRows(client, "backup_set", {{"file_status", text(FileStatus::Deleting)}},
                   {{"tenant_id", tenant},
                    {"backup_set_id", backup_set_id},
                    {"status", text(BackupSetStatus::Failed)}});
    });
}

bool BackupStore::enter(const BackupSet& set, std::int64_t turn, const std::string& wrapped_key) {
    return catalog_.write(backupChanges({set.tenant}), [&](mysql::SqlClient& client) {
        takeTurn(client);
        if (setOf(client, set.tenant, set.backup_set_id)) return false;
        requireParents(client, set);
        insertBackupSet(client, set);
        Columns columns{{"end_time", sqlTime(set.end_time)}, {"turn", turn}};
        appendDescription(columns, set);
        updateRows(client, "backup_set", columns, {{"tenant_id", set.tenant}, {"backup_set_id", set.backup_set_id}});
        noteKey(client, set.tenant, set.backup_set_id, wrapped_key);
        client.query(
            "INSERT INTO tidemark.sequence (name, scope, last) VALUES ('backup_set', ?, ?) "
            "ON DUPLICATE KEY UPDATE last = GREATEST(last, VALUES(last))",
            {set.tenant, set.backup_set_id});
        return true;
    });
}

bool BackupStore::enterKey(const BackupSet& set, const std::string& wrapped_key) {
    return catalog_.write(backupChanges({set.tenant}), [&](mysql::SqlClient& client) {
        takeTurn(client);
        const auto known = setOf(client, set.tenant, set.backup_set_id);
        if (!known || known->status != BackupSetStatus::Success) return false;
        const Columns key{{"tenant_id", set.tenant}, {"backup_set_id", set.backup_set_id}};
        Columns columns;
        appendDescription(columns, set);
        updateRows(client, "backup_set", columns, key);
        deleteRows(client, "backup_key", key);
        noteKey(client, set.tenant, set.backup_set_id, wrapped_key);
        return true;
    });
}

std::vector<BackupJobRow> BackupStore::cancel(std::optional<TenantId> tenant) {
    const auto work = [&](mysql::SqlClient& client) {
        const std::string of_tenant = tenant ? " AND tenant_id = " + std::to_string(*tenant) : "";
        takeTurn(client);
        cancelWork(client, kBackupWork, tenant);
        client.query(std::string("UPDATE tidemark.backup_job SET status = 'CANCELING' WHERE ") + kJobNotOver +
                     of_tenant);
        const std::string canceling =
            "status = 'CANCELING' AND tenant_id <> " + std::to_string(kSysTenantId) + of_tenant;
        client.query(
            "UPDATE tidemark.backup_task SET status = 'CANCELING' WHERE (tenant_id, job_id) IN ("
            "    SELECT tenant_id, job_id FROM tidemark.backup_job WHERE " +
            canceling + ")");
        return rowsAs<BackupJobRow>(client.query("SELECT * FROM tidemark.backup_job WHERE " + canceling),
                                    backupJobFrom);
    };
    return catalog_.writeThen(work, changesOfJobs);
}

std::vector<BackupJobRow> BackupStore::activeJobs() {
    return catalog_.read([](mysql::SqlClient& client) {
        return rowsAs<BackupJobRow>(client.query("SELECT * FROM tidemark.backup_job WHERE tenant_id <> ? "
                                                 "ORDER BY start_time, tenant_id",
                                                 {kSysTenantId}),
                                    backupJobFrom);
    });
}

std::optional<BackupJobRow> BackupStore::job(TenantId tenant, JobId job_id) {
    return catalog_.readSnapshot([&](mysql::SqlClient& client) {
        return inEither<BackupJobRow>(client, "backup_job", tenant, job_id, backupJobFrom);
    });
}

std::optional<BackupTask> BackupStore::taskOf(TenantId tenant, JobId job_id) {
    return catalog_.readSnapshot([&](mysql::SqlClient& client) {
        return inEither<BackupTask>(client, "backup_task", tenant, job_id, backupTaskFrom);
    });
}

std::vector<BackupSet> BackupStore::sets(TenantId tenant) {
    return catalog_.read([&](mysql::SqlClient& client) {
        return rowsAs<BackupSet>(
            client.query("SELECT * FROM tidemark.backup_set WHERE tenant_id = ? ORDER BY backup_set_id", {tenant}),
            backupSetFrom);
    });
}

std::optional<BackupSet> BackupStore::set(TenantId tenant, std::int64_t backup_set_id) {
    return catalog_.read([&](mysql::SqlClient& client) {
        return setOf(client, tenant, backup_set_id);
    });
}

std::optional<std::string> BackupStore::wrappedKeyOf(TenantId tenant, std::int64_t backup_set_id) {
    return catalog_.read([&](mysql::SqlClient& client) {
        return client.scalar("SELECT wrapped FROM tidemark.backup_key WHERE tenant_id = ? AND backup_set_id = ?",
                             {tenant, backup_set_id});
    });
}

}  // namespace tidemark::catalog
