#pragma once

#include <string>
#include <vector>

#include "catalog/catalog.h"

namespace tidemark::catalog {

/// A piece of work (work_store.h) that reads a backup: nothing of the set, of what it leans on and of the log is
/// removed. It is in use for as long as there is that record of work, so nobody has to give it back, and who dies holds
/// it until somebody else has ended its work.
///
/// Known is what this cluster reads of its own tenants' backups. What another cluster restores from the same
/// destination nobody can know.
struct BackupUse {
    TenantId tenant = 0;  ///< whose backup it is
    std::int64_t backup_set_id = 0;
    std::string kind;  ///< of the work
    TenantId work_tenant = 0;
    JobId job_id = 0;
    // The log that is read; until 0: none.
    Scn log_from = 0;
    Scn log_until = 0;
};

// For the stores of the kinds, in the transaction that makes the record of work, or the set that leans on another.

/// Throws Ob::OpNotAllow if the set is being removed, or is removed already. A set that the catalog does not know is
/// nobody's to remove. Whoever removes sets and whoever begins to use them come one after the other.
void requireNotRemoved(mysql::SqlClient& client, TenantId tenant, std::int64_t backup_set_id);
/// requireNotRemoved(), and the use is noted.
void useBackup(mysql::SqlClient& client, const BackupUse& use);
/// All of a tenant's, whose work is not over. Forgets the others.
std::vector<BackupUse> backupUses(mysql::SqlClient& client, TenantId tenant);

}  // namespace tidemark::catalog
