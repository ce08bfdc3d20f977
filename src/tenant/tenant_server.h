#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include "base/mutex.h"
#include "base/process.h"
#include "mysql/sql_client.h"
#include "tenant/account_keeper.h"
#include "tenant/data_ground.h"
#include "tenant/running_servers.h"
#include "tenant/tenant_config.h"
#include "tenant/tenant_template.h"

namespace tidemark::tenant {

/// One tenant's mariadbd and its directory. The process runs in a process group of its own and outlives this object and
/// the daemon: destroying a TenantServer stops nothing, and a new one adopts what runs.
///
/// Thread-safe. Who restarts a process that died is TenantSupervisor; who may change the catalog is TenantService.
class TenantServer : public std::enable_shared_from_this<TenantServer> {
public:
    TenantServer(catalog::TenantId id, std::string name, TenantPaths paths, Priority priority = Priority::Normal,
                 DataGround ground = {})
        : id_(id), paths_(std::move(paths)), priority_(priority), ground_(std::move(ground)), name_(std::move(name)) {}

    /// Makes the tenant's directory with a new secret and, from the template, its data directory. Durable only after
    /// syncFiles(). Throws AlreadyExists if there is one.
    void create(TenantTemplate& tenant_template, catalog::CompatibilityMode mode = catalog::CompatibilityMode::Mysql);
    /// The same with an empty data directory, for a restore to fill; durable.
    void createEmpty();
    /// Makes durable what is in its directory.
    void syncFiles() const;
    bool exists() const;

    /// Writes my.cnf and the init file, and notes the time zone; in force from the next start on.
    void configure(const TenantSettings& settings);

    /// Starts mariadbd and returns once the process is there; adopts it if it runs already. Throws NotFound if mariadbd
    /// is not installed or the tenant has no directory; Unavailable if its data cannot be had (yet).
    void launch();
    /// Waits until it accepts connections; a server that has lost the daemon's account is given it back. Throws
    /// Unavailable, with the last lines of its error log, if the process ends or the limit passes (it then goes on
    /// starting: recovery of a large log takes its time).
    void awaitReady(std::chrono::milliseconds limit = std::chrono::minutes(5));
    void start(std::chrono::milliseconds limit = std::chrono::minutes(5)) {
        launch();
        awaitReady(limit);
    }
    /// Takes over the process that runs on this directory, if there is one. The pid file is only a hint: a process is
    /// ours if it belongs to our user and was started with exactly our command line. Looks around once; later it is
    /// known what runs, since nobody else starts anything on a directory of ours.
    bool adopt();
    /// The same for one of many: whoever starts a node looks once for all of them.
    bool adopt(const RunningServers& running);

    /// As long as everything that a replay has left in memory may take to the disk.
    static constexpr std::chrono::minutes kFlushLimit{30};
    /// Clean shutdown; kills what has not ended within the limit. True if it was clean (or nothing ran).
    bool stop(std::chrono::milliseconds limit = std::chrono::minutes(2));
    /// SIGKILL; for a tenant whose data is to be dropped.
    void kill();

    /// Stops nothing: call stop() or kill() before. Renames the directory, so that half-removed data is never taken for
    /// a tenant, then deletes it. Nothing happens if there is none.
    void removeFiles();

    /// Likewise: what its data directory stood on is given back, and is made again by the next start.
    void clearGround() const { ground_.clear(paths_); }

    bool running() const;
    /// Whether it was configured to replay a log: a restart in between would make that worthless.
    bool replaying() const { return replaying_; }
    /// As it was last configured.
    catalog::CompatibilityMode mode() const { return mode_; }
    /// The process last started or adopted, if it still runs.
    std::optional<pid_t> pid() const;
    /// A duplicate for watching; nullopt if nothing runs.
    std::optional<ProcessHandle> process() const;

    /// For the daemon's own connections, as `tidemark`@`localhost`. A statement may take five minutes: a server that
    /// hangs must not hold a job for ever.
    mysql::Endpoint endpoint() const;
    std::string socket() const { return paths_.socket().string(); }
    const TenantPaths& paths() const { return paths_; }
    catalog::TenantId id() const { return id_; }
    std::string name() const EXCLUDES(mutex_) {
        const MutexLock lock(mutex_);
        return name_;
    }
    /// After RENAME: what errors and events call the tenant from now on.
    void rename(const std::string& name) {
        const MutexLock lock(mutex_);
        name_ = name;
    }
    /// The last `lines` messages of mariadbd's error log, as they may be shown (base/program_log.h); empty if there is
    /// none.
    std::string logTail(std::size_t lines = 5) const;

private:
    Command command(const std::string& system_time_zone = {}) const;
    /// What process_ is, if it still runs.
    std::shared_ptr<const ProcessHandle> current() const EXCLUDES(process_mutex_);
    bool adoptWhileStarting(const RunningServers* running) REQUIRES(starting_);
    void hold(std::optional<ProcessHandle> process) EXCLUDES(process_mutex_, mutex_);
    mysql::Endpoint probe() const;
    void makeDirectory();

    const catalog::TenantId id_;
    const TenantPaths paths_;
    const Priority priority_;
    const DataGround ground_;
    /// Held while a process is looked for or started: fork, exec, /proc. Taken before the others.
    Mutex starting_;
    bool looked_ GUARDED_BY(starting_) = false;  // it is known what ran before us
    mutable Mutex process_mutex_;                ///< held for the copy of a pointer: every login takes it
    std::shared_ptr<const ProcessHandle> process_ GUARDED_BY(process_mutex_);
    mutable Mutex mutex_;
    std::string name_ GUARDED_BY(mutex_);
    std::atomic<bool> replaying_ = false;
    std::atomic<catalog::CompatibilityMode> mode_ = catalog::CompatibilityMode::Mysql;
    std::shared_ptr<AccountKeeper> keeper_ GUARDED_BY(mutex_);  // once there is a process
    std::string system_time_zone_ GUARDED_BY(mutex_);
};

/// Finishes removals that an end of the daemon interrupted: deletes what removeFiles() had renamed below `tenants`;
/// and what jobs kept in a tenant's directory, of which none runs yet.
void removeLeftovers(const std::filesystem::path& tenants);

}  // namespace tidemark::tenant
