// The daemon's start: what a node does for all its replicas.
#include <pthread.h>

#include <algorithm>
#include <atomic>

#include "base/mutex.h"
#include "base/stop_sleep.h"
#include "base/time_zone.h"
#include "tenant/replica_service.h"
#include "tenant/tenant_variables.h"

namespace tidemark::tenant {

using catalog::TenantId;
using catalog::TenantRole;
using catalog::TenantStatus;

namespace {

/// What start() waits for one server. Most need a tenth of a second; who needs longer recovers a large log, or hangs.
constexpr std::chrono::seconds kSoon{3};
constexpr std::chrono::milliseconds kBetweenLooksAtLate{500};

/// How many are started side by side: enough that processors and disk are busy, and not so many that all wait for all.
std::size_t atOnce() {
    return std::clamp(4 * std::thread::hardware_concurrency(), 8U, 64U);
}

}  // namespace

void ReplicaService::start(const RunningServers& running) {
    removeLeftovers(options_.tenants);
    std::map<TenantId, catalog::Replica> here;
    for (catalog::Replica& replica : stores_.replicas.at(options_.server_id))
        here.emplace(replica.tenant, std::move(replica));
    std::vector<catalog::Tenant> starting;
    for (catalog::Tenant& tenant : stores_.tenants.all()) {
        // A tenant without a replica here is another node's.
        const auto replica = here.find(tenant.id);
        if (replica != here.end() && recover(tenant, replica->second, running)) starting.push_back(std::move(tenant));
    }
    startAll(starting);
}

/// True if its server is to be started.
bool ReplicaService::recover(catalog::Tenant& tenant, const catalog::Replica& replica, const RunningServers& running) {
    if (tenant.id == catalog::kSysTenantId) {
        remember(tenant);
        return false;
    }
    const bool attached = replica.kind == catalog::ReplicaKind::Attached;
    if (!attached) settleTimeZone(tenant);
    put(tenant, attached ? std::make_shared<const Replica>(replica) : replicaOf(tenant));
    if (!attached && replica.status == TenantStatus::Restore) configureRestoring(tenant);
    if (!attached) server(tenant.id)->adopt(running);
    if (replica.status == TenantStatus::Creating || replica.status == TenantStatus::Dropping) {
        log_->info("tenant={} was left {}, removing it", tenant.name, text(replica.status));
        erase(tenant);
        return false;
    }
    if (attached) options_.started(tenant.id, replicas_.endpoint(tenant.id));
    return !attached && replica.status != TenantStatus::Restore;
}

/// Its restore begins anew, and ends what runs; until then that is a server that replays, and is looked after as one.
void ReplicaService::configureRestoring(const catalog::Tenant& tenant) {
    try {
        configure(tenant, Profile::Replay);
    } catch (const Error& error) {
        log_->info("tenant={} was left before its directory was whole: {}", tenant.name, error.what());
    }
}

/// Of a tenant that an older Tidemark made: it has run in the machine's time zone, and stays there.
void ReplicaService::settleTimeZone(catalog::Tenant& tenant) {
    if (!systemTimeZoneOf(tenant.variables).empty()) return;
    tenant.variables[kSystemTimeZone] = systemTimeZone();
    stores_.tenants.setVariables(tenant.id, tenant.variables);
}

void ReplicaService::startAll(const std::vector<catalog::Tenant>& tenants) {
    std::atomic<std::size_t> next = 0;
    Mutex mutex;
    std::vector<catalog::Tenant> late;  // guarded by mutex
    const auto work = [&] {
        pthread_setname_np(pthread_self(), "tenant-start");
        for (std::size_t i = next++; i < tenants.size(); i = next++) {
            if (bringUp(tenants[i])) continue;
            const MutexLock lock(mutex);
            late.push_back(tenants[i]);
        }
    };
    {
        std::vector<std::jthread> workers;
        for (std::size_t i = 0; i < std::min(atOnce(), tenants.size()); ++i)
            workers.emplace_back(work);
    }
    if (late.empty()) return;
    late_ = std::jthread([this, late](std::stop_token stop) { awaitLate(std::move(stop), late); });
    pthread_setname_np(late_.native_handle(), "tenant-late");
}

/// False if it is not up yet.
bool ReplicaService::bringUp(const catalog::Tenant& tenant) {
    const auto started = server(tenant.id);
    try {
        configure(tenant);
        started->launch();
    } catch (const std::exception& error) {
        log_->error("tenant={} cannot be started, the supervisor goes on trying: {}", tenant.name, error.what());
    }
    supervisor_.watch(started);
    const bool open = awaitOpen(tenant, kSoon);
    options_.started(tenant.id, started->endpoint());
    return open;
}

/// Waits until it is up, and does what an interrupted activation left undone.
bool ReplicaService::awaitOpen(const catalog::Tenant& tenant, std::chrono::milliseconds limit) {
    try {
        server(tenant.id)->awaitReady(limit);
        if (tenant.role == TenantRole::Primary) openForWriting(tenant);
        return true;
    } catch (const Error& error) {
        log_->warn("tenant={} is not up yet: {}", tenant.name, error.what());
        return false;
    }
}

/// Asks one after the other, so one that hangs delays the rest of the late ones a little, and nobody else.
void ReplicaService::awaitLate(std::stop_token stop, std::vector<catalog::Tenant> tenants) {
    while (!tenants.empty() && sleepFor(stop, kBetweenLooksAtLate)) {
        std::erase_if(tenants, [&](const catalog::Tenant& tenant) {
            try {
                if (!server(tenant.id)->running()) return false;
                server(tenant.id)->awaitReady(std::chrono::milliseconds(0));
                const auto now = stores_.tenants.find(tenant.id);
                if (now && now->role == TenantRole::Primary && now->status == TenantStatus::Normal)
                    openForWriting(*now);
                log_->info("tenant={} is up", tenant.name);
                return true;
            } catch (const Error&) {
                return !replicas_.has(tenant.id);  // dropped meanwhile
            }
        });
    }
}

}  // namespace tidemark::tenant
