#pragma once

#include <string>
#include <utility>
#include <vector>

#include "catalog/catalog.h"

namespace tidemark::catalog {

/// A row of DBA_OB_TENANT_JOBS: an administrative change of a tenant.
struct TenantJob {
    JobId job_id = 0;
    std::string type;  ///< e.g. ALTER_RESOURCE_TENANT_UNIT_NUM
    TenantJobStatus status = TenantJobStatus::InProgress;
    std::optional<int> result_code;
    std::int64_t progress = 0;  ///< percent
    TenantId tenant = 0;
    std::string sql_text;
    std::string extra_info;
    Nanos start_time = 0;
    Nanos modify_time = 0;
};

/// What happened in the cluster (DBA_OB_ROOTSERVICE_EVENT_HISTORY) and administrative jobs (DBA_OB_TENANT_JOBS).
/// Thread-safe.
class EventStore {
public:
    /// No more than `limit` events and as many tenant jobs are kept: the oldest go.
    explicit EventStore(Catalog& catalog, std::int64_t limit = 10'000) : catalog_(catalog), limit_(limit) {}

    /// `values`: up to six pairs of name and value, each cut at 256 characters; `extra` is cut at 512.
    void record(const std::string& module, const std::string& event,
                const std::vector<std::pair<std::string, std::string>>& values = {}, const std::string& extra = {});

    JobId startTenantJob(const std::string& type, TenantId tenant, const std::string& sql_text,
                         const std::string& extra_info);
    void finishTenantJob(JobId job_id, TenantJobStatus status, int result_code);
    std::vector<TenantJob> tenantJobs();

private:
    Catalog& catalog_;
    const std::int64_t limit_;
};

}  // namespace tidemark::catalog
