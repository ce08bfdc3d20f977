#include "server/front_directory.h"

namespace tidemark::server {
namespace {

/// Why a tenant takes no clients, in the operator's words; empty if it does.
std::string obstacle(const tenant::LoginTarget& target) {
    switch (target.status) {
        case catalog::TenantStatus::Creating:
            return "being created";
        case catalog::TenantStatus::Restore:
            return "being restored; see oceanbase.CDB_OB_RESTORE_PROGRESS in sys";
        case catalog::TenantStatus::Dropping:
            return "being dropped";
        case catalog::TenantStatus::Normal:
            break;
    }
    return target.up ? "" : "down; it is being started again";
}

}  // namespace

front::TenantAnswer FrontDirectory::find(const std::string& name) const {
    using Reason = front::TenantRefusal::Reason;
    const auto target = tenants_.loginTarget(name);
    if (!target) return front::TenantRefusal{.reason = Reason::Unknown};
    if (const std::string state = obstacle(*target); !state.empty()) {
        return front::TenantRefusal{.reason = Reason::NotReady, .state = state};
    }
    if (target->locked) return front::TenantRefusal{.reason = Reason::Locked};
    return front::TenantAddress{.tenant_id = static_cast<std::uint64_t>(target->id),
                                .name = target->name,
                                .socket = target->socket,
                                .max_sessions = target->client_connections};
}

std::optional<std::filesystem::path> FrontDirectory::anySocket() const {
    const auto sys = tenants_.loginTarget("sys");
    if (!sys || !sys->up) return std::nullopt;
    return sys->socket;
}

}  // namespace tidemark::server
