#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "archive/round_writer.h"
#include "base/clock.h"
#include "mysql/sql_client.h"

namespace tidemark::archive {

struct ArchiveProgress {
    RoundState round;
    std::vector<PieceState> pieces;  ///< all of the round at first, then those that changed since the last call
    mysql::GtidPosition position;    ///< of what is durable
    std::string purge_before;        ///< all the tenant's binlog files before this one are archived; empty: not known
};

/// A round whose archiver has found out what is at the destination.
struct OpenedRound {
    RoundStart start;
    std::vector<SettingsRecord> settings;  ///< those that are there, in order
};

/// Told of what the archiver does, on the archiver's thread and never after stop(), abandon() or the destructor
/// returned. Must not throw, must not wait for anything (the archive waits meanwhile), and must not call back into the
/// archiver's stop functions.
class ArchiveListener {
public:
    virtual ~ArchiveListener() = default;
    /// Once, before the first progress.
    virtual void opened(const OpenedRound& /*round*/) {}
    /// What is durable now. The first call says that the round has begun (or goes on): status DOING.
    virtual void progress(const ArchiveProgress& progress) = 0;
    /// The log cannot be continued and nothing more is archived. The round stays open until stop() or closeRound().
    virtual void interrupted(const std::string& reason) = 0;
    /// Tenant or destination fail; the archiver tries again by itself. Called when the text changes.
    virtual void trouble(const std::string& text) = 0;
    virtual void recovered() = 0;
    /// What is to be put beside the log; asked before each progress and after Archiver::attend(). A record whose
    /// position is empty gets that of the binlog then.
    virtual std::vector<SettingsRecord> settingsToStore() { return {}; }
    /// Those that were asked for last are at the destination.
    virtual void settingsStored() {}
};

struct ArchiverOptions {
    mysql::Endpoint tenant;       ///< the daemon's account: REPLICATION SLAVE and the reading of variables
    std::uint32_t server_id = 0;  ///< unique among all readers of this tenant's binlog, now and for a while after
    RoundDescription round;
    /// How far the catalog knows this round to be archived; 0: it has not begun. A destination that shows less (one
    /// that is not mounted, say) is waited for instead of believed.
    Scn known_checkpoint = 0;
    /// What was told to be archived of an idle time, whether or not the destination knows: no SCN up to here is given.
    Scn known_covered = 0;
    std::string tenant_name;                     ///< for the log
    std::chrono::milliseconds lag_target{1000};  ///< a transaction is durable at the latest so long after its arrival
    std::chrono::milliseconds idle_longest{10'000};         ///< between looks whether an idle tenant is idle
    std::chrono::milliseconds checkpoint_longest{600'000};  ///< between checkpoints of one at the destination
    std::chrono::milliseconds retry_longest{30'000};        ///< between attempts while something fails
    /// The daemon before this one was ending the round: nothing is archived, the round is closed, and what it came to
    /// is told.
    bool only_to_end = false;
    std::chrono::milliseconds end_limit{15'000};  ///< how long its end waits for the destination
};

class ArchiverLoop;

/// Archives one tenant's log: one thread that follows the binlog as a replica and writes a round to the destination,
/// which it never blocks the tenant for. Survives the loss of either side, and goes on behind what is really durable at
/// the destination. See docs/decisions/archive.md.
///
/// start() once, then one of stop(), abandon() and drop(), or none. None of them waits longer than `end_limit` for a
/// destination that hangs: the thread is then left behind with what it uses, and ends, without another word or write of
/// its own, when the destination answers. `clock` outlives all of them.
class Archiver {
public:
    Archiver(ArchiverOptions options, std::shared_ptr<storage::Storage> destination, const Clock& clock,
             ArchiveListener& listener);
    /// As drop().
    ~Archiver();
    Archiver(const Archiver&) = delete;
    Archiver& operator=(const Archiver&) = delete;

    void start();
    /// NOARCHIVELOG: makes durable what has arrived and ends the round. Throws what prevented that; the round is then
    /// still open, and closeRound() ends it later.
    void stop();
    /// End of the daemon, or DEFER: makes durable what has arrived; the round stays open. Does not throw.
    void abandon();
    /// Ends at once, dropping what is not durable yet (it will be read from the binlog again).
    void drop() { end(); }
    /// stop() and abandon(), begun and not waited for: so that many end at once.
    void beginStop();
    void beginAbandon();

    // Any thread; they return at once.

    /// Holds from now on, also for what has arrived already.
    void setLagTarget(std::chrono::milliseconds lag_target);
    /// Makes durable what has arrived, and a checkpoint of now, without waiting for the lag target.
    void hurry();
    /// The listener has settings to store.
    void attend();

    /// How many threads were left behind and have not ended: while there are any, a process must not tear down what
    /// they use, but _Exit.
    static int leftBehind();

private:
    void end();

    const std::shared_ptr<ArchiverLoop> loop_;
    std::jthread thread_;
};

}  // namespace tidemark::archive
