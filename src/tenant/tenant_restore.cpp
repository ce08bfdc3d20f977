// What a restore and a standby need of a tenant.
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>

#include "base/crash_point.h"
#include "base/random.h"
#include "oceanbase/ob_error.h"
#include "tenant/carried_settings.h"
#include "tenant/server_settings.h"
#include "tenant/tenant_service.h"
#include "tenant/tenant_variables.h"

namespace tidemark::tenant {

using catalog::TenantId;
using catalog::TenantRole;
using catalog::TenantStatus;

namespace {

/// A shutdown after a replay writes the whole buffer pool.
constexpr std::chrono::minutes kFlushLimit{30};

}  // namespace

catalog::Tenant TenantService::createForRestore(const std::string& name, const TenantItems& items,
                                                const std::vector<std::uint32_t>& foreign_server_ids) {
    const Exclusive exclusive(*this, name);
    catalog::NewTenant wanted = checked(name, items);
    wanted.status = TenantStatus::Restore;
    wanted.role = TenantRole::Restore;
    catalog::Tenant tenant = stores_.tenants.create(wanted);
    crashPoint("restore.tenant-row-written");
    try {
        remember(tenant);
        const auto foreign = [&](std::uint32_t id) {
            return std::ranges::find(foreign_server_ids, id) != foreign_server_ids.end();
        };
        if (foreign(tenant.server_id)) {
            while (tenant.server_id == 0 || foreign(tenant.server_id))
                tenant.server_id = randomU32();
            stores_.tenants.setServerId(tenant.id, tenant.server_id);
        }
        remember(tenant);
        server(tenant.id)->createEmpty();
        crashPoint("restore.directory-made");
        stores_.tenants.setAdminSecretRef(tenant.id, "file:" + std::to_string(tenant.id) + "/secret");
    } catch (...) {
        undo(tenant, "creating tenant " + name + " for a restore");
    }
    return tenant;
}

void TenantService::startForReplay(TenantId id) {
    const catalog::Tenant tenant = stores_.tenants.get(id);
    const Exclusive exclusive(*this, tenant.name);
    configure(tenant, Profile::Replay);
    server(id)->start();
}

void TenantService::startForUpgrade(TenantId id) {
    const catalog::Tenant tenant = stores_.tenants.get(id);
    const Exclusive exclusive(*this, tenant.name);
    const auto restored = server(id);
    if (!restored->stop(kFlushLimit)) {
        throw Error(ErrorCode::Unavailable, "mariadbd of tenant " + tenant.name + " did not end cleanly",
                    "see " + restored->paths().log().string());
    }
    configure(tenant, Profile::Upgrade);
    restored->start();
}

void TenantService::takeSettings(TenantId id, const std::map<std::string, std::string>& carried) {
    const catalog::Tenant tenant = stores_.tenants.get(id);
    const Exclusive exclusive(*this, tenant.name);
    TenantItems items;
    takeCarriedSettings(carried, items);
    auto variables = checkVariables(items.variables, [&](const auto& variable) { return serverKnows(variable); });
    variables[kSystemTimeZone] = systemTimeZoneOf(tenant.variables);  // it never changes
    if (server(id)->running()) {
        mysql::SqlClient sql(server(id)->endpoint());
        auto now = serverSettings(variables);
        std::erase_if(now, [](const auto& setting) { return isFixedInReplay(setting.first); });
        setServerSettings(sql, now);
    }
    stores_.tenants.setVariables(id, variables);
}

void TenantService::finishRestore(TenantId id, bool replayed) {
    catalog::Tenant tenant = stores_.tenants.get(id);
    const Exclusive exclusive(*this, tenant.name);
    const auto restored = server(id);
    // Only after a clean shutdown is everything in the files: replay and upgrade run without durability.
    if (replayed && !(restored->running() && restored->stop(kFlushLimit))) {
        throw Error(ErrorCode::Unavailable,
                    "mariadbd of tenant " + tenant.name + " did not end cleanly after replay or upgrade",
                    "see " + restored->paths().log().string());
    }
    crashPoint("restore.flushed");
    const Fd files = openFile(restored->paths().data(), O_RDONLY | O_DIRECTORY);
    if (::syncfs(files.get()) != 0) throwErrno(errno, "syncing the file system of tenant " + tenant.name);
    tenant.role = TenantRole::Standby;
    configure(tenant, Profile::Standby);
    restored->start();
    crashPoint("restore.server-durable");
    stores_.tenants.setRole(id, TenantRole::Standby);
}

void TenantService::openRestored(TenantId id) {
    const Exclusive exclusive(*this, stores_.tenants.get(id).name);
    // First its views, which are still those of the tenant that was backed up.
    follow(stores_.tenants.get(id));
    crashPoint("restore.views-installed");
    stores_.tenants.setStatus(id, TenantStatus::Normal);
    remember(stores_.tenants.get(id));
}

void TenantService::activate(TenantId id) {
    catalog::Tenant tenant = stores_.tenants.get(id);
    const Exclusive exclusive(*this, tenant.name);
    tenant = stores_.tenants.get(id);
    if (tenant.role == TenantRole::Primary) return openForWriting(tenant);  // an activation that failed on its way
    if (tenant.status != TenantStatus::Normal) {
        throw obError(Ob::OpNotAllow, "tenant status is not normal, failover to primary is");
    }
    {
        mysql::SqlClient sql(server(id)->endpoint());
        sql.query("STOP ALL SLAVES");
        sql.query("RESET SLAVE ALL");
    }
    // From here on it is a primary, also for a daemon that is started again: start() then does the rest.
    stores_.tenants.setRole(id, TenantRole::Primary);
    crashPoint("activate.role-set");
    tenant = stores_.tenants.get(id);
    remember(tenant);
    configure(tenant, Profile::Primary);
    openForWriting(tenant);
    log_->info("tenant={} is a primary now", tenant.name);
}

/// Allows writes and lets events run: those that the source let run, for their status came with the data and the log.
/// Harmless on an open primary.
void TenantService::openForWriting(const catalog::Tenant& tenant) {
    mysql::SqlClient sql(server(tenant.id)->endpoint());
    if (sql.scalar("SELECT @@global.read_only") == "0") return;
    sql.query("SET GLOBAL event_scheduler = ON");
    // Last, since it says that all of this is done.
    sql.query("SET GLOBAL read_only = OFF");
}

}  // namespace tidemark::tenant
