#include "restore/restore_service.h"

#include <fmt/format.h>

#include "base/crash_point.h"
#include "base/secrets.h"
#include "oceanbase/ob_error.h"
#include "restore/server_upgrade.h"
#include "tenant/carried_settings.h"

namespace tidemark::restore {
namespace {

// 4.3.3.0, packed as OceanBase does it: 32 bits, 16, 8 and 8 (4.0.0.0 is 17179869184).
constexpr std::int64_t kClusterVersion = (4LL << 32) | (3LL << 16) | (3LL << 8);

tenant::TenantItems itemsOf(const RestoreOptions& options) {
    tenant::TenantItems items{.pools = options.pools, .primary_zone = options.primary_zone};
    if (!options.locality.empty()) items.locality = options.locality;
    return items;
}

}  // namespace

/// A backup of a newer server is refused now, not after hours of copying.
void RestoreService::requireRestorable(const RestorePlan& plan) {
    needsUpgrade(
        plan.set.server_version,
        mysql::SqlClient(tenants_.server(catalog::kSysTenantId)->endpoint()).scalar("SELECT VERSION()").value());
}

/// Puts those that the tenant begins with into `items`. Those that it becomes later are refused now as well, and not in
/// the midst of the replay.
void RestoreService::requireSettings(const std::string& name, tenant::TenantItems& items, const RestorePlan& plan) {
    for (const auto& change : plan.changes) {
        tenant::TenantItems then = items;
        tenant::takeCarriedSettings(change.settings, then);
        tenants_.requireCreatable(name, then);
    }
    tenant::takeCarriedSettings(plan.settings, items);
    tenants_.requireCreatable(name, items);
}

catalog::RestoreJobRow RestoreService::rowFor(const RestoreRequest& request, const RestorePlan& plan) const {
    catalog::RestoreJobRow row;
    row.tenant_name = request.tenant;
    row.backup_tenant_name = plan.source.identity.tenant_name;
    row.backup_tenant = static_cast<catalog::TenantId>(plan.source.identity.tenant_id);
    row.backup_cluster_name = plan.source.identity.cluster_name;
    row.backup_cluster_version = kClusterVersion;
    row.backup_dest = withoutSecrets(request.from);
    row.option = request.options;
    row.restore_scn = plan.target;
    row.set_list = plan.setList();
    row.piece_list = plan.pieceList();
    row.description = request.description;
    row.total_bytes = plan.set.input_bytes + plan.log.bytes;
    row.tablet_count = static_cast<std::int64_t>(plan.set.tablets);
    row.recover_start_scn = plan.set.min_restore_scn;
    row.recover_scn = plan.set.min_restore_scn;
    return row;
}

void RestoreService::start(const RestoreRequest& request) {
    const RestoreOptions options = parseRestoreOptions(request.options);
    if (stores_.restores.findActive(request.tenant)) throw obError(Ob::RestoreInProgress);
    // Cheap refusals come before the destinations are read.
    tenant::TenantItems items = itemsOf(options);
    tenants_.requireCreatable(request.tenant, items);
    const auto uris = destinationsOf(request.from);
    parts_.before_reading(uris);
    RestorePlan plan = planRestore({.uris = uris, .until_scn = request.until_scn, .until_time = request.until_time});
    requireRestorable(plan);
    // Once more with what the set carries: a refused statement leaves no job.
    requireSettings(request.tenant, items, plan);
    catalog::RestoreJobRow row = stores_.restores.start(rowFor(request, plan));
    crashPoint("restore.row-written");
    try {
        createTenant(row, items, plan);
        const job::JobKey key{.kind = "restore", .tenant = row.tenant, .id = row.job_id};
        runner_.submit(key, std::make_unique<RestoreJob>(parts_, ended_, row, std::move(plan), options.concurrency));
    } catch (const Error& error) {
        removeTenant(parts_, row);
        finish(row, catalog::Outcome::of(error));
        throw;
    }
}

/// Notes the tenant in the row; CREATE_TENANT is shown meanwhile.
void RestoreService::createTenant(catalog::RestoreJobRow& row, const tenant::TenantItems& items,
                                  const RestorePlan& plan) {
    const job::ShownStage create;
    row.tenant = tenants_.createForRestore(row.tenant_name, items, plan.serverIds()).id;
    create.awaitShown();
    stores_.restores.tenantCreated(row.job_id, row.tenant);
    crashPoint("restore.tenant-noted");
}

void RestoreService::finish(const catalog::RestoreJobRow& row, const catalog::Outcome& outcome) {
    stores_.restores.finish(row.job_id, outcome);
    ended_.add(row.job_id);
}

void RestoreService::cancel(const std::string& tenant) {
    const auto row = stores_.restores.findActive(tenant);
    if (!row) throw obError(Ob::EntryNotExist, "no restore of tenant " + tenant + " is running");
    const job::JobKey key{.kind = "restore", .tenant = row->tenant, .id = row->job_id};
    runner_.cancel(key);
    if (!runner_.waitFor(key, std::chrono::seconds(60))) {
        throw Error(ErrorCode::Unavailable, "the restore of " + tenant + " is being cancelled, but has not ended yet");
    }
}

void RestoreService::failInterrupted() {
    const Error reason(ErrorCode::Unavailable, "the daemon ended while the restore ran", "start it again");
    for (const catalog::JobId job : stores_.restores.ended())
        ended_.add(job);
    for (const catalog::RestoreJobRow& row : stores_.restores.active()) {
        const auto tenant = stores_.tenants.find(row.tenant_name);
        if (tenant && tenant->id == row.tenant && tenant->status == catalog::TenantStatus::Normal) {
            // Opening it was the last step: only this record was missing.
            finish(row, catalog::Outcome::completed());
            continue;
        }
        log_->warn("the restore of {} was interrupted by the end of the daemon; its tenant is removed",
                   row.tenant_name);
        removeTenant(parts_, row);
        finish(row, catalog::Outcome::of(reason));
    }
    removeOrphans();
}

/// Tenants that were made for a restore which does not know of them: the daemon ended between the two.
void RestoreService::removeOrphans() {
    for (const catalog::Tenant& tenant : stores_.tenants.all()) {
        if (tenant.status != catalog::TenantStatus::Restore) continue;
        log_->warn("tenant {} was being made for a restore when the daemon ended; it is removed", tenant.name);
        tenants_.dropTenant(tenant.name);
    }
}

}  // namespace tidemark::restore
