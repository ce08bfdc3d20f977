#include "catalog/backup_use.h"

#include <fmt/format.h>

#include "catalog/sql_row.h"
#include "oceanbase/ob_error.h"

namespace tidemark::catalog {
namespace {

BackupUse useFrom(const mysql::Row& row) {
    return {.tenant = row.integer("tenant_id"),
            .backup_set_id = row.integer("backup_set_id"),
            .kind = row.text("kind"),
            .work_tenant = row.integer("work_tenant_id"),
            .job_id = row.integer("job_id"),
            .log_from = row.unsignedInteger("log_from"),
            .log_until = row.unsignedInteger("log_until")};
}

}  // namespace

void requireNotRemoved(mysql::SqlClient& client, TenantId tenant, std::int64_t backup_set_id) {
    const auto status = client.scalar(
        "SELECT file_status FROM tidemark.backup_set WHERE tenant_id = ? AND backup_set_id = ? FOR UPDATE",
        {tenant, backup_set_id});
    if (status != text(FileStatus::Deleting) && status != text(FileStatus::Deleted)) return;
    throw obError(Ob::OpNotAllow, fmt::format("using backup set {}, which is {}, is", backup_set_id, *status),
                  "choose another set");
}

void useBackup(mysql::SqlClient& client, const BackupUse& use) {
    requireNotRemoved(client, use.tenant, use.backup_set_id);
    insertRow(client, "backup_use",
              {{"tenant_id", use.tenant},
               {"backup_set_id", use.backup_set_id},
               {"kind", use.kind},
               {"work_tenant_id", use.work_tenant},
               {"job_id", use.job_id},
               {"log_from", use.log_from},
               {"log_until", use.log_until}});
}

std::vector<BackupUse> backupUses(mysql::SqlClient& client, TenantId tenant) {
    client.query(
        "DELETE FROM tidemark.backup_use WHERE tenant_id = ? AND NOT EXISTS (SELECT 1 FROM tidemark.work w "
        "WHERE w.kind = backup_use.kind AND w.tenant_id = work_tenant_id AND w.job_id = backup_use.job_id)",
        {tenant});
    return rowsAs<BackupUse>(client.query("SELECT * FROM tidemark.backup_use WHERE tenant_id = ? FOR UPDATE", {tenant}),
                             useFrom);
}

}  // namespace tidemark::catalog
