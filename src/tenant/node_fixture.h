#pragma once

#include <gmock/gmock.h>

#include <memory>
#include <string>
#include <vector>

#include "base/bounded_queue.h"
#include "base/mutex.h"
#include "tenant/resource_service.h"
#include "tenant/standby_service.h"
#include "tenant/tenant_fixture.h"
#include "tenant/tenant_service.h"

namespace tidemark::tenant {

/// For tests: a node without the rest of the daemon: sys with its catalog, a supervisor, and the services of tenants.
class NodeFixture : public TenantFixture {
protected:
    /// What lives as long as a daemon does.
    struct Services {
        explicit Services(NodeFixture& node)
            : supervisor([&node](const SupervisorEvent& event) { node.events_.push(event); }),
              replicas({.tenants = node.directory_.path(),
                        .zone = "zone1",
                        .started = [&node](auto id, const auto&) { node.see("started " + std::to_string(id)); },
                        .stopping = [&node](auto id) { node.see("stopping " + std::to_string(id)); }},
                       *node.stores_, sharedTemplate(), supervisor, node.sys_),
              resources(*node.stores_, replicas, turns, 1ULL << 60),
              tenants(*node.catalog_, *node.stores_, replicas, turns),
              standbys(*node.catalog_, *node.stores_, replicas, turns) {}

        TenantSupervisor supervisor;
        ReplicaService replicas;
        TenantTurns turns;
        ResourceService resources;
        TenantService tenants;
        StandbyService standbys;
    };

    void SetUp() override {
        sys_ = started(catalog::kSysTenantId);
        catalog_ = std::make_unique<catalog::Catalog>(catalog::CatalogOptions{.endpoint = sys_->endpoint()}, clock_);
        catalog_->migrate();
        stores_ = std::make_unique<catalog::Stores>(*catalog_);
        stores_->cluster.bootstrap({.cluster = {.name = "test"},
                                    .zone = {.name = "zone1"},
                                    .server = {.ip = "127.0.0.1", .zone = "zone1"},
                                    .sys_server_id = 5001,
                                    .sys_memory = kLeastMemory,
                                    .sys_log_disk = 2ULL << 30});
        begin();
    }

    /// As a daemon that starts on this data directory.
    void begin() {
        services_ = std::make_unique<Services>(*this);
        services_->replicas.start(RunningServers::look());
    }

    /// As a daemon that was killed: nothing is stopped.
    void end() { services_.reset(); }

    void TearDown() override {
        if (services_) {
            for (const catalog::Tenant& tenant : stores_->tenants.all()) {
                services_->supervisor.forget(tenant.id);
                object(tenant.id)->adopt();
            }
        }
        end();
        TenantFixture::TearDown();
    }

    TenantSupervisor& supervisor() { return services_->supervisor; }
    ReplicaService& replicas() { return services_->replicas; }
    ResourceService& resources() { return services_->resources; }
    TenantService& tenants() { return services_->tenants; }
    StandbyService& standbys() { return services_->standbys; }
    std::shared_ptr<TenantServer> server(catalog::TenantId id) { return replicas().server(id); }
    std::optional<LoginTarget> loginTarget(const std::string& name) { return replicas().replicas().loginTarget(name); }

    void pool(const std::string& name, std::int64_t memory = 64 << 20) {
        resources().createUnit("u_" + name, {.max_cpu = 1, .memory_size = memory});
        resources().createPool(name, "u_" + name, 1, {"zone1"});
    }
    catalog::Tenant create(const std::string& name, const std::map<std::string, std::string>& variables = {}) {
        pool("p_" + name);
        tenants().create(name, {.pools = {{"p_" + name}}, .variables = variables});
        return stores_->tenants.get(name);
    }
    void see(std::string what) {
        const MutexLock lock(mutex_);
        seen_.push_back(std::move(what));
    }
    std::vector<std::string> seen() {
        const MutexLock lock(mutex_);
        return seen_;
    }
    /// "number message" of the error.
    static std::string errorOf(const std::function<void()>& call) {
        try {
            call();
            return "no error";
        } catch (const Error& error) {
            return std::to_string(error.sql() ? error.sql()->number : 0) + " " + error.what();
        }
    }
    mysql::SqlClient root(catalog::TenantId id) { return administrator(*server(id)); }
    mysql::SqlClient daemon(catalog::TenantId id) { return mysql::SqlClient(server(id)->endpoint()); }

    SystemClock clock_;
    std::shared_ptr<TenantServer> sys_;
    std::unique_ptr<catalog::Catalog> catalog_;
    std::unique_ptr<catalog::Stores> stores_;
    BoundedQueue<SupervisorEvent> events_{1000};
    Mutex mutex_;
    std::vector<std::string> seen_ GUARDED_BY(mutex_);
    std::unique_ptr<Services> services_;
};

}  // namespace tidemark::tenant
