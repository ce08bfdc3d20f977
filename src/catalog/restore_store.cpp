#include "catalog/restore_store.h"

#include <fmt/format.h>

#include "catalog/sql_row.h"
#include "oceanbase/ob_error.h"

namespace tidemark::catalog {
namespace {

/// Views show NULL where there is nothing to say.
mysql::Value fittingOrNull(const std::string& text) {
    return text.empty() ? mysql::Value(nullptr) : mysql::Value(fitting(text, 1024));
}

RestoreJobRow restoreJobFrom(const mysql::Row& row) {
    RestoreJobRow job{.job_id = row.integer("job_id"),
                      .tenant_name = row.text("tenant_name"),
                      .tenant = row.integer("tenant_id"),
                      .backup_tenant_name = row.text("backup_tenant_name"),
                      .backup_tenant = row.integer("backup_tenant_id"),
                      .backup_cluster_name = row.text("backup_cluster_name"),
                      .backup_dest = row.text("backup_dest"),
                      .option = row.text("restore_option"),
                      .restore_scn = row.unsignedInteger("restore_scn"),
                      .sys_status = parseText<RestoreSysStatus>(row.text("sys_status")),
                      .start_time = timeOf(row, "start_time"),
                      .finish_time = maybeTimeOf(row, "finish_time"),
                      .set_list = row.text("set_list"),
                      .piece_list = row.text("piece_list"),
                      .description = row.maybe("description").value_or(""),
                      .backup_cluster_version = row.integer("backup_cluster_version"),
                      .type = parseText<RestoreType>(row.text("restore_type")),
                      .finish_bytes = row.unsignedInteger("finish_bytes"),
                      .tablet_count = row.integer("tablet_count"),
                      .finish_tablet_count = row.integer("finish_tablet_count"),
                      .recover_start_scn = row.unsignedInteger("recover_start_scn"),
                      .recover_scn = row.unsignedInteger("recover_scn"),
                      .result = static_cast<int>(row.integer("result")),
                      .comment = row.maybe("comment").value_or("")};
    if (const auto status = row.maybe("tenant_status")) job.tenant_status = parseText<RestoreTenantStatus>(*status);
    if (row.maybe("milliseconds_left")) job.left = std::chrono::milliseconds(row.integer("milliseconds_left"));
    if (row.maybe("total_bytes")) job.total_bytes = row.unsignedInteger("total_bytes");
    return job;
}

void insertJob(mysql::SqlClient& client, const RestoreJobRow& job) {
    insertRow(client, "restore_job",
              {{"job_id", job.job_id},
               {"tenant_id", job.tenant},
               {"tenant_name", job.tenant_name},
               {"backup_tenant_id", job.backup_tenant},
               {"backup_tenant_name", job.backup_tenant_name},
               {"backup_cluster_name", job.backup_cluster_name},
               {"backup_dest", job.backup_dest},
               {"restore_option", fitting(job.option, 4096)},
               {"restore_scn", job.restore_scn},
               {"sys_status", text(job.sys_status)},
               {"start_time", sqlTime(job.start_time)},
               {"set_list", job.set_list},
               {"piece_list", job.piece_list},
               {"description", fittingOrNull(job.description)},
               {"backup_cluster_version", job.backup_cluster_version},
               {"restore_type", text(job.type)},
               {"total_bytes", job.total_bytes ? mysql::Value(*job.total_bytes) : mysql::Value(nullptr)},
               {"tablet_count", job.tablet_count},
               {"recover_start_scn", job.recover_start_scn},
               {"recover_scn", job.recover_scn}});
}

RestorePace paceFrom(const mysql::Row& row) {
    using std::chrono::microseconds;
    return {.job_id = row.integer("job_id"),
            .server = row.integer("server_id"),
            .file_bytes = row.unsignedInteger("file_bytes"),
            .file_time = microseconds(row.integer("file_us")),
            .log_bytes = row.unsignedInteger("log_bytes"),
            .log_time = microseconds(row.integer("log_us")),
            .rest_time = microseconds(row.integer("rest_us"))};
}

void insertPace(mysql::SqlClient& client, const RestorePace& pace) {
    insertRow(client, "restore_pace",
              {{"job_id", pace.job_id},
               {"server_id", pace.server},
               {"file_bytes", pace.file_bytes},
               {"file_us", std::int64_t{pace.file_time.count()}},
               {"log_bytes", pace.log_bytes},
               {"log_us", std::int64_t{pace.log_time.count()}},
               {"rest_us", std::int64_t{pace.rest_time.count()}}});
    const auto oldest = client.scalar(
        "SELECT job_id FROM tidemark.restore_pace WHERE server_id = ? ORDER BY job_id DESC LIMIT 1 OFFSET ?",
        {pace.server, std::int64_t{RestoreStore::kPacesKept}});
    if (oldest) {
        client.query("DELETE FROM tidemark.restore_pace WHERE server_id = ? AND job_id <= ?",
                     {pace.server, std::stoll(*oldest)});
    }
}

std::vector<Change> restoreChanges(TenantId tenant) {
    return {{kSysTenantId, Topic::Restore}, {tenant, Topic::Restore}};
}

constexpr const char* kSelectActive = "SELECT * FROM tidemark.restore_job WHERE finish_time IS NULL AND ";

TenantId tenantOf(mysql::SqlClient& client, JobId job_id) {
    const auto tenant = client.scalar("SELECT tenant_id FROM tidemark.restore_job WHERE job_id = ?", {job_id});
    if (!tenant) throw Error(ErrorCode::NotFound, fmt::format("there is no restore job {}", job_id));
    return std::stoll(*tenant);
}

/// Returns the tenant of the job.
TenantId update(mysql::SqlClient& client, const WorkClaim& claim, JobId job_id, const Columns& columns) {
    requireClaim(client, claim);
    updateRows(client, "restore_job", columns, {{"job_id", job_id}});
    return tenantOf(client, job_id);
}

}  // namespace

RestoreStore::Begun RestoreStore::start(const RestoreJobRow& wanted, const NewTenant& tenant, const std::string& plan,
                                        const std::optional<BackupUse>& use) {
    const auto work = [&](mysql::SqlClient& client) {
        // One start at a time, so that two of the same name do not both find nothing running.
        client.query("SELECT id FROM tidemark.cluster FOR UPDATE");
        if (!client.query(std::string(kSelectActive) + "tenant_name = ?", {wanted.tenant_name}).empty())
            throw obError(Ob::RestoreInProgress, "tenant " + wanted.tenant_name);
        Begun begun{.job = wanted, .tenant = createTenant(client, tenant, catalog_.clock().now())};
        begun.job.tenant = begun.tenant.id;
        begun.job.job_id = nextId(client, "restore_job", 0);
        begun.job.start_time = catalog_.clock().now();
        insertJob(client, begun.job);
        addWork(client, kRestoreWork, kSysTenantId, begun.job.job_id, plan);
        if (!use) return begun;
        BackupUse used = *use;
        used.kind = kRestoreWork;
        used.work_tenant = kSysTenantId;
        used.job_id = begun.job.job_id;
        useBackup(client, used);
        return begun;
    };
    return catalog_.writeThen(work, [](const Begun& begun) {
        return std::vector<Change>{
            {kSysTenantId, Topic::Restore}, {kSysTenantId, Topic::Tenant}, {begun.tenant.id, Topic::Everything}};
    });
}

void RestoreStore::tenantCreated(const WorkClaim& claim, JobId job_id) {
    const auto work = [&](mysql::SqlClient& client) {
        const TenantId tenant = update(client, claim, job_id,
                                       {{"sys_status", text(RestoreSysStatus::WaitTenantRestoreFinish)},
                                        {"tenant_status", text(RestoreTenantStatus::Restoring)},
                                        {"finish_bytes", std::int64_t{0}},
                                        {"finish_tablet_count", std::int64_t{0}},
                                        {"milliseconds_left", mysql::Value(nullptr)}});
        client.query("UPDATE tidemark.restore_job SET recover_scn = recover_start_scn WHERE job_id = ?", {job_id});
        return tenant;
    };
    catalog_.writeThen(work, restoreChanges);
}

void RestoreStore::setTenantStatus(const WorkClaim& claim, JobId job_id, RestoreTenantStatus status) {
    const auto work = [&](mysql::SqlClient& client) {
        return update(client, claim, job_id, {{"tenant_status", text(status)}});
    };
    catalog_.writeThen(work, restoreChanges);
}

void RestoreStore::becomeFull(const WorkClaim& claim, JobId job_id, const std::string& why) {
    const auto work = [&](mysql::SqlClient& client) {
        return update(client, claim, job_id,
                      {{"restore_type", text(RestoreType::Full)}, {"comment", fittingOrNull(why)}});
    };
    catalog_.writeThen(work, restoreChanges);
}

void RestoreStore::goOnRemote(const WorkClaim& claim, JobId job_id) {
    const auto work = [&](mysql::SqlClient& client) {
        endWork(client, claim);
        addWork(client, kHydrationWork, kSysTenantId, job_id);
        client.query("UPDATE tidemark.backup_use SET kind = ? WHERE kind = ? AND work_tenant_id = ? AND job_id = ?",
                     {kHydrationWork, kRestoreWork, kSysTenantId, job_id});
        updateRows(client, "restore_job", {{"tenant_status", text(RestoreTenantStatus::QuickRestoreFinish)}},
                   {{"job_id", job_id}});
        return tenantOf(client, job_id);
    };
    catalog_.writeThen(work, restoreChanges);
}

void RestoreStore::progress(const WorkClaim& claim, const RestoreJobRow& job) {
    catalog_.write(restoreChanges(job.tenant), [&](mysql::SqlClient& client) {
        update(
            client, claim, job.job_id,
            {{"finish_bytes", job.finish_bytes},
             {"finish_tablet_count", job.finish_tablet_count},
             {"recover_scn", job.recover_scn},
             {"milliseconds_left", job.left ? mysql::Value(std::int64_t{job.left->count()}) : mysql::Value(nullptr)}});
    });
}

void RestoreStore::finish(const WorkClaim& claim, JobId job_id, const Outcome& outcome,
                          const std::optional<RestorePace>& pace) {
    const auto work = [&](mysql::SqlClient& client) {
        endWork(client, claim);
        addWork(client, kRestoreHistoryWork, kSysTenantId, job_id, {}, kEndShown);
        const bool done = outcome.state == Outcome::State::Completed;
        updateRows(client, "restore_job",
                   {{"sys_status", text(done ? RestoreSysStatus::RestoreSuccess : RestoreSysStatus::RestoreFail)},
                    {"result", std::int64_t{outcome.result}},
                    {"comment", fittingOrNull(outcome.comment)},
                    {"finish_time", sqlTime(catalog_.clock().now())}},
                   {{"job_id", job_id}});
        client.query("UPDATE tidemark.restore_job SET tenant_status = ? WHERE job_id = ? AND tenant_status IS NOT NULL",
                     {text(done ? RestoreTenantStatus::RestoreSuccess : RestoreTenantStatus::RestoreFail), job_id});
        // Whatever of the progress could not be recorded: it is all done.
        if (done) {
            client.query(
                "UPDATE tidemark.restore_job SET finish_bytes = COALESCE(total_bytes, finish_bytes), "
                "finish_tablet_count = tablet_count, recover_scn = restore_scn WHERE job_id = ?",
                {job_id});
            if (pace) insertPace(client, *pace);
        }
        return tenantOf(client, job_id);
    };
    catalog_.writeThen(work, restoreChanges);
}

void RestoreStore::moveToHistory(const WorkClaim& claim, JobId job_id) {
    const auto work = [&](mysql::SqlClient& client) {
        endWork(client, claim);
        const TenantId tenant = tenantOf(client, job_id);
        catalog::moveToHistory(client, "restore_job", {{"job_id", job_id}});
        return tenant;
    };
    catalog_.writeThen(work, restoreChanges);
}

std::optional<JobId> RestoreStore::cancel(const std::string& tenant_name) {
    return catalog_.write({}, [&](mysql::SqlClient& client) -> std::optional<JobId> {
        const auto found = firstAs<RestoreJobRow>(
            client.query(std::string(kSelectActive) + "tenant_name = ?", {tenant_name}), restoreJobFrom);
        if (!found || !cancelWork(client, kRestoreWork, kSysTenantId, found->job_id)) return std::nullopt;
        return found->job_id;
    });
}

std::optional<RestoreJobRow> RestoreStore::findActive(const std::string& tenant_name) {
    return catalog_.read([&](mysql::SqlClient& client) {
        return firstAs<RestoreJobRow>(client.query(std::string(kSelectActive) + "tenant_name = ?", {tenant_name}),
                                      restoreJobFrom);
    });
}

std::optional<RestoreJobRow> RestoreStore::findActive(JobId job_id) {
    return catalog_.read([&](mysql::SqlClient& client) {
        return firstAs<RestoreJobRow>(client.query(std::string(kSelectActive) + "job_id = ?", {job_id}),
                                      restoreJobFrom);
    });
}

std::vector<RestoreJobRow> RestoreStore::history() {
    return catalog_.read([](mysql::SqlClient& client) {
        return rowsAs<RestoreJobRow>(client.query("SELECT * FROM tidemark.restore_job_history ORDER BY job_id"),
                                     restoreJobFrom);
    });
}

std::vector<RestorePace> RestoreStore::paces(std::int64_t server) {
    return catalog_.read([&](mysql::SqlClient& client) {
        return rowsAs<RestorePace>(
            client.query("SELECT * FROM tidemark.restore_pace WHERE server_id = ? ORDER BY job_id DESC", {server}),
            paceFrom);
    });
}

}  // namespace tidemark::catalog
