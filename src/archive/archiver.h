#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>

#include "archive/round_writer.h"
#include "base/clock.h"
#include "base/log.h"
#include "mysql/sql_client.h"

namespace tidemark::archive {

struct ArchiveProgress {
    RoundState round;
    std::vector<PieceState> pieces;  ///< all of the round at first, then those that changed since the last call
    std::string purge_before;        ///< see Archiver::safeToPurgeBefore()
};

/// Told of what the archiver does, on the archiver's thread and never after stop(), abandon() or the destructor
/// returned. Must not throw, and must not call back into the archiver's stop functions.
class ArchiveListener {
public:
    virtual ~ArchiveListener() = default;
    /// What is durable now. The first call says that the round has begun (or goes on): status DOING.
    virtual void progress(const ArchiveProgress& progress) = 0;
    /// The log cannot be continued and nothing more is archived. The round stays open until stop() or closeRound().
    /// False: that could not be noted; it is told again after a while.
    virtual bool interrupted(const std::string& reason) = 0;
    /// Tenant or destination fail; the archiver tries again by itself. Called when the text changes.
    virtual void trouble(const std::string& text) = 0;
    virtual void recovered() = 0;
};

struct ArchiverOptions {
    mysql::Endpoint tenant;       ///< the daemon's account: REPLICATION SLAVE and the reading of variables
    std::uint32_t server_id = 0;  ///< unique among all readers of this tenant's binlog, now and for a while after
    RoundDescription round;
    /// How far the catalog knows this round to be archived; 0: it has not begun. A destination that shows less (one
    /// that is not mounted, say) is waited for instead of believed.
    Scn known_checkpoint = 0;
    std::string tenant_name;                     ///< for the log
    std::chrono::milliseconds lag_target{1000};  ///< a transaction is durable at the latest so long after its arrival
    std::chrono::milliseconds idle_longest{10000};   ///< between checkpoints of an idle tenant
    std::chrono::milliseconds retry_longest{30000};  ///< between attempts while something fails
};

/// Archives one tenant's log: one thread that follows the binlog as a replica and writes a round to the destination,
/// which it never blocks the tenant for. Survives the loss of either side, and goes on behind what is really durable at
/// the destination. See docs/decisions/archive.md.
///
/// start() once, then one of stop() and abandon(), or neither.
class Archiver {
public:
    Archiver(ArchiverOptions options, storage::Storage& destination, const Clock& clock, ArchiveListener& listener);
    /// Ends at once, dropping what is not durable yet (it will be read from the binlog again).
    ~Archiver();
    Archiver(const Archiver&) = delete;
    Archiver& operator=(const Archiver&) = delete;

    void start();
    /// NOARCHIVELOG: makes durable what has arrived and ends the round. Throws what prevented that; the round is then
    /// still open, and closeRound() ends it later.
    void stop();
    /// End of the daemon, or DEFER: makes durable what has arrived; the round stays open. Does not throw.
    void abandon();

    /// All the tenant's binlog files before this one are archived: the target for PURGE BINARY LOGS TO. nullopt as long
    /// as that is not known. Any thread.
    std::optional<std::string> safeToPurgeBefore() const;

private:
    enum class Ending { Drop, Flush, Close };
    struct Session;

    void run();
    void runSession();
    void openRound(Session& session);
    void requireClock() const;
    void follow(Session& session);
    template <typename Ask>
    auto askTenant(Ask ask);
    void flush(Session& session);
    void checkpointIfIdle(Session& session);
    void noteDurable(const Session& session);
    void report(const std::optional<std::string>& purge_before = std::nullopt);
    void handleFailure(const Error& error);
    void waitBeforeRetry();
    void handleInterruption();
    void end(Ending ending);
    void finishRound();

    const ArchiverOptions options_;
    storage::Storage& destination_;
    const Clock& clock_;
    ArchiveListener& listener_;
    const Logger log_;

    // Of the archiver's thread alone, until it has ended.
    std::stop_token stop_;
    std::unique_ptr<RoundWriter> round_;
    Scn durable_checkpoint_ = 0;
    std::string trouble_;
    std::chrono::milliseconds retry_after_;
    int refusals_ = 0;  // in a row, by the tenant, of our position
    std::optional<std::string> interruption_;

    std::atomic<Ending> ending_ = Ending::Drop;
    std::exception_ptr ending_failure_;
    mutable std::mutex mutex_;
    std::condition_variable_any stopping_;  // never notified: waits end by the stop token
    std::string purge_before_;              // guarded by mutex_
    std::jthread thread_;
};

}  // namespace tidemark::archive
