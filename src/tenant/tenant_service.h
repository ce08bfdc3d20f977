#pragma once

#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/log.h"
#include "catalog/stores.h"
#include "tenant/resource_rules.h"
#include "tenant/tenant_server.h"
#include "tenant/tenant_supervisor.h"
#include "tenant/tenant_template.h"

namespace tidemark::tenant {

/// ALTER RESOURCE POOL takes exactly one of these.
struct PoolItems {
    std::optional<std::string> unit;
    std::optional<std::int64_t> unit_num;
    std::optional<std::vector<std::string>> zones;
};

/// What CREATE TENANT and ALTER TENANT may give.
struct TenantItems {
    std::optional<std::vector<std::string>> pools;
    std::optional<std::string> charset;
    std::optional<std::string> collation;
    std::optional<std::string> primary_zone;
    std::optional<std::string> locality;
    std::optional<std::string> comment;
    std::optional<bool> locked;                    ///< ALTER TENANT … LOCK | UNLOCK
    std::map<std::string, std::string> variables;  ///< see tenant_variables.h
};

/// The unit of tenant sys: what the node's configuration says, not ALTER RESOURCE UNIT.
constexpr const char* kSysUnit = "sys_unit_config";

/// What the front has to know of a tenant to let a client in.
struct LoginTarget {
    catalog::TenantId id = 0;
    std::string name;
    std::string socket;
    bool up = false;      ///< its process runs (it may still be starting)
    bool locked = false;  ///< answer Ob::TenantIsLocked
    catalog::TenantStatus status = catalog::TenantStatus::Normal;
    catalog::TenantRole role = catalog::TenantRole::Primary;
    catalog::CompatibilityMode mode = catalog::CompatibilityMode::Mysql;
    std::string invited_nodes = "%";  ///< ob_tcp_invited_nodes, as given
    unsigned client_connections = 0;  ///< more are refused with Ob::TooManyConnections
};

struct TenantServiceOptions {
    std::filesystem::path tenants;      ///< below it, a directory per tenant
    std::string zone;                   ///< of this node: units in it are what tenants may use here
    std::uint64_t memory_capacity = 0;  ///< bytes of the machine, which no unit may exceed; 0: not known
    /// Called when a tenant's server has come up, and before it goes down on purpose; may block a little, must not
    /// throw. Not called by the supervisor: a server that died and came back has the same endpoint.
    std::function<void(catalog::TenantId, const mysql::Endpoint&)> started = [](auto, const auto&) {};
    std::function<void(catalog::TenantId)> stopping = [](auto) {};
};

/// Units, pools and tenants: the statements of resources and tenants, each one call. Keeps the catalog and the
/// processes in step: a row is written before a directory is made and removed after it is gone, so that whatever a
/// crash leaves half-made is found by start() and cleaned up.
///
/// Thread-safe; calls about the same tenant wait for each other. They block for as long as a mariadbd needs to start
/// or stop. Errors are OceanBase's where it has one for the case.
class TenantService {
public:
    /// `sys` runs already. All references must outlive the service.
    TenantService(TenantServiceOptions options, catalog::Catalog& catalog, catalog::Stores& stores,
                  TenantTemplate& tenant_template, TenantSupervisor& supervisor, std::shared_ptr<TenantServer> sys);

    /// At the daemon's start: removes half-made tenants, finishes dropping, adopts running databases and starts the
    /// others. A tenant in RESTORE is adopted but neither started nor watched: the restore decides. One tenant that
    /// does not come up keeps none of the others from it; the supervisor goes on trying.
    void start();

    // --- units and pools --------------------------------------------------------------------------------------------
    void createUnit(const std::string& name, const UnitItems& items, bool if_not_exists = false);
    /// Running tenants get what can be changed while they run (the buffer pool); the rest at their next start.
    void alterUnit(const std::string& name, const UnitItems& items);
    void dropUnit(const std::string& name, bool if_exists = false);
    void createPool(const std::string& name, const std::string& unit, std::int64_t unit_num,
                    const std::vector<std::string>& zones, bool if_not_exists = false);
    void alterPool(const std::string& name, const PoolItems& items);
    void dropPool(const std::string& name, bool if_exists = false);

    // --- tenants ----------------------------------------------------------------------------------------------------
    void createTenant(const std::string& name, const TenantItems& items, bool if_not_exists = false);
    /// Throws what createTenant or createForRestore would throw about what they are given, before anything is made.
    void requireCreatable(const std::string& name, const TenantItems& items);
    void alterTenant(const std::string& name, const TenantItems& items);
    void renameTenant(const std::string& name, const std::string& new_name);
    /// Removes the tenant and its data at once; its pools stay. Without `force` a tenant that is being restored is
    /// refused (Ob::OpNotAllow). sys cannot be dropped.
    void dropTenant(const std::string& name, bool force = false, bool if_exists = false);
    /// Throws what dropTenant would throw about the tenant, for those who have something to end before.
    static void requireDroppable(const catalog::Tenant& tenant, bool force);

