#include "restore/restore_service.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "backup_set/kept_key.h"
#include "base/crash_point.h"
#include "base/secrets.h"
#include "oceanbase/ob_error.h"
#include "restore/history_job.h"
#include "restore/hydration_job.h"
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

RestoreService::RestoreService(const RestoreJobParts& parts, job::WorkEngine& engine)
    : parts_(parts), stores_(parts.stores), tenants_(parts.tenants), engine_(engine) {
    const auto restore = [this](job::WorkContext& context) -> std::unique_ptr<job::Job> {
        const auto row = stores_.restores.findActive(context.key().id);
        if (!row) throw Error(ErrorCode::NotFound, fmt::format("there is no restore job {}", context.key().id));
        return std::make_unique<RestoreJob>(parts_, *row, context);
    };
    engine_.add({.name = catalog::kRestoreWork,
                 .make = restore,
                 .attempts = kRestoreAttempts,
                 .interrupted = fmt::format("the daemon ended {} times while the restore ran", kRestoreAttempts)});
    const auto hydration = [this](job::WorkContext& context) -> std::unique_ptr<job::Job> {
        const auto row = stores_.restores.findActive(context.key().id);
        if (!row) throw Error(ErrorCode::NotFound, fmt::format("there is no restore job {}", context.key().id));
        return std::make_unique<HydrationJob>(parts_, *row, context);
    };
    engine_.add({.name = catalog::kHydrationWork, .make = hydration, .attempts = std::numeric_limits<int>::max()});
    const auto history = [this](job::WorkContext& context) -> std::unique_ptr<job::Job> {
        return std::make_unique<HistoryJob>(stores_.restores, context);
    };
    engine_.add({.name = catalog::kRestoreHistoryWork, .make = history, .attempts = std::numeric_limits<int>::max()});
}

RestorePlan RestoreService::planFrom(RestoreTarget target) {
    parts_.before_reading(target.uris);
    target.is_broken = [this](const auto& at, const auto& set) { return isBroken(at, set); };
    RestorePlan plan = planRestore(target);
    requireRestorable(plan);
    return plan;
}

std::vector<PreviewRow> RestoreService::preview(const RestoreTarget& target) {
    return previewOf(planFrom(target), stores_.restores.paces(parts_.server));
}

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

/// What a validation here has found. Of a copy of the destination, or one of another cluster, nothing is known.
bool RestoreService::isBroken(const storage::Destination& destination, const backup_set::SetId& id) {
    const storage::DestinationIdentity& owner = destination.marker.identity;
    if (owner.cluster_id != static_cast<std::uint64_t>(stores_.cluster.cluster().id)) return false;
    const auto sets = stores_.backups.sets(static_cast<catalog::TenantId>(owner.tenant_id));
    return std::ranges::any_of(sets, [&](const catalog::BackupSet& set) {
        return set.backup_set_id == id.number && set.path == destination.uri && catalog::leansOnBroken(sets, set);
    });
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
    if (parseRestoreOptions(request.options).quick) row.type = catalog::RestoreType::Quick;
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

/// What a deletion has to leave alone meanwhile. Backups of another cluster are not this one's to delete.
std::optional<catalog::BackupUse> RestoreService::useOf(const RestorePlan& plan) {
    if (plan.source.identity.cluster_id != static_cast<std::uint64_t>(stores_.cluster.cluster().id))
        return std::nullopt;
    return catalog::BackupUse{.tenant = static_cast<catalog::TenantId>(plan.source.identity.tenant_id),
                              .backup_set_id = plan.set.id.number,
                              .log_from = plan.hasLog() ? plan.set.start_replay_scn : 0,
                              .log_until = plan.hasLog() ? plan.target : 0};
}

void RestoreService::start(const RestoreRequest& request) {
    const RestoreOptions options = parseRestoreOptions(request.options);
    if (stores_.restores.findActive(request.tenant)) throw obError(Ob::RestoreInProgress);
    // Cheap refusals come before the destinations are read.
    tenant::TenantItems items = itemsOf(options);
    tenants_.requireCreatable(request.tenant, items);
    const auto uris = destinationsOf(request.from);
    const RestorePlan plan = planFrom({.uris = uris,
                                       .until_scn = request.until_scn,
                                       .until_time = request.until_time,
                                       .passwords = request.passwords,
                                       .tenant_keys = request.tenant_keys});
    // Once more with what the set carries: a refused statement leaves no job.
    requireSettings(request.tenant, items, plan);
    const RestoreNotes notes{.choice = plan.choice(uris), .key = backup_set::wrappedKey(plan.key, parts_.node_key)};
    tenants_.createForRestore(request.tenant, items, [&](const catalog::NewTenant& tenant) {
        return stores_.restores.start(rowFor(request, plan), tenant, notes.text(), useOf(plan)).tenant;
    });
    crashPoint("restore.rows-written");
    engine_.wake();
}

void RestoreService::cancel(const std::string& tenant) {
    const auto job = stores_.restores.cancel(tenant);
    if (!job) throw obError(Ob::EntryNotExist, "no restore of tenant " + tenant + " is running");
    const job::JobKey key{.kind = catalog::kRestoreWork, .tenant = catalog::kSysTenantId, .id = *job};
    engine_.cancel(key);
    // A step that hangs in the kernel ends when its disk or its destination answers, and holds up no session meanwhile.
    constexpr std::chrono::seconds kAnswerLimit{15};
    if (!engine_.waitFor(key, kAnswerLimit)) {
        throw Error(ErrorCode::Unavailable, "the restore of " + tenant + " is being cancelled, but has not ended yet",
                    "it ends by itself as soon as its destination and its disk answer; see CDB_OB_RESTORE_HISTORY");
    }
}

}  // namespace tidemark::restore
