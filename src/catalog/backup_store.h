#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "catalog/catalog.h"
#include "catalog/work_store.h"

namespace tidemark::catalog {

/// The kinds of work: a tenant's backup, and the removal of what one has left.
constexpr const char* kBackupWork = "backup";
constexpr const char* kCleanWork = "clean";

/// How a set is encrypted, as the views show it.
struct BackupEncryption {
    std::string mode = "NONE";  ///< or PASSWORD, TRANSPARENT_ENCRYPTION
    std::string passwd;         ///< the id of the key that a password has become; tells nothing about either

    bool on() const { return mode != "NONE"; }
};

/// A row of *_BACKUP_JOBS or *_BACKUP_JOB_HISTORY.
struct BackupJobRow {
    TenantId tenant = 0;
    JobId job_id = 0;                ///< from 1, per tenant
    std::int64_t backup_set_id = 0;  ///< 0 in the parent row of sys
    TenantId initiator_tenant = 0;
    JobId initiator_job_id = 0;  ///< the sys job's id, 0 when the tenant started it itself
    std::string executors;       ///< tenant ids, comma-separated
    std::int64_t dest_id = 0;    ///< in no view; 0 in the parent row
    bool plus_archivelog = false;
    BackupType type = BackupType::Full;
    JobLevel level = JobLevel::UserTenant;
    BackupEncryption encryption;
    Nanos start_time = 0;
    std::optional<Nanos> end_time;
    BackupJobStatus status = BackupJobStatus::Init;
    int result = 0;
    std::string comment;
    std::string description;
    std::string path;  ///< of the destination
};

/// What BACKUP asks for one tenant.
struct BackupRequest {
    TenantId tenant = 0;
    std::int64_t dest_id = 0;
    std::string path;
    BackupType type = BackupType::Full;
    bool plus_archivelog = false;
    std::string description;
    std::string comment;  ///< what is to be said of it from the start
    BackupEncryption encryption;
    std::string work_progress;  ///< what the record of work begins with
};

/// The numbers of a task and of its set. Measured, never estimated; bytes.
struct BackupStats {
    std::uint64_t input_bytes = 0;   ///< read from the tenant
    std::uint64_t output_bytes = 0;  ///< written to the destination
    std::uint64_t extra_meta_bytes = 0;
    std::int64_t tablet_count = 0;
    std::int64_t finish_tablet_count = 0;
    std::int64_t macro_block_count = 0;  ///< 0 while unknown
    std::int64_t finish_macro_block_count = 0;
    std::int64_t file_count = 0;
    std::int64_t log_file_count = 0;  ///< PLUS ARCHIVELOG only
    std::int64_t finish_log_file_count = 0;
};

/// A row of *_BACKUP_TASKS or *_BACKUP_TASK_HISTORY: one backup set in the making.
struct BackupTask {
    TenantId tenant = 0;
    std::int64_t task_id = 0;  ///< from 1, per tenant
    JobId job_id = 0;
    std::int64_t backup_set_id = 0;
    Nanos start_time = 0;
    std::optional<Nanos> end_time;
    BackupTaskStatus status = BackupTaskStatus::Init;
    Scn start_scn = 0;
    Scn end_scn = 0;
    Scn user_ls_start_scn = 0;  ///< where the log is needed from
    std::int64_t turn = 1;      ///< which copy of the tenant, from 1
    BackupEncryption encryption;
    BackupStats stats;
    std::optional<std::chrono::milliseconds> left;  ///< that it still takes, as it is estimated
    int result = 0;
    std::string comment;
    std::string path;
};

/// A row of *_BACKUP_SET_FILES.
struct BackupSet {
    TenantId tenant = 0;
    std::int64_t backup_set_id = 0;  ///< from 1, per tenant
    std::int64_t dest_id = 0;
    BackupType type = BackupType::Full;
    std::int64_t prev_full_set_id = 0;  ///< 0 in a full set
    std::int64_t prev_inc_set_id = 0;   ///< the set that it was made against, full or not; 0 in a full set
    Nanos start_time = 0;
    std::optional<Nanos> end_time;
    BackupSetStatus status = BackupSetStatus::Doing;
    FileStatus file_status = FileStatus::Copying;
    bool plus_archivelog = false;
    Scn start_replay_scn = 0;  ///< log is needed from here
    Scn min_restore_scn = 0;   ///< the earliest point it can be restored to
    Scn consistent_scn = 0;
    Scn log_end_scn = 0;  ///< the end of the log that it carries itself; 0: none
    BackupEncryption encryption;
    BackupStats stats;
    int result = 0;
    std::string comment;
    std::string tenant_compatible = "4.3.3.0";
    std::int64_t backup_compatible = 1;  ///< version of Tidemark's own backup format
    std::string cluster_version = "4.3.3.0";
    std::string path;
};

/// Whether a set, or one that it leans on, is BROKEN. `sets`: all of its tenant.
bool leansOnBroken(const std::vector<BackupSet>& sets, const BackupSet& set);

/// A new task with the set it makes.
struct BegunBackup {
    BackupTask task;
    BackupSet set;
};

/// What a sys-started backup wrote: its own row and one per tenant.
struct ClusterBackup {
    BackupJobRow parent;
    std::vector<BackupJobRow> jobs;
};

/// Backup jobs, tasks and sets. Each call is one transaction. Life of a job: start… → INIT, with a record of work of
/// kind "backup"; begin() → DOING with a task and a set; progress(); finish() → moved to the history, the record is
/// gone. What the job itself writes it writes under its claim, and throws as requireClaim() does. Thread-safe.
class BackupStore {
public:
    explicit BackupStore(Catalog& catalog) : catalog_(catalog) {}

