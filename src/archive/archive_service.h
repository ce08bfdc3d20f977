#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "archive/binlog_purger.h"
#include "archive/progress_recorder.h"
#include "archive/round_follower.h"
#include "base/log.h"
#include "base/mutex.h"
#include "catalog/stores.h"
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
    /// How long the end of a round waits for its destination.
    std::chrono::milliseconds end_limit{15'000};
};

/// The archives of all tenants: LOG_ARCHIVE_DEST, ARCHIVELOG and NOARCHIVELOG, one RoundFollower per archiving tenant.
/// Thread-safe; what is asked for one tenant at once is done one after the other, by what the catalog says then and not
/// by what the caller saw. A tenant's round survives the daemon: resumeAll() goes on with it. A destination that hangs
/// holds up calls about its own tenants only.
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
    /// The tenant's archive_lag_target has been set: it holds from now on.
    void lagTargetChanged(catalog::TenantId tenant);

    /// At the daemon's start: goes on with every round that was open.
    void resumeAll();
    /// What is archived, and whether, becomes what the catalog says: for whoever has undone something half-way.
    void settle(catalog::TenantId tenant);
    /// Before a tenant is dropped, and after, for the round that began between: ends its archiver; nothing more is
    /// written. If the tenant stays after all, settle() goes on.
    void forget(catalog::TenantId tenant);
    /// At the daemon's end: flushes what was received and leaves the rounds open. Nothing begins afterwards.
    void suspendAll();

    // --- for those who wait for the archive --------------------------------------------------------------------------

    /// Calls `then` once: as soon as this round has archived all of `position`, as its archiver here knows, or that is
    /// not to be known any more; at once, if none is at work on it here now (it was interrupted, is over, or is another
    /// node's). Whoever is called asks the destination. It is called on the caller's or an archiver's thread, which
    /// waits meanwhile: it must return at once, not throw, and not call this service. Until then the tenant's
    /// archive_lag_target is not waited for.
    void whenArchived(catalog::TenantId tenant, std::int64_t round_id, const mysql::GtidPosition& position,
                      std::function<void()> then);
    /// Has the archivers that write to one of these destinations (URIs) write all that was committed by now, and that
    /// nothing else was, so that whoever reads the destination finds it: an idle tenant's checkpoint is written ever
    /// more rarely. Waits for it up to the limit; what then is missing is missing.
    void makeDurable(const std::vector<std::string>& uris, std::chrono::milliseconds limit);

private:
    using Held = std::vector<std::unique_lock<Mutex>>;
    Held hold(std::vector<catalog::TenantId> tenants);
    Held hold(const std::vector<catalog::Tenant>& tenants);
    using Ready = std::map<catalog::TenantId, catalog::ArchiveDestination>;
    catalog::ArchiveDestination destinationOf(const catalog::Tenant& tenant);
    void requireStartable(const catalog::Tenant& tenant);
    bool begin(const std::vector<catalog::Tenant>& tenants, const Ready& ready);
    void start(const catalog::ArchiveRound& round);
    std::shared_ptr<RoundFollower> follow(const catalog::ArchiveRound& round, bool only_to_end);
    std::shared_ptr<RoundFollower> take(catalog::TenantId tenant);
    std::shared_ptr<RoundFollower> find(catalog::TenantId tenant, std::int64_t round_id);
    void finish(const catalog::ArchiveRound& round, std::shared_ptr<RoundFollower> follower);
    void settleHeld(catalog::TenantId tenant);
    bool settleLogMode(const catalog::ArchiveRound& round);
    std::chrono::milliseconds lagTarget(catalog::TenantId tenant);
    storage::DestinationIdentity identity(const catalog::Tenant& tenant, std::int64_t dest_id);

    const ArchiveServiceOptions options_;
    catalog::Stores& stores_;
    const Clock& clock_;
    const Logger log_;
    ProgressRecorder recorder_;
    BinlogPurger purger_;
    Mutex mutex_;  // never held while anything is waited for
    bool over_ GUARDED_BY(mutex_) = false;
    std::map<catalog::TenantId, Mutex> changing_ GUARDED_BY(mutex_);  // each taken before it, by hold()
    std::map<catalog::TenantId, std::shared_ptr<RoundFollower>> followers_ GUARDED_BY(mutex_);
};

}  // namespace tidemark::archive
