#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "base/log.h"
#include "catalog/stores.h"
#include "tenant/new_tenant.h"
#include "tenant/replica_service.h"
#include "tenant/tenant_turns.h"

namespace tidemark::tenant {

/// What a restore and a standby need of a tenant: the steps from an empty directory to a replaying server, a standby, a
/// primary. Each step is one call and may be repeated after a crash.
///
/// Thread-safe; calls about the same tenant wait for each other, also for those of TenantService.
class StandbyService {
public:
    StandbyService(catalog::Catalog& catalog, catalog::Stores& stores, ReplicaService& replicas, TenantTurns& turns);

    /// Throws what createForRestore would throw about what it is given, before anything is made.
    void requireCreatable(const std::string& name, const TenantItems& items) { rules_.checked(name, items); }
    /// The tenant of a restore, in status and role RESTORE; it has no directory yet. `write` makes its row, together
    /// with the record of who restores it.
    using WriteRow = std::function<catalog::Tenant(const catalog::NewTenant&)>;
    catalog::Tenant createForRestore(const std::string& name, const TenantItems& items, const WriteRow& write);
    /// Gives it an empty data directory that the restore fills; whatever an earlier attempt has left of it, and of its
    /// process, is gone. Its server id then occurs in none of `foreign_server_ids`, those of the log it will replay: a
    /// replica silently drops events that carry its own.
    void makeEmpty(catalog::TenantId id, const std::vector<std::uint32_t>& foreign_server_ids = {});
    /// Starts the filled data directory for replay: not durable, no binlog, read_only. Not watched by the supervisor:
    /// after a crash its data is worthless, and the restore has to begin anew.
    void startForReplay(catalog::TenantId id);
    /// Gives a tenant in restore the settings that its source had from here on (see carried_settings.h): its server at
    /// once, if it replays, but for what a replay fixes (isFixedInReplay), which it has from the end on. Throws what a
    /// statement that sets them would.
    void takeSettings(catalog::TenantId id, const std::map<std::string, std::string>& carried);
    /// What a server that is no tenant's is started with, to replay the log of this one, if that had these settings
    /// then.
    TenantSettings replaySettings(catalog::TenantId id, const std::map<std::string, std::string>& carried);
    /// The files of such a server, if it is to hold nothing; it has no directory yet.
    void createFiles(TenantServer& server, catalog::CompatibilityMode mode) { replicas_.createFiles(server, mode); }
    /// Restarts the standby that finishRestore() has left for mariadb-upgrade: as for a replay, and its endpoint's
    /// account may do everything. To be followed by finishRestore() again.
    void startForUpgrade(catalog::TenantId id);
    /// Ends the replay or upgrade, if there was one, with a clean shutdown, which flushes everything, and starts the
    /// tenant as a durable read_only server with role STANDBY, still closed to clients. What was in the files before is
    /// as durable as it was: a sync is the caller's. Throws Unavailable if the server of the replay did not end
    /// cleanly: then something of it is lost.
    void finishRestore(catalog::TenantId id, bool replayed);
    /// Clients may come in, though the tenant is in status RESTORE, and with it closed to all statements about it: its
    /// server is a read_only standby, and a crash of the machine begins the restore anew. Until the daemon ends.
    void openForReading(catalog::TenantId id);
    /// The restore is over, and the files are durable: status NORMAL.
    void openRestored(catalog::TenantId id);
    /// Restarts a tenant that is NORMAL, for its data to move to where it shall be from now on (DataGround).
    void restart(catalog::TenantId id);
    /// Removes what a restore has made, in any state of it. Nothing happens if there is no such tenant.
    void dropTenant(const std::string& name);
    /// Makes a standby a primary: replication ends, events that it had disabled are enabled, writes are allowed. The
    /// restart-free way; a primary stays one. Throws Ob::OpNotAllow if the tenant is not NORMAL.
    void activate(catalog::TenantId id);

    /// The tenant's server. Throws Ob::TenantNotExist if there is none.
    std::shared_ptr<TenantServer> server(catalog::TenantId id) const { return replicas_.server(id); }
    /// What its server was, or will be, started with.
    TenantSettings settings(const catalog::Tenant& tenant, Profile profile) const {
        return replicas_.settings(tenant, profile);
    }

private:
    void settleServerId(catalog::Tenant& tenant, const std::vector<std::uint32_t>& foreign);

    catalog::Stores& stores_;
    ReplicaService& replicas_;
    TenantTurns& turns_;
    NewTenantRules rules_;
    const Logger log_;
};

}  // namespace tidemark::tenant
