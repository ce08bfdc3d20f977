#include "server/front_directory.h"

namespace tidemark::server {
namespace {

using catalog::TenantStatus;
using Reason = front::TenantRefusal::Reason;

/// Why a tenant takes no sessions, nullopt if it does. One that is being restored takes none while whatever a client
/// did there could stand in the way of the log.
std::optional<front::TenantRefusal> refusal(const tenant::LoginTarget& target) {
    switch (target.status) {
        case TenantStatus::Creating:
            return front::TenantRefusal{Reason::NotReady, "being created"};
        case TenantStatus::Dropping:
            return front::TenantRefusal{Reason::Unknown, ""};
        case TenantStatus::Restore:
            if (target.readable) break;
            return front::TenantRefusal{Reason::NotReady, "being restored"};
        case TenantStatus::Normal:
            break;
    }
    if (target.locked) return front::TenantRefusal{Reason::Locked, ""};
    if (!target.up) return front::TenantRefusal{Reason::NotReady, "starting"};
    return std::nullopt;
}

}  // namespace

front::TenantAnswer FrontDirectory::find(const std::string& name) const {
    const auto target = replicas_.loginTarget(name);
    if (!target) return front::TenantRefusal{Reason::Unknown, ""};
    if (const auto refused = refusal(*target)) return *refused;
    return front::TenantAddress{.tenant_id = static_cast<std::uint64_t>(target->id),
                                .name = target->name,
                                .socket = target->socket,
                                .max_sessions = target->client_connections,
                                .invited_nodes = target->invited_nodes,
                                .oracle = target->mode == catalog::CompatibilityMode::Oracle};
}

std::optional<std::filesystem::path> FrontDirectory::anySocket() const {
    const auto sys = replicas_.loginTarget("sys");
    if (!sys || !sys->up) return std::nullopt;
    return sys->socket;
}

}  // namespace tidemark::server
