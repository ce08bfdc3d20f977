#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include "base/file.h"
#include "front/tenant_directory.h"
#include "net/workers.h"
#include "statement/statement_service.h"

namespace tidemark::front {

struct FrontOptions {
    unsigned threads = 2;  ///< that move bytes
    /// For own statements; their owner is the tenant that one is about.
    net::WorkersOptions workers{.name = "statement", .first_owner = "sys"};
    std::uint32_t max_sessions = 8'000;  ///< of all tenants together, logging in ones included
    /// From the connection to a complete login packet.
    std::chrono::milliseconds login_timeout{10'000};
    /// From there to the end of the login. The tenant drops a client that stalls after 10 s (its connect_timeout); this
    /// is for a tenant that hangs itself.
    std::chrono::milliseconds tenant_login_timeout{60'000};
};

struct FrontCounters {
    std::uint64_t sessions = 0;        ///< now, logging in ones included
    std::uint64_t sessions_total = 0;  ///< since start
    std::uint64_t refused_total = 0;   ///< by the front, not by a tenant: no such tenant, not up, too many
    std::uint64_t own_statements_total = 0;
};

/// The port that clients connect to: takes `user@tenant`, lets the tenant check the password, passes bytes to and fro,
/// and answers Tidemark's own statements. See docs/front.md.
///
/// start() and stop() belong to one thread; port() and counters() may be called from any, once started.
class Front {
public:
    /// Both references must outlive the Front. Raises the process's limit of open files as far as `max_sessions` needs;
    /// if that is not allowed, fewer sessions are admitted, and the log says so.
    Front(TenantDirectory& directory, statement::StatementService& service, FrontOptions options = {});
    /// Stops, if that was not done.
    ~Front();
    Front(const Front&) = delete;
    Front& operator=(const Front&) = delete;

    /// Begins to accept; `listening` is a socket of net::listenOn().
    void start(Fd listening);
    std::uint16_t port() const;

    /// Accepts no more, ends idle sessions at once and the others after their current command, or, when `limit` has
    /// passed, in the middle of it. Own statements that already run are waited for without limit.
    void stop(std::chrono::milliseconds limit = std::chrono::seconds(5));

    FrontCounters counters() const;

private:
    struct Running;
    std::unique_ptr<Running> running_;
};

}  // namespace tidemark::front
