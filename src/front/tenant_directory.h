#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <variant>

namespace tidemark::front {

/// Where a tenant that takes sessions is reached.
struct TenantAddress {
    std::uint64_t tenant_id = 0;
    std::string name;  ///< as the tenant is really called; sessions are counted and compared by it
    std::filesystem::path socket;
    std::uint32_t max_sessions = 0;   ///< of clients, over this node; 0: no limit
    std::string invited_nodes = "%";  ///< who may come: base/invited_nodes.h
    bool oracle = false;              ///< the tenant is in ORACLE mode
};

/// Why a tenant takes no session now.
struct TenantRefusal {
    enum class Reason {
        Unknown,   ///< no tenant of that name
        NotReady,  ///< it exists but does not run, or is being restored; `state` says which
        Locked,
    };
    Reason reason = Reason::Unknown;
    std::string state;  ///< in the operator's words, e.g. "starting", "being restored"; may be empty
};

using TenantAnswer = std::variant<TenantAddress, TenantRefusal>;

/// What the front has to know about tenants. Implementations are thread-safe and answer from memory at once: the
/// network threads ask, at every login.
class TenantDirectory {
public:
    virtual ~TenantDirectory() = default;

    /// `name` is as the client wrote it, "sys" if it named no tenant.
    virtual TenantAnswer find(const std::string& name) const = 0;

    /// The socket of any tenant that runs; from it the front learns what this MariaDB's greeting looks like.
    virtual std::optional<std::filesystem::path> anySocket() const = 0;
};

}  // namespace tidemark::front
