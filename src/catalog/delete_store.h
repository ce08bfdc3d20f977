#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <vector>

#include "catalog/archive_store.h"
#include "catalog/backup_store.h"
#include "catalog/backup_use.h"

namespace tidemark::catalog {

// Kinds of work: a tenant's deletion of backups, what one that ended has begun to remove, and the schedule.
constexpr const char* kDeleteWork = "delete";
constexpr const char* kDeleteRestWork = "delete-rest";
constexpr const char* kDeletePolicyWork = "delete-policy";

/// A row of *_BACKUP_DELETE_POLICY.
struct DeletePolicy {
    TenantId tenant = 0;
    std::string name;             ///< "default"
    std::string recovery_window;  ///< as it was given: "7d"
};

/// A row of *_BACKUP_DELETE_JOBS or *_BACKUP_DELETE_JOB_HISTORY.
struct DeleteJobRow {
    TenantId tenant = 0;
    JobId job_id = 0;               ///< from 1, per tenant
    TenantId initiator_tenant = 0;  ///< sys, or the tenant itself
    DeleteType type = DeleteType::Obsolete;
    std::optional<Nanos> expiry;  ///< Obsolete: the moment up to which the tenant stays restorable
    std::string parameter;        ///< of the other types: ids
    Nanos start_time = 0;
    std::optional<Nanos> end_time;
    BackupJobStatus status = BackupJobStatus::Init;
    std::int64_t task_count = 0;
    std::int64_t success_task_count = 0;
    int result = 0;
    std::string comment;
};

/// A row of *_BACKUP_DELETE_TASKS or *_BACKUP_DELETE_TASK_HISTORY: one set, or one piece.
struct DeleteTask {
    TenantId tenant = 0;
    std::int64_t task_id = 0;  ///< from 1, per tenant
    JobId job_id = 0;
    DeletedObject object = DeletedObject::BackupSet;
    std::int64_t id = 0;        ///< of the set, or the piece
    std::int64_t round_id = 0;  ///< of a piece
    std::int64_t dest_id = 0;
    Nanos start_time = 0;
    std::optional<Nanos> end_time;
    BackupJobStatus status = BackupJobStatus::Init;
    bool begun = false;  ///< what it is about may have lost objects
    // As they were measured at the destination before the first one was removed.
    std::uint64_t total_bytes = 0;
    std::uint64_t deleted_bytes = 0;
    std::int64_t total_files = 0;
    std::int64_t deleted_files = 0;
    int result = 0;
    std::string comment;
    std::string path;

    bool over() const {
        return status != BackupJobStatus::Init && status != BackupJobStatus::Doing &&
               status != BackupJobStatus::Canceling;
    }
};

/// A tenant's backups, as they are at one moment: what is decided from.
struct BackupInventory {
    std::vector<BackupSet> sets;       ///< in order of ids
    std::vector<ArchivePiece> pieces;  ///< likewise
    std::map<std::int64_t, Scn> kept;  ///< sets, and until when
    std::vector<BackupUse> uses;
};

struct DeletedThing {
    DeletedObject object = DeletedObject::BackupSet;
    std::int64_t id = 0;

    auto operator<=>(const DeletedThing&) const = default;
};

/// What is to be done, by whoever knows the rules (clean/retention.h).
struct DeleteDecision {
    std::vector<DeletedThing> remove;  ///< in this order
    /// Everything that the policy does not need any more, whether it can be removed now or not: FILE_STATUS is EXPIRED,
    /// and that of all others AVAILABLE again. nullopt: nothing is known of it.
    std::optional<std::vector<DeletedThing>> expired;
};

/// What a statement, or the schedule, asks for.
struct DeleteRequest {
    TenantId tenant = 0;
    TenantId initiator = 0;
    DeleteType type = DeleteType::Obsolete;
    std::optional<Nanos> expiry;
    std::string parameter;
    bool even_if_nothing = true;  ///< a job is written though there is nothing to be removed
    std::function<DeleteDecision(const BackupInventory&)> decide;  ///< pure; may be called several times
};

/// Deletions of backups, their schedule, and what is to be kept. Each call is one transaction; what a job writes, it
/// writes under its claim, and throws as requireClaim() does. Thread-safe.
class DeleteStore {
public:
    explicit DeleteStore(Catalog& catalog) : catalog_(catalog) {}

    /// With the record of work that runs it for the first time after `delay`. Throws Ob::EntryExist.
    void addPolicy(const DeletePolicy& policy, std::chrono::milliseconds delay);
    /// What had expired is AVAILABLE again. Throws Ob::EntryNotExist.
    void dropPolicy(TenantId tenant);
    std::optional<DeletePolicy> policy(TenantId tenant);
    /// The schedule's record ends, and the next one begins, if there still is a policy.
    void policyRan(const WorkClaim& claim, TenantId tenant, std::chrono::milliseconds delay);
    /// None waits for longer than `delay` from now.
    void hurryPolicies(std::chrono::milliseconds delay);

    /// Until then the set is not removed; kScnUnlimited: ever. nullopt: as if it had never been kept. Throws
    /// Ob::InvalidBackupSetId if there is no such set, or it is removed.
    void keep(TenantId tenant, std::int64_t backup_set_id, std::optional<Scn> until);

    BackupInventory inventory(TenantId tenant);

    /// Decides, and writes the job in INIT, its tasks, and its record of work. nullopt if there is nothing to do.
    /// Throws Ob::BackupDeleteInProgress if the tenant has one running, and what `decide` throws.
    std::optional<DeleteJobRow> start(const DeleteRequest& request);
    /// INIT → DOING.
    void begin(const WorkClaim& claim, TenantId tenant, JobId job_id);
    /// DOING, with its totals, and its set or piece DELETING: from now on it may lose objects. `held_by` tells, from
    /// how things are by now, why it may not; then the task is CANCELED with that comment, and false is returned.
    bool beginTask(const WorkClaim& claim, const DeleteTask& task,
                   const std::function<std::string(const BackupInventory&)>& held_by);
    void progress(const WorkClaim& claim, const DeleteTask& task);
    /// Everything of it is gone: DELETED.
    void completeTask(const WorkClaim& claim, const DeleteTask& task);
    /// FAILED; the outcome says why. `untouched`: its set or piece is whole, and is what it was before.
    void failTask(const WorkClaim& claim, const DeleteTask& task, const Outcome& outcome, bool untouched);
    /// The end: job and tasks move to the history. What a task has begun to remove is removed by work of kind
    /// kDeleteRestWork, one of each, with the task's id and this progress.
    void finish(const WorkClaim& claim, TenantId tenant, JobId job_id, const Outcome& outcome,
                const std::function<std::string(const DeleteTask&)>& rest);
    /// The end of such work.
    void finishRest(const WorkClaim& claim, TenantId tenant, const DeletedThing& thing);

    /// INIT or DOING → CANCELING. Returns the jobs that are now CANCELING. No tenant: all jobs.
    std::vector<DeleteJobRow> cancel(std::optional<TenantId> tenant);

    std::optional<DeleteJobRow> activeJob(TenantId tenant);
    /// Of an active job, in the order in which they are to be done.
    std::vector<DeleteTask> tasks(TenantId tenant, JobId job_id);

private:
    Catalog& catalog_;
};

}  // namespace tidemark::catalog
