#include "tenant/tenant_service.h"

#include <fmt/format.h>
#include <strings.h>

#include <algorithm>
#include <csignal>

#include "base/letters.h"
#include "base/time_zone.h"
#include "oceanbase/ob_error.h"
#include "tenant/tenant_variables.h"

namespace tidemark::tenant {

using catalog::TenantId;
using catalog::TenantRole;
using catalog::TenantStatus;

namespace {

Profile profileOf(const catalog::Tenant& tenant) {
    return tenant.role == TenantRole::Primary ? Profile::Primary : Profile::Standby;
}

}  // namespace

TenantService::Exclusive::Exclusive(TenantService& service, const std::string& name)
    : service_(service), name_(lowerCase(name)) {
    std::unique_lock lock(service_.mutex_);
    service_.released_.wait(lock, [&] { return !service_.changing_.contains(name_); });
    service_.changing_.insert(name_);
}

TenantService::Exclusive::~Exclusive() {
    {
        const std::lock_guard lock(service_.mutex_);
        service_.changing_.erase(name_);
    }
    service_.released_.notify_all();
}

TenantService::TenantService(TenantServiceOptions options, catalog::Catalog& catalog, catalog::Stores& stores,
                             TenantTemplate& tenant_template, TenantSupervisor& supervisor,
                             std::shared_ptr<TenantServer> sys)
    : options_(std::move(options)),
      stores_(stores),
      catalog_(catalog),
      template_(tenant_template),
      supervisor_(supervisor),
      log_(makeLogger("tenants")) {
    entries_[catalog::kSysTenantId].server = std::move(sys);
}

void TenantService::start() {
    removeLeftovers(options_.tenants);
    std::vector<catalog::Tenant> starting;
    for (const catalog::Tenant& tenant : stores_.tenants.all())
        recover(tenant, starting);
    // All are launched before one is waited for: fifty come up in about two seconds.
    for (const catalog::Tenant& tenant : starting) {
        try {
            server(tenant.id)->awaitReady();
            // What an interrupted activate() left undone.
            if (tenant.role == TenantRole::Primary) openForWriting(tenant);
        } catch (const Error& error) {
            log_->error("tenant={} is not up, the supervisor goes on trying: {}", tenant.name, error.what());
        }
        follow(tenant);
    }
}

/// Of a tenant that an older Tidemark made: it has run in the machine's time zone, and stays there.
void TenantService::settleTimeZone(catalog::Tenant& tenant) {
    if (!systemTimeZoneOf(tenant.variables).empty()) return;
    tenant.variables[kSystemTimeZone] = systemTimeZone();
    stores_.tenants.setVariables(tenant.id, tenant.variables);
}

void TenantService::recover(catalog::Tenant tenant, std::vector<catalog::Tenant>& starting) {
    if (tenant.id != catalog::kSysTenantId) settleTimeZone(tenant);
    remember(tenant);
    if (tenant.id == catalog::kSysTenantId) return;
    if (tenant.status == TenantStatus::Creating || tenant.status == TenantStatus::Dropping) {
        log_->info("tenant={} was left {}, removing it", tenant.name, text(tenant.status));
        eraseTenant(tenant);
        return;
    }
    if (tenant.status == TenantStatus::Restore) {
        server(tenant.id)->adopt();
        return;
    }
    try {
        configure(tenant, profileOf(tenant));
        server(tenant.id)->launch();
    } catch (const Error& error) {
        log_->error("tenant={} cannot be started: {}", tenant.name, error.what());
    }
    starting.push_back(tenant);
}

/// From now on the supervisor keeps it running, and whoever follows tenants does.
void TenantService::follow(const catalog::Tenant& tenant) {
    const auto followed = server(tenant.id);
    supervisor_.watch(followed);
    options_.started(tenant.id, followed->endpoint());
}

std::shared_ptr<TenantServer> TenantService::makeServer(const catalog::Tenant& tenant) const {
    return std::make_shared<TenantServer>(tenant.id, tenant.name, pathsOf(options_.tenants, tenant.id));
}

void TenantService::remember(const catalog::Tenant& tenant) {
    const unsigned connections = planMemory(settings(tenant, Profile::Primary)).client_connections;
    const std::lock_guard lock(mutex_);
    Entry& entry = entries_[tenant.id];
    entry.tenant = tenant;
    entry.client_connections = connections;
    if (!entry.server) entry.server = makeServer(tenant);
}

void TenantService::forgetEntry(TenantId id) {
    const std::lock_guard lock(mutex_);
    entries_.erase(id);
}

std::optional<LoginTarget> TenantService::loginTarget(const std::string& name) const {
    const std::lock_guard lock(mutex_);
    for (const auto& [id, entry] : entries_) {
        const catalog::Tenant& tenant = entry.tenant;
        if (strcasecmp(tenant.name.c_str(), name.c_str()) != 0) continue;
        LoginTarget target{.id = id, .name = tenant.name, .socket = entry.server->socket()};
        target.up = entry.server->running();
        target.locked = tenant.locked;
        target.status = tenant.status;
        target.role = tenant.role;
        target.mode = tenant.mode;
        const auto invited = tenant.variables.find("ob_tcp_invited_nodes");
        if (invited != tenant.variables.end()) target.invited_nodes = invited->second;
        target.client_connections = entry.client_connections;
        return target;
    }
    return std::nullopt;
}

std::shared_ptr<TenantServer> TenantService::server(TenantId id) const {
    const std::lock_guard lock(mutex_);
    const auto found = entries_.find(id);
    if (found == entries_.end()) throw obError(Ob::TenantNotExist, std::to_string(id));
    return found->second.server;
}

TenantSettings TenantService::settings(const catalog::Tenant& tenant, Profile profile) {
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
    for (const catalog::Unit& unit : stores_.resources.unitsOf(tenant.id)) {
        if (unit.zone != options_.zone) continue;
        cpu += unit.config.max_cpu;
        memory += static_cast<std::uint64_t>(unit.config.memory_size);
        settings.log_disk_bytes += static_cast<std::uint64_t>(unit.config.log_disk_size);
    }
    settings.max_cpu = std::max(cpu, 1.0);
    settings.memory_bytes = std::max(memory, kLeastMemory);
    return settings;
}

void TenantService::configure(const catalog::Tenant& tenant, Profile profile) {
    server(tenant.id)->configure(settings(tenant, profile));
}

void TenantService::createUnit(const std::string& name, const UnitItems& items, bool if_not_exists) {
    const catalog::UnitConfig unit = newUnit(name, items);
    if (if_not_exists && stores_.resources.findUnit(name)) return;
    stores_.resources.createUnit(unit);
}

void TenantService::alterUnit(const std::string& name, const UnitItems& items) {
    const auto unit = stores_.resources.findUnit(name);
    if (!unit) throw obError(Ob::UnitNotExist, name);
    if (unit->name == kSysUnit) {
        throw obError(Ob::NotSupported, "altering the unit of tenant sys",
                      "start tidemarkd with --sys-memory, --sys-cpu");
    }
    const catalog::UnitConfig altered = alteredUnit(*unit, items);
    auto pools = stores_.resources.pools();
    std::erase_if(pools, [&](const catalog::ResourcePool& pool) { return pool.unit_config_id != unit->id; });
    if (!pools.empty()) requireFits(altered);
    stores_.resources.alterUnit(altered);
    std::optional<Error> failure;
    for (const catalog::ResourcePool& pool : pools) {
        try {
            if (pool.tenant) resize(*pool.tenant);
        } catch (const Error& error) {
            failure = error;  // the others get their new size all the same
        }
    }
    if (failure) throw *failure;
}

/// A unit that is larger than the machine could never start. The sum over all units may be more: memory is taken when
/// it is used, and not every tenant uses all of its own.
void TenantService::requireFits(const catalog::UnitConfig& unit) const {
    const auto wanted = static_cast<std::uint64_t>(unit.memory_size);
    if (options_.memory_capacity == 0 || wanted <= options_.memory_capacity) return;
    throw obError(Ob::ResourceNotEnough, fmt::format("unit {} has MEMORY_SIZE {}, the server has {} bytes", unit.name,
                                                     wanted, options_.memory_capacity));
}

void TenantService::dropUnit(const std::string& name, bool if_exists) {
    if (if_exists && !stores_.resources.findUnit(name)) return;
    stores_.resources.dropUnit(name);
}

void TenantService::createPool(const std::string& name, const std::string& unit, std::int64_t unit_num,
                               const std::vector<std::string>& zones, bool if_not_exists) {
    if (if_not_exists && stores_.resources.findPool(name)) return;
    requireName(name, "resource pool name");
    if (unit_num < 1) throw obError(Ob::InvalidArgument, "UNIT_NUM");
    if (const auto config = stores_.resources.findUnit(unit)) requireFits(*config);
    stores_.resources.createPool(name, unit, unit_num, zones);
}

void TenantService::alterPool(const std::string& name, const PoolItems& items) {
    if (items.unit.has_value() + items.unit_num.has_value() + items.zones.has_value() != 1) {
        throw obError(Ob::NotSupported, "alter unit_num, resource_unit, zone_list in one cmd");
    }
    const auto pool = stores_.resources.findPool(name);
    if (!pool) throw obError(Ob::PoolNotExist, name);
    if (items.unit) {
        if (const auto config = stores_.resources.findUnit(*items.unit)) requireFits(*config);
        stores_.resources.setPoolUnit(name, *items.unit);
        if (pool->tenant) resize(*pool->tenant);
    } else if (items.unit_num && *items.unit_num != pool->unit_count) {
        // One unit of a pool per server, and there is one server in a zone.
        if (*items.unit_num < 1) throw obError(Ob::InvalidArgument, "UNIT_NUM");
        throw obError(Ob::UnitNumOverServerCount);
    } else if (items.zones && std::set<std::string>(items.zones->begin(), items.zones->end()) !=
                                  std::set<std::string>(pool->zones.begin(), pool->zones.end())) {
        throw obError(Ob::NotSupported, "changing the zones of a resource pool");
    }
}

void TenantService::dropPool(const std::string& name, bool if_exists) {
    if (if_exists && !stores_.resources.findPool(name)) return;
    stores_.resources.dropPool(name);
}

/// Gives a tenant what its units say now: at once what mariadbd can change while it runs.
void TenantService::resize(TenantId id) {
    const auto tenant = stores_.tenants.find(id);
    if (!tenant || tenant->status != TenantStatus::Normal) return;
    const Exclusive exclusive(*this, tenant->name);
    remember(*tenant);
    configure(*tenant, profileOf(*tenant));
    const MemoryPlan plan = planMemory(settings(*tenant, profileOf(*tenant)));
    const auto resized = server(id);
    if (!resized->running()) return;
    try {
        mysql::SqlClient sql(resized->endpoint());
        sql.query("SET GLOBAL innodb_buffer_pool_size = ?", {plan.buffer_pool});
        sql.query("SET GLOBAL max_connections = ?", {std::uint64_t{plan.client_connections + kReservedConnections}});
        sql.query("SET GLOBAL max_user_connections = ?", {std::uint64_t{plan.client_connections}});
    } catch (const Error& error) {
        throw Error(error.code(), fmt::format("the size is recorded, but tenant {} gets it at its next start only: {}",
                                              tenant->name, error.what()));
    }
}

void TenantService::stopAll() {
    std::vector<std::shared_ptr<TenantServer>> servers;
    {
        const std::lock_guard lock(mutex_);
        for (const auto& [id, entry] : entries_)
            servers.push_back(entry.server);
    }
    // sys comes first in the map and last here: while the others go down, somebody may yet want to note it.
    std::reverse(servers.begin(), servers.end());
    for (const auto& stopped : servers) {
        supervisor_.forget(stopped->id());
        options_.stopping(stopped->id());
        const auto process = stopped->process();
        if (process && stopped->id() != catalog::kSysTenantId) process->kill(SIGTERM);
    }
    for (const auto& stopped : servers) {
        if (!stopped->stop()) log_->warn("mariadbd of tenant={} had to be killed", stopped->name());
    }
}

}  // namespace tidemark::tenant
