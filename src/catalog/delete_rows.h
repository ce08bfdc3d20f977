#pragma once

#include "catalog/delete_store.h"
#include "catalog/sql_row.h"

namespace tidemark::catalog {

// How deletions lie in their tables; DeleteStore's own.

DeleteJobRow deleteJobFrom(const mysql::Row& row);
DeleteTask deleteTaskFrom(const mysql::Row& row);
void insertDeleteJob(mysql::SqlClient& client, const DeleteJobRow& job);
void insertDeleteTask(mysql::SqlClient& client, const DeleteTask& task);
/// All of the tenant's, locked: whoever decides from it and whoever changes it come one after the other.
BackupInventory lockedInventory(mysql::SqlClient& client, TenantId tenant);
void setFileStatus(mysql::SqlClient& client, TenantId tenant, const DeletedThing& thing, FileStatus status);
/// What may be removed is EXPIRED if it is in `expired`, else AVAILABLE.
void markExpired(mysql::SqlClient& client, TenantId tenant, const BackupInventory& inventory,
                 const std::vector<DeletedThing>& expired);

}  // namespace tidemark::catalog
