#pragma once

#include <string>
#include <vector>

#include "catalog/catalog.h"

namespace tidemark::catalog {

/// One restore: both rows of CDB_OB_RESTORE_PROGRESS (sys's and the tenant's), then of CDB_OB_RESTORE_HISTORY.
struct RestoreJobRow {
    JobId job_id = 0;  ///< from 1, for the whole cluster
    std::string tenant_name;
    TenantId tenant = 0;  ///< the tenant that is made; 0 until it has an id
    std::string backup_tenant_name;
    TenantId backup_tenant = 0;
    std::string backup_cluster_name;
    std::string backup_dest;  ///< as written in FROM, without secrets
    std::string option;       ///< as given in WITH
    Scn restore_scn = 0;
    RestoreSysStatus sys_status = RestoreSysStatus::CreateTenant;
    /// Empty until the tenant exists: then its row is shown.
    std::optional<RestoreTenantStatus> tenant_status;
    Nanos start_time = 0;
    std::optional<Nanos> finish_time;
    std::string set_list;    ///< URIs, comma-separated
    std::string piece_list;  ///< URIs, comma-separated
    std::string description;
    std::int64_t backup_cluster_version = 0;

    std::optional<std::uint64_t> total_bytes;
    std::uint64_t finish_bytes = 0;
    std::int64_t tablet_count = 0;
    std::int64_t finish_tablet_count = 0;
    Scn recover_start_scn = 0;  ///< replay of the log begins here (the set's consistent SCN)
    Scn recover_scn = 0;        ///< and has come to here
    int result = 0;
    std::string comment;
};

/// Restores. Each call is one transaction. Thread-safe.
class RestoreStore {
public:
    explicit RestoreStore(Catalog& catalog) : catalog_(catalog) {}

    /// Writes the job in CREATE_TENANT; fills in job id and start time.
    /// Throws Ob::RestoreInProgress if one of the same tenant name is running.
    RestoreJobRow start(const RestoreJobRow& job);
    /// The tenant exists: sys row → WAIT_TENANT_RESTORE_FINISH, tenant row → RESTORING.
    void tenantCreated(JobId job_id, TenantId tenant);
    void setTenantStatus(JobId job_id, RestoreTenantStatus status);
    /// Writes finished bytes and tablets and the SCN that is reached; totals are there from the start. At most a few
    /// times a second.
    void progress(const RestoreJobRow& job);
    /// The end: both rows are RESTORE_SUCCESS, with all counters at their totals, or RESTORE_FAIL (also a cancelled
    /// one). They stay in PROGRESS until moveToHistory(). Nothing happens if it is over already.
    void finish(JobId job_id, const Outcome& outcome);
    /// Takes an ended job from PROGRESS to HISTORY. Nothing happens if it has not ended, or is there.
    void moveToHistory(JobId job_id);
    /// Those that have ended and are still in PROGRESS, in order of ids.
    std::vector<JobId> ended();

    /// Those that have not ended, in order of ids: at the daemon's start, what was interrupted.
    std::vector<RestoreJobRow> active();
    std::optional<RestoreJobRow> findActive(const std::string& tenant_name);
    std::vector<RestoreJobRow> history();

private:
    Catalog& catalog_;
};

}  // namespace tidemark::catalog
