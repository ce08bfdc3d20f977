#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cli/progress.h"
#include "mysql/sql_client.h"

namespace tidemark::cli {

/// How a job ended, as its history view tells.
struct JobEnd {
    std::string label;
    std::string status;   ///< COMPLETED, FAILED, CANCELED; for restores SUCCESS, FAIL
    std::string comment;  ///< why, when it failed
    bool ok = false;
};

/// Backups and restores that run now, from CDB_OB_BACKUP_TASKS, CDB_OB_BACKUP_JOBS and CDB_OB_RESTORE_PROGRESS.
std::vector<JobProgress> runningJobs(mysql::SqlClient& client);

/// What a job of this id (as in JobProgress::id) came to, or nullopt while it runs.
std::optional<JobEnd> jobEnd(mysql::SqlClient& client, const std::string& id);

/// Ids of the jobs that a backup just started from sys has: one per tenant under the newest parent job.
std::vector<std::string> newestBackupJobs(mysql::SqlClient& client);
/// Id of the newest restore into this tenant.
std::string newestRestoreJob(mysql::SqlClient& client, const std::string& tenant);

/// Draws bars until all the jobs have ended and prints how. Returns true if every one succeeded.
bool watchUntilEnd(mysql::SqlClient& client, const std::vector<std::string>& ids);

}  // namespace tidemark::cli
