#pragma once

#include <functional>
#include <memory>
#include <stop_token>

#include "backup/data_backup.h"
#include "backup/task_recorder.h"
#include "backup_set/backup_set.h"
#include "base/log.h"
#include "catalog/stores.h"
#include "job/job_runner.h"
#include "storage/destination.h"
#include "storage/open_storage.h"
#include "tenant/replicas.h"

namespace tidemark::backup {

/// What a backup works with; references outlive it.
struct BackupJobParts {
    catalog::Stores& stores;
    const tenant::Replicas& tenants;
    const Clock& clock;
    std::filesystem::path own_directory;  ///< the node's, where no destination may lie

    storage::DestinationIdentity identity(const catalog::Tenant& tenant, std::int64_t dest_id) const;
};

/// One tenant's data backup: its files become a set, which becomes visible once the archive has passed its end.
class BackupJob : public job::RunnerJob {
public:
    /// `row` is in INIT.
    BackupJob(const BackupJobParts& parts, const catalog::BackupJobRow& row);

    void run(std::stop_token stop) override;
    void finish(const catalog::Outcome& outcome) override;

private:
    void begin();
    void removeLeftovers();
    void describeTenant();
    /// Copies the tenant's files, again if a copy could not be used.
    DataBackupResult copyData(std::stop_token stop);
    DataBackupResult copyOnce(std::stop_token stop);
    /// `gtid` without the domains that the tenant's own binlog does not have: a tenant that was restored keeps the
    /// position of the log it replayed, which no archive of its own ever contains.
    std::string ownPosition(const std::string& gtid);
    catalog::ArchiveRound currentRound();
    void awaitArchive(const std::string& gtid, std::stop_token stop);
    void completeSet(const DataBackupResult& copied);
    bool finishWhole();
    void removeOwnSet();

    void enter(catalog::BackupTaskStatus status);

    const BackupJobParts parts_;
    const catalog::BackupJobRow row_;
    const Logger log_;
    catalog::Tenant tenant_;
    catalog::BackupTask task_;
    catalog::BackupSet set_;
    catalog::ArchiveRound round_;  // in which the set is made
    std::shared_ptr<storage::Storage> storage_;
    backup_set::BackupSetDescription description_;
    std::shared_ptr<DataBackupProgress> progress_;  // of the present attempt
    std::unique_ptr<TaskRecorder> recorder_;
};

}  // namespace tidemark::backup
