#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "catalog/backup_use.h"
#include "catalog/catalog.h"
#include "catalog/tenant_store.h"
#include "catalog/work_store.h"

namespace tidemark::catalog {

/// One restore: both rows of CDB_OB_RESTORE_PROGRESS (sys's and the tenant's), then of CDB_OB_RESTORE_HISTORY.
struct RestoreJobRow {
    JobId job_id = 0;  ///< from 1, for the whole cluster
    std::string tenant_name;
    TenantId tenant = 0;  ///< the tenant that is made
    std::string backup_tenant_name;
    TenantId backup_tenant = 0;
    std::string backup_cluster_name;
    std::string backup_dest;  ///< as written in FROM, without secrets
    std::string option;       ///< as given in WITH
    Scn restore_scn = 0;
    RestoreSysStatus sys_status = RestoreSysStatus::CreateTenant;
    /// Empty until the tenant has its directory: then its row is shown.
    std::optional<RestoreTenantStatus> tenant_status;
    Nanos start_time = 0;
    std::optional<Nanos> finish_time;
    std::string set_list;    ///< URIs, comma-separated
    std::string piece_list;  ///< URIs, comma-separated
    std::string description;
    std::int64_t backup_cluster_version = 0;
    RestoreType type = RestoreType::Full;

    std::optional<std::uint64_t> total_bytes;
    std::uint64_t finish_bytes = 0;
    std::int64_t tablet_count = 0;
    std::int64_t finish_tablet_count = 0;
    std::optional<std::chrono::milliseconds> left;  ///< that it still takes, as it is estimated
    Scn recover_start_scn = 0;                      ///< replay of the log begins here (the set's consistent SCN)
    Scn recover_scn = 0;                            ///< and has come to here
    int result = 0;
    std::string comment;
};

/// What a restore that succeeded took on its node. Times are those of its last attempt, without waiting for a turn.
struct RestorePace {
    JobId job_id = 0;
    std::int64_t server = 0;                ///< as in catalog::Server
    std::uint64_t file_bytes = 0;           ///< of the tenant's files
    std::chrono::microseconds file_time{};  ///< reading, decoding and writing them
    std::uint64_t log_bytes = 0;            ///< of the replayed log, before compression
    std::chrono::microseconds log_time{};
    std::chrono::microseconds rest_time{};  ///< everything else: preparing, starting, checking
};

// Kinds of work (work_store.h), all of tenant sys: a job's id is unique in the cluster.
constexpr const char* kRestoreWork = "restore";
/// Fetches what is missing of a tenant that a restore has opened.
constexpr const char* kHydrationWork = "restore-hydration";
/// Moves an ended restore to the history.
constexpr const char* kRestoreHistoryWork = "restore-history";

/// Restores. Each call is one transaction; what a job writes, it writes under its claim, and Conflict is thrown if that
/// is void. Thread-safe.
class RestoreStore {
public:
    explicit RestoreStore(Catalog& catalog) : catalog_(catalog) {}

    /// PROGRESS shows for so long how a restore has ended, so that who looks every second sees it.
    static constexpr std::chrono::milliseconds kEndShown{2000};

    /// A restore that has begun, and its tenant.
    struct Begun {
        RestoreJobRow job;
        Tenant tenant;
    };

    /// Writes the job in CREATE_TENANT, its record of work with `plan` as its progress, and its tenant, so that none of
    /// them is ever without the others. Fills in job id, start time and tenant.
    /// `use`: what it reads of this cluster's own backups stays until it has ended.
    /// Throws Ob::RestoreInProgress if one of the same tenant name is running, and what TenantStore::create() and
    /// useBackup() throw.
    Begun start(const RestoreJobRow& job, const NewTenant& tenant, const std::string& plan,
                const std::optional<BackupUse>& use = std::nullopt);
    /// The tenant has an empty directory: sys row → WAIT_TENANT_RESTORE_FINISH, tenant row → RESTORING; in a later
    /// attempt, again. All counters begin.
    void tenantCreated(const WorkClaim& claim, JobId job_id);
    void setTenantStatus(const WorkClaim& claim, JobId job_id, RestoreTenantStatus status);
    /// What a quick restore comes to where nothing can be mounted; `why` is its COMMENT.
    void becomeFull(const WorkClaim& claim, JobId job_id, const std::string& why);
    /// The tenant is open, and not all of its files are local: QUICK_RESTORE_FINISH. The record of work ends, and one
    /// of kHydrationWork goes on, to which what was used of backups goes over.
    void goOnRemote(const WorkClaim& claim, JobId job_id);
    /// Writes finished bytes and tablets and the SCN that is reached; totals are there from the start. At most a few
    /// times a second.
    void progress(const WorkClaim& claim, const RestoreJobRow& job);
    /// The end, also of the record of work: both rows are RESTORE_SUCCESS, with all counters at their totals, or
    /// RESTORE_FAIL (also a cancelled one). They stay in PROGRESS for kEndShown: a record of kRestoreHistoryWork is
    /// made, which is due then.
    /// `pace`: of a success, if it was measured; the newest kPacesKept of a node are kept.
    void finish(const WorkClaim& claim, JobId job_id, const Outcome& outcome,
                const std::optional<RestorePace>& pace = {});
    /// Takes an ended job from PROGRESS to HISTORY, and ends that record.
    void moveToHistory(const WorkClaim& claim, JobId job_id);
    /// Asks for the end of the one of this tenant name. nullopt if none is running.
    std::optional<JobId> cancel(const std::string& tenant_name);

    /// Running, not ended.
    std::optional<RestoreJobRow> findActive(const std::string& tenant_name);
    std::optional<RestoreJobRow> findActive(JobId job_id);
    std::vector<RestoreJobRow> history();

    static constexpr int kPacesKept = 20;
    /// Of the node's newest restores, the newest first.
    std::vector<RestorePace> paces(std::int64_t server);

private:
    Catalog& catalog_;
};

}  // namespace tidemark::catalog
