#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "base/log.h"
#include "base/mutex.h"
#include "tenant/tenant_server.h"

namespace tidemark::tenant {

/// What became of a tenant's process that nobody had asked to stop.
struct SupervisorEvent {
    enum class Kind { Died, Restarted, RestartFailed };

    Kind kind = Kind::Died;
    catalog::TenantId tenant = 0;
    std::string name;
    pid_t pid = 0;                            ///< of the dead or the new process; 0 for RestartFailed
    int attempt = 0;                          ///< restarts since it was last stable, from 1
    std::chrono::milliseconds restart_in{0};  ///< Died and RestartFailed: when the next attempt comes
    /// Why, as far as it can be known: it is not our child, so there is no exit status; the end of its error log, or
    /// what kept it from starting.
    std::string detail;
};

struct SupervisorOptions {
    std::chrono::milliseconds first_pause{200};
    std::chrono::milliseconds longest_pause{30'000};
    /// After so long a life the pauses begin anew.
    std::chrono::milliseconds stable_after{120'000};
};

/// Watches the processes of all tenants, each by its pidfd, on one thread, and starts again what dies, after a pause
/// that doubles with every death. It only launches; whether the server then accepts connections is asked by those who
/// want to connect.
///
/// Thread-safe; no lock is held while a process is started or a log is read. `report` is called on the supervisor's
/// thread and must not block: a dead sys tenant is restarted by this very thread. Destroying it ends the watching, not
/// the databases.
class TenantSupervisor {
public:
    using Report = std::function<void(const SupervisorEvent&)>;

    explicit TenantSupervisor(Report report, SupervisorOptions options = {});
    ~TenantSupervisor();
    TenantSupervisor(const TenantSupervisor&) = delete;
    TenantSupervisor& operator=(const TenantSupervisor&) = delete;

    /// From now on the server is kept running. Watching it twice is harmless.
    void watch(std::shared_ptr<TenantServer> server);
    /// To be called before a server is stopped on purpose: once this has returned, it is not started again.
    void forget(catalog::TenantId tenant);

private:
    using Time = std::chrono::steady_clock::time_point;
    struct Watched {
        std::shared_ptr<TenantServer> server;
        std::optional<ProcessHandle> process;  ///< nullopt: dead, waiting for `due`
        Time started;
        Time due;
        int attempt = 0;
        std::chrono::milliseconds pause{0};
    };

    void run(std::stop_token stop);
    void wait();
    std::vector<catalog::TenantId> concerned();
    std::optional<SupervisorEvent> noteDeath(catalog::TenantId tenant);
    std::optional<SupervisorEvent> restart(catalog::TenantId tenant);
    void launch(TenantServer& server, SupervisorEvent& event);
    std::chrono::milliseconds nextPause(Watched& watched) const REQUIRES(mutex_);
    void wake();

    const Report report_;
    const SupervisorOptions options_;
    const Logger log_;
    Mutex mutex_;
    ConditionVariable launched_;
    std::map<catalog::TenantId, Watched> watched_ GUARDED_BY(mutex_);
    catalog::TenantId launching_ GUARDED_BY(mutex_) = 0;  // whose process is being started, or 0
    Fd wake_;                                             // an eventfd: the list has changed
    std::jthread thread_;                                 // last: it uses all of the above
};

}  // namespace tidemark::tenant