    /// No I/O: for every login. nullopt if there is no such tenant.
    std::optional<LoginTarget> loginTarget(const std::string& name) const;
    /// The tenant's server. Throws Ob::TenantNotExist if there is none.
    std::shared_ptr<TenantServer> server(catalog::TenantId id) const;
    /// What its server was, or will be, started with.
    TenantSettings settings(const catalog::Tenant& tenant, Profile profile);

    // --- restore and standby ----------------------------------------------------------------------------------------
    /// The tenant of a restore, in status and role RESTORE, with an empty data directory that the restore fills. Its
    /// server id occurs in none of `foreign_server_ids`, those of the log it will replay: a replica silently drops
    /// events that carry its own.
    catalog::Tenant createForRestore(const std::string& name, const TenantItems& items,
                                     const std::vector<std::uint32_t>& foreign_server_ids = {});
    /// Starts the filled data directory for replay: not durable, no binlog, read_only. Not watched by the supervisor:
    /// after a crash its data is worthless, and the restore has to begin anew.
    void startForReplay(catalog::TenantId id);
    /// Gives a tenant in restore the settings that its source had from here on (see carried_settings.h): its server at
    /// once, if it replays, but for what a replay fixes (isFixedInReplay), which it has from the end on. Throws what a
    /// statement that sets them would.
    void takeSettings(catalog::TenantId id, const std::map<std::string, std::string>& carried);
    /// Restarts the standby that finishRestore() has left for mariadb-upgrade: as for a replay, and its endpoint's
    /// account may do everything. To be followed by finishRestore() again.
    void startForUpgrade(catalog::TenantId id);
    /// Ends the replay or upgrade, if there was one, with a clean shutdown, which flushes everything, syncs the files,
    /// and starts the tenant as a durable read_only server with role STANDBY, still closed to clients. Throws
    /// Unavailable if the server of the replay did not end cleanly: then something of it is lost.
    void finishRestore(catalog::TenantId id, bool replayed);
    /// The restore is over: status NORMAL, clients may come in.
    void openRestored(catalog::TenantId id);
    /// Makes a standby a primary: replication ends, events that it had disabled are enabled, writes are allowed. The
    /// restart-free way; a primary stays one. Throws Ob::OpNotAllow if the tenant is not NORMAL.
    void activate(catalog::TenantId id);

    /// Stops every tenant's server cleanly, all at once, sys last: for `tidemark shutdown`.
    void stopAll();

private:
    struct Entry {
        catalog::Tenant tenant;
        std::shared_ptr<TenantServer> server;
        unsigned client_connections = 0;
    };
    /// Held while a call changes the tenant of that name; the next such call waits.
    class Exclusive {
    public:
        Exclusive(TenantService& service, const std::string& name);
        ~Exclusive();
        Exclusive(const Exclusive&) = delete;
        Exclusive& operator=(const Exclusive&) = delete;

    private:
        TenantService& service_;
        const std::string name_;
    };

    void settleTimeZone(catalog::Tenant& tenant);
    void recover(catalog::Tenant tenant, std::vector<catalog::Tenant>& starting);
    void createFiles(const catalog::Tenant& tenant);
    void eraseTenant(const catalog::Tenant& tenant);
    /// Cleans up after the exception being handled and throws it on as an Error, with `doing` before its message.
    [[noreturn]] void undo(const catalog::Tenant& tenant, const std::string& doing);
    void follow(const catalog::Tenant& tenant);
    catalog::NewTenant checked(const std::string& name, const TenantItems& items);
    void checkCharset(catalog::NewTenant& tenant, const TenantItems& items);
    std::vector<std::string> zonesOf(const std::vector<std::string>& pools);
    /// Whether mariadbd has a variable of that name.
    bool serverKnows(const std::string& variable);
    void alterVariables(const catalog::Tenant& tenant, const std::map<std::string, std::string>& given);
    void openForWriting(const catalog::Tenant& tenant);
    void requireFits(const catalog::UnitConfig& unit) const;
    void resize(catalog::TenantId id);
    void configure(const catalog::Tenant& tenant, Profile profile);
    /// Takes the tenant's row over into what logins see.
    void remember(const catalog::Tenant& tenant);
    void forgetEntry(catalog::TenantId id);
    std::shared_ptr<TenantServer> makeServer(const catalog::Tenant& tenant) const;

    const TenantServiceOptions options_;
    catalog::Stores& stores_;
    catalog::Catalog& catalog_;
    TenantTemplate& template_;
    TenantSupervisor& supervisor_;
    const Logger log_;

    mutable std::mutex mutex_;
    std::condition_variable released_;
    std::set<std::string> changing_;              // guarded by mutex_; lower-case names
    std::map<catalog::TenantId, Entry> entries_;  // guarded by mutex_
};

}  // namespace tidemark::tenant
