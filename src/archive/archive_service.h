#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "archive/round_follower.h"
#include "base/log.h"
#include "catalog/stores.h"
#include "mysql/sql_client.h"
#include "storage/destination.h"

namespace tidemark::archive {

struct ArchiveServiceOptions {
    /// How the daemon reaches a tenant; throws Ob::TenantNotExist.
    std::function<mysql::Endpoint(catalog::TenantId)> endpoint;
    SettingsOf settings = [](auto) { return std::map<std::string, std::string>(); };
    /// The node's directory, where no destination may lie.
    std::filesystem::path own_directory;
    /// Length of a piece instead of PIECE_SWITCH_INTERVAL, whose least is a day; 0: not replaced. For tests.
    Nanos piece_interval = 0;
    /// How long a tenant that is not archived keeps its binlog, for replicas of its own.
    std::chrono::seconds unarchived_binlog{24 * 3600};
};

/// The archives of all tenants: LOG_ARCHIVE_DEST, ARCHIVELOG and NOARCHIVELOG, one RoundFollower per archiving tenant.
/// Thread-safe; what is asked for one tenant at once is done one after the other, by what the catalog says then and not
/// by what the caller saw. A tenant's round survives the daemon: resumeAll() goes on with it.
class ArchiveService {
public:
    ArchiveService(ArchiveServiceOptions options, catalog::Stores& stores, const Clock& clock);
    ArchiveService(const ArchiveService&) = delete;
    ArchiveService& operator=(const ArchiveService&) = delete;

    /// SET LOG_ARCHIVE_DEST: `value` is 'LOCATION=… [BINDING=…] [PIECE_SWITCH_INTERVAL=…]', or empty to clear it.
    void setDestination(const catalog::Tenant& tenant, const std::string& value);

    /// ARCHIVELOG: opens a round for each tenant and returns; they begin on their own. All tenants are checked before
    /// anything is changed. Throws Ob::AlreadyInArchiveMode, Ob::CannotStartLogArchive, and what is wrong with a
    /// destination.
    void enable(const std::vector<catalog::Tenant>& tenants);
    /// NOARCHIVELOG: what has been received is written, the rounds end. Throws Ob::AlreadyInNoArchiveMode, and then has
    /// changed nothing.
    void disable(const std::vector<catalog::Tenant>& tenants);

    /// At the daemon's start: goes on with every round that was open.
    void resumeAll();
    /// Before a tenant is dropped, and after, for the round that began between: ends its archiver; nothing more is
    /// written.
    void forget(catalog::TenantId tenant);
    /// At the daemon's end: flushes what was received and leaves the rounds open.
    void suspendAll();

private:
    using Held = std::vector<std::unique_lock<std::mutex>>;
    Held hold(std::vector<catalog::TenantId> tenants);
    Held hold(const std::vector<catalog::Tenant>& tenants);
    catalog::ArchiveDestination requireReady(const catalog::Tenant& tenant);
    void start(const catalog::ArchiveRound& round);
    std::unique_ptr<RoundFollower> take(catalog::TenantId tenant);
    void finish(const catalog::ArchiveRound& round, std::unique_ptr<RoundFollower> follower);
    storage::DestinationIdentity identity(const catalog::Tenant& tenant, std::int64_t dest_id);
    bool settleLogMode(const catalog::ArchiveRound& round);
    void expireBinlogs(std::stop_token stop);
    void expireBinlogs(const catalog::Tenant& tenant);

    const ArchiveServiceOptions options_;
    catalog::Stores& stores_;
    const Clock& clock_;
    const Logger log_;
    std::mutex mutex_;
    std::map<catalog::TenantId, std::mutex> changing_;  // the map guarded by mutex_; each taken before it, by hold()
    std::map<catalog::TenantId, std::unique_ptr<RoundFollower>> followers_;  // guarded by mutex_
    std::jthread expiry_;
};

}  // namespace tidemark::archive