    /// A backup that the tenant started itself. Throws Ob::BackupInProgress if it has one already.
    BackupJobRow start(const BackupRequest& request);
    /// A backup that sys started, of all tenants (level CLUSTER) or of named ones (SYS_TENANT).
    /// Throws Ob::BackupInProgress if one of them, or sys, has one already; then nothing is started.
    ClusterBackup startFromSys(const std::vector<BackupRequest>& requests, JobLevel level,
                               const std::string& description);

    /// INIT → DOING: writes the task (INIT) and the set (DOING, COPYING). The set's id is the tenant's next one, but
    /// not below `least_set_id`, for a destination that holds sets this catalog does not know. The set's comment is
    /// said of the job. Throws Cancelled if the job is CANCELING, NotFound if it is over, Ob::OpNotAllow if a set that
    /// it is to lean on is being removed. `work_progress` is noted in the record of work, `wrapped_key` (if any) beside
    /// the set.
    BegunBackup begin(const WorkClaim& claim, TenantId tenant, JobId job_id, const BackupSet& set,
                      std::int64_t least_set_id = 1, const std::string& work_progress = {},
                      const std::string& wrapped_key = {});
    /// Writes status, SCNs and stats of the running task; the set's stats follow. At most a few times a second.
    /// Does not touch a CANCELING status.
    void progress(const WorkClaim& claim, const BackupTask& task);
    /// The end, in one transaction: task and job move to the history with the outcome, the set becomes SUCCESS and
    /// AVAILABLE, or FAILED and INCOMPLETE. `set` carries what the views show of it, a whole one also its end (null: the job failed before it had
    /// one, or nothing new is known). When it was the last job of a sys-started backup, the parent ends too.
    /// `leftovers`: something is to be removed at the destination, by work of kind "clean" that begins with this
    /// progress. If the tenant was dropped meanwhile, and its rows with it, only the records of work change.
    void finish(const WorkClaim& claim, TenantId tenant, JobId job_id, const Outcome& outcome,
                const BackupSet* set = nullptr, const std::optional<std::string>& leftovers = std::nullopt);

    /// A set that the catalog calls FAILED was found whole at its destination: it becomes SUCCESS and AVAILABLE, as
    /// `set` describes it. The job has ended as it did. `claim` is that of the cleaner.
    void adopt(const WorkClaim& claim, const BackupSet& set);

    /// A failed set that is complete and cannot be restored is about to be removed: from now on nobody begins to use it.
    /// Throws Unavailable while somebody does.
    void giveUp(const WorkClaim& claim, TenantId tenant, std::int64_t backup_set_id);

    /// A complete set that a destination has and the catalog does not, as `set` describes it; its key, if it is known.
    /// False, and nothing changes, if the catalog has a set of this number, whatever became of it. Numbers that are
    /// given from now on are greater.
    bool enter(const BackupSet& set, std::int64_t turn, const std::string& wrapped_key);

    /// A set that is in the catalog without its key, or with one that is none any more, gets it, and the counters that
    /// its description has hidden. False if it is not there, or not complete.
    bool enterKey(const BackupSet& set, const std::string& wrapped_key);

    /// INIT or DOING → CANCELING, with the task; for a parent, its tenants' jobs too. Returns the tenants' jobs that
    /// are now CANCELING. No tenant: all jobs.
    std::vector<BackupJobRow> cancel(std::optional<TenantId> tenant);

    /// Non-terminal jobs of tenants (not the parents), in order of start.
    std::vector<BackupJobRow> activeJobs();
    /// Active or over.
    std::optional<BackupJobRow> job(TenantId tenant, JobId job_id);
    std::optional<BackupTask> taskOf(TenantId tenant, JobId job_id);

    /// In order of ids.
    std::vector<BackupSet> sets(TenantId tenant);
    std::optional<BackupSet> set(TenantId tenant, std::int64_t backup_set_id);
    /// What begin() has noted beside an encrypted set.
    std::optional<std::string> wrappedKeyOf(TenantId tenant, std::int64_t backup_set_id);

private:
    Catalog& catalog_;
};

}  // namespace tidemark::catalog
