#pragma once

#include <memory>

#include "base/clock.h"
#include "base/log.h"
#include "catalog/stores.h"
#include "server/config.h"
#include "server/data_directory.h"
#include "server/event_recorder.h"
#include "server/sys_tenant.h"
#include "tenant/tenant_service.h"

namespace tidemark::server {

/// Everything that a running daemon consists of, in the order in which it depends on each other: the one place where
/// concrete classes are named and wired.
///
/// Making a Node locks the data directory and brings sys and all tenants up; destroying it ends the daemon's own work
/// and leaves the databases up. One thread.
class Node {
public:
    explicit Node(const Config& config);
    ~Node();
    Node(const Node&) = delete;
    Node& operator=(const Node&) = delete;

    /// Ends the databases too, sys last. To be called once, right before the Node is destroyed.
    void stopDatabases();

    catalog::Stores& stores() { return stores_; }
    tenant::TenantService& tenants() { return tenants_; }

private:
    void bootstrap(const Config& config);
    catalog::Server describeServer(const Config& config) const;

    const Logger log_;
    SystemClock clock_;
    DataDirectory directory_;
    tenant::TenantTemplate template_;
    SysTenant sys_;
    catalog::Catalog catalog_;
    catalog::Stores stores_;
    EventRecorder events_;
    tenant::TenantSupervisor supervisor_;
    tenant::TenantService tenants_;
};

}  // namespace tidemark::server
