#include "tenant/replica_service.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>

#include "base/crash_point.h"
#include "oceanbase/ob_error.h"
#include "tenant/resource_rules.h"
#include "tenant/tenant_variables.h"

namespace tidemark::tenant {

using catalog::TenantId;
using catalog::TenantRole;
using catalog::TenantStatus;

namespace {

/// For the few short statements that open a tenant: one that hangs is not waited for.
mysql::Endpoint withLimits(mysql::Endpoint endpoint) {
    endpoint.connect_timeout = std::chrono::seconds(5);
    endpoint.statement_timeout = std::chrono::seconds(10);
    return endpoint;
}

/// The sum of the units; one without a limit takes it from all.
void takeIops(TenantSettings& settings, const std::vector<catalog::Unit>& units) {
    const auto limited = [](const catalog::Unit& unit) { return unit.config.max_iops < kUnlimitedIops; };
    if (!std::all_of(units.begin(), units.end(), limited)) return;
    for (const catalog::Unit& unit : units) {
        settings.min_iops += static_cast<std::uint64_t>(unit.config.min_iops);
        settings.max_iops += static_cast<std::uint64_t>(unit.config.max_iops);
    }
}

}  // namespace

ReplicaService::ReplicaService(ReplicaOptions options, catalog::Stores& stores, TenantTemplate& tenant_template,
                               TenantSupervisor& supervisor, std::shared_ptr<TenantServer> sys)
    : options_(std::move(options)),
      stores_(stores),
      template_(tenant_template),
      supervisor_(supervisor),
      log_(makeLogger("tenants")) {
    replicas_.put({.id = catalog::kSysTenantId, .name = "sys"}, std::make_shared<const Replica>(std::move(sys)), 0);
}

void ReplicaService::stopAll(std::chrono::milliseconds limit) {
    late_.request_stop();
    auto servers = replicas_.servers();
    // sys comes first there and last here: while the others go down, somebody may yet want to note it.
    std::reverse(servers.begin(), servers.end());
    for (const auto& stopped : servers) {
        supervisor_.forget(stopped->id());
        const auto process = stopped->process();
        if (process && stopped->id() != catalog::kSysTenantId) process->kill(SIGTERM);
    }
    // One limit for all of them: several that hang cost no more time than one.
    const auto deadline = std::chrono::steady_clock::now() + limit;
    for (const auto& stopped : servers) {
        options_.stopping(stopped->id());
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
        const bool sys = stopped->id() == catalog::kSysTenantId;
        if (!stopped->stop(sys ? limit : std::max(left, std::chrono::milliseconds(0))))
            log_->warn("mariadbd of tenant={} had to be killed", stopped->name());
        try {
            stopped->clearGround();
        } catch (const Error& error) {
            log_->warn("tenant={}: {}", stopped->name(), error.what());
        }
    }
}

TenantSettings ReplicaService::settings(const catalog::Tenant& tenant, Profile profile) const {
    TenantSettings settings;
    settings.tenant = tenant.id;
    settings.paths = pathsOf(options_.tenants, tenant.id);
    settings.server_id = tenant.server_id;
    settings.profile = profile;
    settings.mode = tenant.mode;
    settings.as_root = geteuid() == 0;
    settings.charset = tenant.charset;
    settings.collation = tenant.collation;
    settings.variables = serverSettings(tenant.variables);
    settings.system_time_zone = systemTimeZoneOf(tenant.variables);
    double cpu = 0;
    std::uint64_t memory = 0;
    auto units = stores_.resources.unitsOf(tenant.id);
    std::erase_if(units, [&](const catalog::Unit& unit) { return unit.zone != options_.zone; });
    for (const catalog::Unit& unit : units) {
        cpu += unit.config.max_cpu;
        memory += static_cast<std::uint64_t>(unit.config.memory_size);
        settings.log_disk_bytes += static_cast<std::uint64_t>(unit.config.log_disk_size);
    }
    takeIops(settings, units);
    settings.max_cpu = std::max(cpu, 1.0);
    settings.memory_bytes = std::max(memory, kLeastMemory);
    return settings;
}

void ReplicaService::configure(const catalog::Tenant& tenant, Profile profile) {
    const auto replica = replicas_.get(tenant.id);
    if (replica->isManaged()) replica->server()->configure(settings(tenant, profile));
}

void ReplicaService::configure(const catalog::Tenant& tenant) {
    configure(tenant, tenant.role == TenantRole::Primary ? Profile::Primary : Profile::Standby);
}

void ReplicaService::resize(const catalog::Tenant& tenant, Profile profile) {
    const TenantSettings size = settings(tenant, profile);
    const MemoryPlan plan = planMemory(size);
    const IoPlan io = planIo(size);
    const auto resized = replicas_.get(tenant.id);
    if (!resized->isManaged() || !resized->mayBeUp()) return;
    mysql::Endpoint endpoint = resized->endpoint();
    // One that hangs must not keep the other tenants of the unit from their size.
    endpoint.connect_timeout = std::chrono::seconds(5);
    endpoint.statement_timeout = std::chrono::seconds(10);
    mysql::SqlClient sql(endpoint);
    sql.query("SET GLOBAL innodb_buffer_pool_size = ?", {plan.buffer_pool});
    // The greater one first: neither order of old and new values is then refused.
    sql.query("SET GLOBAL innodb_io_capacity_max = ?", {io.capacity_max});
    sql.query("SET GLOBAL innodb_io_capacity = ?", {io.capacity});
    if (profile == Profile::Replay) return;  // it has no clients
    sql.query("SET GLOBAL max_connections = ?", {std::uint64_t{plan.client_connections + kReservedConnections}});
    sql.query("SET GLOBAL max_user_connections = ?", {std::uint64_t{plan.client_connections}});
}

/// The one that it has, or else a new managed one.
std::shared_ptr<const Replica> ReplicaService::replicaOf(const catalog::Tenant& tenant) const {
    if (replicas_.has(tenant.id)) return replicas_.get(tenant.id);
    return std::make_shared<const Replica>(std::make_shared<TenantServer>(
        tenant.id, tenant.name, pathsOf(options_.tenants, tenant.id), Priority::Normal, options_.ground));
}

void ReplicaService::remember(const catalog::Tenant& tenant) {
    put(tenant, replicaOf(tenant));
}

void ReplicaService::put(const catalog::Tenant& tenant, std::shared_ptr<const Replica> replica) {
    const MemoryPlan plan = planMemory(settings(tenant, Profile::Primary));
    replicas_.put(tenant, std::move(replica), plan.client_connections);
}

void ReplicaService::createFiles(const catalog::Tenant& tenant) {
    server(tenant.id)->create(template_, tenant.mode);
    noteSecret(tenant);
}

/// The disk is busy while the server starts, so the one takes no more time than the other.
void ReplicaService::startNew(const catalog::Tenant& tenant) {
    const auto started = server(tenant.id);
    started->launch();
    started->syncFiles();
    started->awaitReady();
}

void ReplicaService::createEmpty(const catalog::Tenant& tenant) {
    end(tenant);
    server(tenant.id)->createEmpty();
    crashPoint("restore.directory-made");
    noteSecret(tenant);
}

void ReplicaService::noteSecret(const catalog::Tenant& tenant) {
    stores_.tenants.setAdminSecretRef(tenant.id, fmt::format("file:{}/secret", tenant.id));
}

void ReplicaService::drop(const catalog::Tenant& tenant) {
    stores_.tenants.setStatus(tenant.id, TenantStatus::Dropping);
    crashPoint("tenant.dropping");
    remember(stores_.tenants.get(tenant.id));
    erase(tenant);
    log_->info("tenant={} with id {} dropped", tenant.name, tenant.id);
}

void ReplicaService::end(const catalog::Tenant& tenant) {
    supervisor_.forget(tenant.id);
    options_.stopping(tenant.id);
    if (const auto doomed = replicas_.get(tenant.id); doomed->isManaged()) {
        doomed->server()->kill();
        crashPoint("tenant.killed");
        doomed->server()->removeFiles();
        crashPoint("tenant.files-removed");
    }
}

void ReplicaService::erase(const catalog::Tenant& tenant) {
    end(tenant);
    stores_.tenants.remove(tenant.id);
    crashPoint("tenant.row-removed");
    replicas_.remove(tenant.id);
}

void ReplicaService::undo(const catalog::Tenant& tenant, const std::string& doing) {
    const std::exception_ptr failure = std::current_exception();
    try {
        erase(tenant);
    } catch (const std::exception& error) {
        log_->error("tenant={} is left half-made, the next start of the daemon removes it: {}", tenant.name,
                    error.what());
    }
    try {
        std::rethrow_exception(failure);
    } catch (const Error& error) {
        throw error.in(doing);
    } catch (const std::filesystem::filesystem_error& error) {
        throwErrno(error.code().value(), doing + ": " + error.path1().string());
    }
}

void ReplicaService::follow(const catalog::Tenant& tenant) {
    const auto followed = server(tenant.id);
    supervisor_.watch(followed);
    options_.started(tenant.id, followed->endpoint());
    options_.await_views(tenant.id);
}

void ReplicaService::restart(const catalog::Tenant& tenant) {
    const auto restarted = server(tenant.id);
    supervisor_.forget(tenant.id);
    options_.stopping(tenant.id);
    try {
        configure(tenant);
        if (!restarted->stop()) log_->warn("mariadbd of tenant={} had to be killed", tenant.name);
        restarted->start();
        if (tenant.role == TenantRole::Primary) openForWriting(tenant);
    } catch (const Error& error) {
        log_->warn("tenant={} is not up after its restart, the supervisor goes on trying: {}", tenant.name,
                   error.what());
    }
    follow(tenant);
}

void ReplicaService::openForWriting(const catalog::Tenant& tenant) {
    mysql::SqlClient sql(withLimits(replicas_.endpoint(tenant.id)));
    if (sql.scalar("SELECT @@global.read_only") == "0") return;
    sql.query("SET GLOBAL event_scheduler = ON");
    // Last, since it says that all of this is done.
    sql.query("SET GLOBAL read_only = OFF");
}

}  // namespace tidemark::tenant
