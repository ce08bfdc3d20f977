#pragma once

#include <optional>

#include "catalog/backup_store.h"
#include "catalog/sql_row.h"

namespace tidemark::catalog {

// How backup jobs, tasks and sets lie in their tables, for the stores that write them.

/// Who starts something with backups is let in one at a time, so that two of them never both find nothing running.
void takeTurn(mysql::SqlClient& client);
/// How a job that has ended is shown.
BackupJobStatus terminalStatus(Outcome::State state);

BackupJobRow backupJobFrom(const mysql::Row& row);
BackupTask backupTaskFrom(const mysql::Row& row);
BackupSet backupSetFrom(const mysql::Row& row);

void insertBackupJob(mysql::SqlClient& client, const BackupJobRow& job);
void insertBackupTask(mysql::SqlClient& client, const BackupTask& task);
void insertBackupSet(mysql::SqlClient& client, const BackupSet& set);
/// The columns of BackupStats, which tasks and sets share.
Columns statsColumns(const BackupStats& stats);

/// Ends every sys-started backup none of whose tenants' jobs is active any more: FAILED if one failed (with its
/// result), else CANCELED if one was cancelled, else COMPLETED.
void endParentJobs(mysql::SqlClient& client, Nanos now);

}  // namespace tidemark::catalog
