#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>

#include "backup/set_course.h"
#include "backup/task_recorder.h"
#include "base/log.h"
#include "catalog/stores.h"
#include "job/capacity.h"
#include "job/job.h"
#include "job/time_left.h"
#include "job/work_context.h"
#include "mysql/gtid.h"
#include "storage/destination.h"
#include "storage/open_storage.h"
#include "tenant/replicas.h"

namespace tidemark::backup {

/// What a backup works with; references outlive it.
struct BackupJobParts {
    catalog::Stores& stores;
    const tenant::Replicas& tenants;
    const Clock& clock;
    job::Capacity& capacity;
    const NodeKey& node_key;
    std::filesystem::path own_directory;  ///< the node's, where no destination may lie
    /// The tenant's round is to archive this position soon; then its backup is to be woken. See
    /// archive::ArchiveService::whenArchived().
    std::function<void(catalog::TenantId, std::int64_t round_id, const mysql::GtidPosition&)> await_archive =
        [](auto, auto, const auto&) {};
    /// The archiver that writes to this destination (URI) is to write all that was committed by now. Waits a moment.
    std::function<void(const std::string&)> write_archive = [](const auto&) {};

    storage::DestinationIdentity identity(const catalog::Tenant& tenant, std::int64_t dest_id) const;
};

/// One tenant's data backup: its files become a set, which becomes visible once the archive has passed its end.
///
/// A later attempt goes on where an earlier one has come to: a set that is whole at the destination is taken, a whole
/// copy goes on waiting for the archive, or copying the log, and what else there is is copied again, in another turn.
/// Nothing is removed here; the end leaves that to the cleaner (clean/leftover_job.h).
class BackupJob : public job::Job {
public:
    /// `row` is active: in INIT, or of an earlier attempt.
    BackupJob(const BackupJobParts& parts, const catalog::BackupJobRow& row, job::WorkContext& context);

    bool heavy() const override { return course_.step() == Step::Copy || course_.step() == Step::CopyLog; }
    std::optional<job::Pause> ask() override;
    std::optional<job::Pause> run(std::stop_token stop) override;
    void finish(const catalog::Outcome& outcome) override;

private:
    using Step = SetCourse::Step;

    // Each does what it says and sets the next step.
    std::optional<job::Pause> step(std::stop_token stop);
    std::optional<job::Pause> begin(const std::stop_token& stop);
    job::Pause copy(std::stop_token stop);
    job::Pause noteCopy();
    job::Pause beginToWait();
    job::Pause awaitArchive();
    job::Pause waiting(const std::string& reason);
    void completeSet(const std::stop_token& stop);
    std::string noteWrongPages();
    catalog::BackupStats statsOfCopy() const;

    // PLUS ARCHIVELOG: backup_job_log.cpp.
    job::Pause chooseLog();
    job::Pause beginToCopyLog();
    job::Pause copyLog(std::stop_token stop);
    void extractLog(std::stop_token stop);
    void showLog(std::uint64_t files, const archive::LogExtract::Progress& done);

    void openDestination();
    void beginSet(const std::stop_token& stop);
    /// Goes on with the set of an earlier attempt. nullopt: it is whole.
    std::optional<job::Pause> resume(const std::stop_token& stop);
    job::Pause beginCopy();
    backup_set::ChainKeyPtr keyOf(std::int64_t set) const;
    backup_set::ChainKeyPtr key() const { return course_.key(); }
    void describeTenant();
    DataBackupResult copyOnce(std::stop_token stop);
    /// `gtid` without the domains that the tenant's own binlog does not have: a tenant that was restored keeps the
    /// position of the log it replayed, which no archive of its own ever contains.
    std::string ownPosition(const std::string& gtid);
    catalog::ArchiveRound currentRound();
    bool archivePassed();
    std::optional<catalog::BackupSet> wholeSet();
    std::optional<Leftovers> leftovers(bool completed) const;

    void enter(catalog::BackupTaskStatus status);
    TaskRecorder& recorder();

    const BackupJobParts parts_;
    catalog::BackupJobRow row_;
    job::WorkContext& context_;
    const Logger log_;
    SetCourse course_;                         ///< decides; what it knows of the set is there
    GrowingPause wait_ = job::waitingPause();  ///< while something is waited for
    catalog::Tenant tenant_;
    catalog::BackupTask task_;
    catalog::BackupSet set_;
    std::shared_ptr<storage::Storage> log_archive_;  ///< while the log is copied: where from
    std::shared_ptr<DataBackupProgress> counters_;   // of the present copy
    job::TimeLeft time_left_;                        // the recorder's, over all copies
    std::unique_ptr<TaskRecorder> recorder_;         // while there is something to show
};

}  // namespace tidemark::backup
