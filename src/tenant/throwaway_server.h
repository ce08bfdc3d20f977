#pragma once

#include <filesystem>
#include <memory>

#include "tenant/running_servers.h"
#include "tenant/tenant_server.h"

namespace tidemark::tenant {

/// A mariadbd beside the tenants', made to be looked at and thrown away. It lies in `<below>/<id>/` as a tenant does in
/// its directory. No list of tenants has it: no login leads to it, no view shows it, nobody starts it again, no pool
/// pays for it. It gives way to the others (Priority::Background).
///
/// Destroying it ends the process and removes the files. What a daemon that was killed has left, removeThrowaways()
/// finds, and the next one of the same id. Not thread-safe, but for what TenantServer promises.
class ThrowawayServer {
public:
    /// With an empty data directory. Throws as TenantServer does.
    ThrowawayServer(const std::filesystem::path& below, catalog::TenantId id);
    ~ThrowawayServer();
    ThrowawayServer(const ThrowawayServer&) = delete;
    ThrowawayServer& operator=(const ThrowawayServer&) = delete;

    TenantServer& operator*() const { return *server_; }
    TenantServer* operator->() const { return server_.get(); }

private:
    const std::filesystem::path below_;
    const std::shared_ptr<TenantServer> server_;
};

/// At the daemon's start, before any is made: ends and removes all that there are below a directory. `running`: what
/// runs on this machine.
void removeThrowaways(const std::filesystem::path& below, const RunningServers& running);

}  // namespace tidemark::tenant
