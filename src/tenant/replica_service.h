#pragma once

#include <functional>
#include <memory>
#include <thread>
#include <vector>

#include "base/log.h"
#include "catalog/stores.h"
#include "tenant/replicas.h"
#include "tenant/tenant_supervisor.h"
#include "tenant/tenant_template.h"

namespace tidemark::tenant {

struct ReplicaOptions {
    std::filesystem::path tenants;  ///< below it, a directory per tenant
    std::int64_t server_id = 1;     ///< this node, as in catalog::Server
    std::string zone;               ///< of this node: units in it are what tenants may use here
    /// Called when a tenant's server has come up; must neither block nor throw. Not called by the supervisor: a server
    /// that died and came back has the same endpoint.
    std::function<void(catalog::TenantId, const mysql::Endpoint&)> started = [](auto, const auto&) {};
    /// Called after that for a tenant that is new: returns when its views are there, or have not come in a while.
    std::function<void(catalog::TenantId)> await_views = [](auto) {};
    /// Called before a server goes down on purpose; may block a little, must not throw.
    std::function<void(catalog::TenantId)> stopping = [](auto) {};
    /// Of the tenants' data directories.
    DataGround ground{};
};

/// What this node does for a tenant: the directory and the process of its replica here. What the tenant is (its name,
/// role, settings) is changed by TenantService, StandbyService and ResourceService, which use this one. Who reads only
/// takes Replicas.
///
/// A tenant's row is written before a directory is made and removed after it is gone, so that whatever a crash leaves
/// half-made is found by start() and cleaned up. Thread-safe, but calls that change the same tenant are the caller's to
/// keep apart (TenantTurns). They block for as long as a mariadbd needs to start or stop.
class ReplicaService {
public:
    /// `sys` runs already. All references must outlive the service.
    ReplicaService(ReplicaOptions options, catalog::Stores& stores, TenantTemplate& tenant_template,
                   TenantSupervisor& supervisor, std::shared_ptr<TenantServer> sys);

    /// At the daemon's start: removes half-made tenants, finishes dropping, adopts what runs (`running`) and starts the
    /// others, some at once. A tenant in RESTORE is adopted but neither started nor watched: the restore decides.
    /// Attached servers are only remembered. Returns when all are up but those that take long or hang: these hold up
    /// nobody, and are waited for by a thread of their own.
    void start(const RunningServers& running);
    /// Stops every tenant's server cleanly, all at once, sys last: for `tidemark shutdown`. What has not ended within
    /// the limit is killed.
    void stopAll(std::chrono::milliseconds limit = std::chrono::minutes(2));

    const Replicas& replicas() const { return replicas_; }
    std::shared_ptr<TenantServer> server(catalog::TenantId id) const { return replicas_.server(id); }

    /// What its server was, or will be, started with.
    TenantSettings settings(const catalog::Tenant& tenant, Profile profile) const;
    /// Writes that down; in force from the next start of the server on.
    void configure(const catalog::Tenant& tenant, Profile profile);
    /// The same, as the tenant's role has it.
    void configure(const catalog::Tenant& tenant);
    /// Gives its server, if one runs, what its units say now and can be changed while it runs. Throws what it answers,
    /// Unavailable if it does not within seconds.
    void resize(const catalog::Tenant& tenant, Profile profile);
    /// Takes the tenant's row over into what logins see.
    void remember(const catalog::Tenant& tenant);

    /// Makes the directory of a new tenant from the template.
    void createFiles(const catalog::Tenant& tenant);
    /// Starts the server of a new tenant, and returns when it is up and its files are durable.
    void startNew(const catalog::Tenant& tenant);
    /// The files of a server that holds nothing, of a tenant or not.
    void createFiles(TenantServer& server, catalog::CompatibilityMode mode) { server.create(template_, mode); }
    /// Makes the directory with an empty data directory, for a restore to fill, in the place of what there is.
    void createEmpty(const catalog::Tenant& tenant);
    /// Removes the tenant for good: status DROPPING, then erase().
    void drop(const catalog::Tenant& tenant);
    /// Ends the process and removes the directory, but for an attached server, then the tenant's row: until then the
    /// next start of the daemon finds what is left.
    void erase(const catalog::Tenant& tenant);
    /// Erases the tenant after the exception being handled and throws it on as an Error, with `doing` before its
    /// message.
    [[noreturn]] void undo(const catalog::Tenant& tenant, const std::string& doing);

    /// From now on the supervisor keeps it running, and whoever follows tenants does. Returns when its views are there.
    void follow(const catalog::Tenant& tenant);
    /// Restarts the server of a tenant that is followed, cleanly if it can be.
    void restart(const catalog::Tenant& tenant);
    /// Logins lead to it although it is in status RESTORE, until it begins anew, in role RESTORE.
    void letReadersIn(catalog::TenantId id) { replicas_.letReadersIn(id); }
    /// Allows writes and lets events run: those that the source let run, for their status came with the data and the
    /// log. Harmless on an open primary.
    void openForWriting(const catalog::Tenant& tenant);

private:
    bool recover(catalog::Tenant& tenant, const catalog::Replica& replica, const RunningServers& running);
    void startAll(const std::vector<catalog::Tenant>& tenants);
    bool bringUp(const catalog::Tenant& tenant);
    bool awaitOpen(const catalog::Tenant& tenant, std::chrono::milliseconds limit);
    void awaitLate(std::stop_token stop, std::vector<catalog::Tenant> tenants);
    void settleTimeZone(catalog::Tenant& tenant);
    std::shared_ptr<const Replica> replicaOf(const catalog::Tenant& tenant) const;
    void put(const catalog::Tenant& tenant, std::shared_ptr<const Replica> replica);
    void configureRestoring(const catalog::Tenant& tenant);
    /// Its process and its directory.
    void end(const catalog::Tenant& tenant);
    void noteSecret(const catalog::Tenant& tenant);

    const ReplicaOptions options_;
    catalog::Stores& stores_;
    TenantTemplate& template_;
    TenantSupervisor& supervisor_;
    const Logger log_;
    Replicas replicas_;
    std::jthread late_;  ///< awaits what start() did not; last: it uses all of the above
};

}  // namespace tidemark::tenant
