#include "catalog/event_store.h"

#include "catalog/sql_row.h"

namespace tidemark::catalog {
namespace {

constexpr std::size_t kMostValues = 6;

TenantJob tenantJobFrom(const mysql::Row& row) {
    TenantJob job{.job_id = row.integer("job_id"),
                  .type = row.text("job_type"),
                  .status = parseText<TenantJobStatus>(row.text("status")),
                  .progress = row.integer("progress"),
                  .tenant = row.integer("tenant_id"),
                  .sql_text = row.text("sql_text"),
                  .extra_info = row.text("extra_info"),
                  .start_time = timeOf(row, "start_time"),
                  .modify_time = timeOf(row, "modify_time")};
    if (row.maybe("result_code")) job.result_code = static_cast<int>(row.integer("result_code"));
    return job;
}

}  // namespace

// Nothing here is part of a tenant's copy: no Change is reported.

void EventStore::record(const std::string& module, const std::string& event,
                        const std::vector<std::pair<std::string, std::string>>& values, const std::string& extra) {
    catalog_.write({}, [&](mysql::SqlClient& client) {
        const std::int64_t id = nextId(client, "rootservice_event", 0);
        Columns columns{{"id", id},
                        {"at", sqlTime(catalog_.clock().now())},
                        {"module", fitting(module, 64)},
                        {"event", fitting(event, 64)},
                        {"extra_info", fitting(extra, 512)}};
        for (std::size_t i = 0; i < std::min(values.size(), kMostValues); ++i) {
            columns.emplace_back("name" + std::to_string(i + 1), fitting(values[i].first, 256));
            columns.emplace_back("value" + std::to_string(i + 1), fitting(values[i].second, 256));
        }
        insertRow(client, "rootservice_event", columns);
        client.query("DELETE FROM tidemark.rootservice_event WHERE id <= ?", {id - limit_});
    });
}

JobId EventStore::startTenantJob(const std::string& type, TenantId tenant, const std::string& sql_text,
                                 const std::string& extra_info) {
    return catalog_.write({}, [&](mysql::SqlClient& client) {
        const JobId id = nextId(client, "tenant_job", 0);
        const mysql::Value now = sqlTime(catalog_.clock().now());
        insertRow(client, "tenant_job",
                  {{"job_id", id},
                   {"job_type", type},
                   {"status", text(TenantJobStatus::InProgress)},
                   {"progress", std::int64_t{0}},
                   {"tenant_id", tenant},
                   {"sql_text", fitting(sql_text, 65536)},
                   {"extra_info", fitting(extra_info, 512)},
                   {"start_time", now},
                   {"modify_time", now}});
        client.query("DELETE FROM tidemark.tenant_job WHERE job_id <= ?", {id - limit_});
        return id;
    });
}

void EventStore::finishTenantJob(JobId job_id, TenantJobStatus status, int result_code) {
    catalog_.write({}, [&](mysql::SqlClient& client) {
        client.query(
            "UPDATE tidemark.tenant_job SET status = ?, result_code = ?, modify_time = ?, "
            "progress = IF(?, 100, progress) WHERE job_id = ?",
            {text(status), std::int64_t{result_code}, sqlTime(catalog_.clock().now()),
             std::int64_t{status == TenantJobStatus::Success}, job_id});
    });
}

std::vector<TenantJob> EventStore::tenantJobs() {
    return catalog_.read([](mysql::SqlClient& client) {
        return rowsAs<TenantJob>(client.query("SELECT * FROM tidemark.tenant_job ORDER BY job_id"), tenantJobFrom);
    });
}

}  // namespace tidemark::catalog
