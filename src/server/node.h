#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <optional>

#include "archive/archive_service.h"
#include "backup/backup_service.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/node_key.h"
#include "catalog/stores.h"
#include "clean/clean_service.h"
#include "front/front.h"
#include "job/capacity.h"
#include "job/work_engine.h"
#include "restore/restore_service.h"
#include "server/config.h"
#include "server/data_directory.h"
#include "server/event_recorder.h"
#include "server/front_directory.h"
#include "server/sys_tenant.h"
#include "statement/engine.h"
#include "tenant/replica_service.h"
#include "tenant/resource_service.h"
#include "tenant/standby_service.h"
#include "tenant/tenant_service.h"
#include "validate/validate_service.h"
#include "view/tenant_mirror.h"

namespace tidemark::server {

/// Everything that a running daemon consists of, in the order in which it depends on each other: the one place where
/// concrete classes are named and wired.
///
/// Making a Node locks the data directory, brings sys and all tenants up, goes on with what was running, and accepts
/// clients; destroying it ends the daemon's own work and leaves the databases up. One thread.
class Node {
public:
    /// `end` is called, from any thread, when a statement asks for the end of the node: main then destroys it.
    explicit Node(
        const Config& config, std::function<void()> end = [] {});
    ~Node();
    Node(const Node&) = delete;
    Node& operator=(const Node&) = delete;

    /// The port that clients connect to.
    std::uint16_t port() const { return port_; }
    /// Whether the end was asked for with the databases: ALTER SYSTEM SHUTDOWN.
    bool databasesShallEnd() const { return databases_shall_end_; }
    /// No more clients, jobs and archiving; whatever was running is left as a crash would leave it, or better. False if
    /// something hangs and was left running after a limit: the Node must not be destroyed then, the process just ends.
    bool endWork();
    /// After endWork() was false: lets the next daemon begin before this process is gone. It may hang in the kernel.
    void abandon() { directory_.unlock(); }
    /// As endWork(), then ends the databases too, sys last. To be called once.
    void stopDatabases();

    catalog::Stores& stores() { return stores_; }
    const tenant::Replicas& replicas() const { return replicas_.replicas(); }
    tenant::ResourceService& resources() { return resources_; }
    tenant::TenantService& tenants() { return tenants_; }
    tenant::StandbyService& standbys() { return standbys_; }

private:
    void bootstrap(const Config& config);
    catalog::Server describeServer(const Config& config) const;

    const Logger log_;
    SystemClock clock_;
    DataDirectory directory_;
    Fd listening_;  ///< taken before anything is started that would have to be ended if the port is not free
    const std::uint16_t port_;
    const NodeKey node_key_;
    restore::OpenedData opened_;
    tenant::TenantTemplate template_;
    const tenant::RunningServers running_;  ///< when the daemon started
    SysTenant sys_;
    catalog::Catalog catalog_;
    catalog::Stores stores_;
    EventRecorder events_;
    tenant::TenantSupervisor supervisor_;
    std::unique_ptr<view::TenantMirror> mirror_;
    tenant::ReplicaService replicas_;
    tenant::TenantTurns turns_;
    tenant::ResourceService resources_;
    tenant::TenantService tenants_;
    tenant::StandbyService standbys_;
    job::Capacity capacity_;
    job::WorkEngine work_;  // ends all jobs, which use the capacity
    archive::ArchiveService archive_;
    backup::BackupService backup_;
    restore::RestoreService restore_;
    clean::CleanService clean_;
    validate::ValidateService validate_;
    std::atomic<bool> databases_shall_end_ = false;
    std::optional<bool> work_ended_;  ///< what endWork() said
    statement::Engine engine_;
    FrontDirectory front_directory_;
    front::Front front_;
};

}  // namespace tidemark::server
