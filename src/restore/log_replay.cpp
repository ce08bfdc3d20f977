#include "restore/log_replay.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "base/growing_pause.h"
#include "base/stop_sleep.h"
#include "restore/event_states.h"
#include "virtual_primary/virtual_primary.h"

namespace tidemark::restore {
namespace {

using archive::ArchiveReader;
using virtual_primary::VirtualPrimary;

constexpr std::chrono::milliseconds kPollShortest{20};  // so that a short replay is not mostly waiting
constexpr std::chrono::milliseconds kPollLongest{250};

/// By all replication that the server has done since it started: not even RESET SLAVE ALL sets it back.
std::uint64_t appliedBy(const mysql::Row& status) {
    return status.unsignedInteger("Slave_DDL_Groups") + status.unsignedInteger("Slave_Non_Transactional_Groups") +
           status.unsignedInteger("Slave_Transactional_Groups");
}

std::uint64_t retriesOf(mysql::SqlClient& server) {
    return server.query("SHOW GLOBAL STATUS LIKE 'Slave_retried_transactions'").rows.at(0).unsignedInteger("Value");
}

mysql::Row slaveStatus(mysql::SqlClient& server) {
    const auto result = server.query("SHOW SLAVE STATUS");
    if (result.empty()) throw Error(ErrorCode::Internal, "somebody removed the replication of the restored server");
    return result.rows.front();
}

/// Waits, but not longer than until `stop` is requested.
void pause(const std::stop_token& stop, std::chrono::milliseconds time) {
    if (!sleepFor(stop, time)) throw Error(ErrorCode::Cancelled, "the replay was cancelled");
}

/// Ends replication on every way out; on the good one there is nothing left to end.
class ReplicationEnd {
public:
    explicit ReplicationEnd(mysql::SqlClient& server) : server_(server) {}
    ~ReplicationEnd() {
        try {
            server_.query("STOP SLAVE");
            server_.query("RESET SLAVE ALL");
        } catch (const Error&) {
            // The server is gone, and with it the replication.
        }
    }
    ReplicationEnd(const ReplicationEnd&) = delete;
    ReplicationEnd& operator=(const ReplicationEnd&) = delete;

private:
    mysql::SqlClient& server_;
};

}  // namespace

LogReplay::LogReplay(const ArchiveReader& reader, LogReplayOptions options)
    : reader_(reader), options_(std::move(options)) {}

ArchiveReader::Target LogReplay::run(std::stop_token stop, const std::function<void(const ReplayProgress&)>& progress) {
    const ArchiveReader::Target target = findTarget();
    const mysql::GtidPosition expected = expectedPosition(target);
    round_ = target.round;
    const auto extent = reader_.extent(round_, options_.start, options_.target);
    progress_ = {0, extent.transactions, 0, extent.bytes};
    progress(progress_);

    mysql::SqlClient server(options_.server);
    const bool one_domain = std::count_if(expected.domains().begin(), expected.domains().end(), [&](const auto& entry) {
                                return !options_.start.contains(entry.second);
                            }) <= 1;
    prepare(server, one_domain);
    if (expected != options_.start) {
        const VirtualPrimary primary(reader_, {round_, options_.target, options_.primary_server_id});
        const ReplicationEnd end(server);
        EventStates events(server);
        begin(server, primary, expected);
        follow(server, primary, stop, expected, progress);
        verify(server, expected);
        events.follow(reader_, round_, options_.start, options_.target);
        events.write(options_.target);
    } else {
        verify(server, expected);
    }
    return target;
}

ArchiveReader::Target LogReplay::findTarget() const {
    const auto target = reader_.positionAt(options_.target);
    if (!target) {
        throw Error(ErrorCode::InvalidRequest, fmt::format("the archive does not reach SCN {}", options_.target));
    }
    return *target;
}

/// The target's position, and what else the data contained from the start: domains that the round says nothing of.
mysql::GtidPosition LogReplay::expectedPosition(const ArchiveReader::Target& target) const {
    mysql::GtidPosition expected = options_.start;
    for (const auto& [domain, gtid] : target.position.domains())
        expected.set(gtid);
    bool later = !expected.contains(options_.start);
    reader_.transactions(options_.target + 1, kScnUnlimited, [&](const archive::TransactionEntry& entry) {
        later = later || options_.start.contains(entry.gtid);
        return false;
    });
    if (later) {
        throw Error(ErrorCode::InvalidRequest,
                    fmt::format("the restored data is at {}, later than SCN {}, which is at {}", options_.start.text(),
                                options_.target, target.position.text()));
    }
    return expected;
}

/// Parallel appliers keep the order within a domain only; a log of several is one order that has to be kept whole.
void LogReplay::prepare(mysql::SqlClient& server, bool one_domain) const {
    server.query("STOP SLAVE");
    server.query("RESET SLAVE ALL");
    server.query("SET GLOBAL slave_parallel_threads=?", {std::uint64_t{one_domain ? options_.parallel_threads : 0}});
    server.query("SET GLOBAL slave_parallel_mode=?", {options_.parallel_mode});
    server.query("SET GLOBAL gtid_slave_pos=?", {options_.start.text()});
}

void LogReplay::begin(mysql::SqlClient& server, const VirtualPrimary& primary, const mysql::GtidPosition& until) {
    server.query(
        "CHANGE MASTER TO MASTER_HOST='127.0.0.1', MASTER_PORT=?, MASTER_USE_GTID=slave_pos, MASTER_CONNECT_RETRY=1, "
        "MASTER_HEARTBEAT_PERIOD=5, MASTER_SSL=0, MASTER_USER=?, MASTER_PASSWORD=?",
        {std::uint64_t{primary.port()}, primary.user(), primary.password()});
    applied_before_ = appliedBy(slaveStatus(server));
    retries_before_ = retriesOf(server);
    server.query("START SLAVE UNTIL master_gtid_pos=?", {until.text()});
}

void LogReplay::follow(mysql::SqlClient& server, const VirtualPrimary& primary, std::stop_token stop,
                       const mysql::GtidPosition& until, const std::function<void(const ReplayProgress&)>& report) {
    GrowingPause polls(kPollShortest, kPollLongest);
    for (;;) {
        const mysql::Row status = slaveStatus(server);
        applied_after_ = appliedBy(status);
        progress_.transactions = std::min(applied_after_ - applied_before_, progress_.transactions_total);
        progress_.bytes = std::min(primary.sentBytes(), progress_.bytes_total);
        report(progress_);
        if (goOnWithoutRows(status, server, until)) {
            if (server.scalar("SELECT @@gtid_slave_pos") == until.text()) return;
            continue;
        }
        requireHealthy(status, server, primary);
        if (status.text("Slave_SQL_Running") == "No") return;
        pause(stop, polls.next());
    }
}

void LogReplay::requireHealthy(const mysql::Row& status, mysql::SqlClient& server,
                               const VirtualPrimary& primary) const {
    if (status.unsignedInteger("Last_SQL_Errno") != 0) refused(server, status.text("Last_SQL_Error"));
    if (const auto failure = primary.failure()) std::rethrow_exception(failure);
    if (status.unsignedInteger("Last_IO_Errno") != 0 && status.text("Slave_IO_Running") == "No") {
        throw Error(ErrorCode::Internal,
                    fmt::format("the server does not replicate from the archive: {}", status.text("Last_IO_Error")));
    }
}

/// A physical copy has no rows of MEMORY tables, so the log may change some that are not there. Whether that is why the
/// server has stopped; if so, the transaction is applied without them and replication goes on behind it.
bool LogReplay::goOnWithoutRows(const mysql::Row& status, mysql::SqlClient& server, const mysql::GtidPosition& until) {
    constexpr std::uint64_t kNoSuchRow = 1032;
    if (status.unsignedInteger("Last_SQL_Errno") != kNoSuchRow || options_.error_log.empty()) return false;
    // Parallel appliers may have begun what comes behind it.
    if (server.scalar("SELECT @@global.slave_parallel_threads") != "0") return false;
    auto position = mysql::GtidPosition::parse(server.scalar("SELECT @@gtid_slave_pos").value_or(""));
    const auto entry = nextAfter(position);
    if (!entry) return false;
    const LoggedTransaction transaction = readTransaction(reader_, round_, position, *entry);
    if (!memory_) memory_.emplace(options_.server, options_.error_log);
    if (!memory_->canApply(transaction)) return false;
    server.query("STOP SLAVE");
    try {
        memory_->apply(transaction);
    } catch (const Error& error) {
        if (error.code() == ErrorCode::Unavailable) throw;
        refused(server, error.what());
    }
    position.set(entry->gtid);
    server.query("SET GLOBAL gtid_slave_pos=?", {position.text()});
    // Else it was the last one; replication would wait for a next one that may not be sent.
    if (position != until) server.query("START SLAVE UNTIL master_gtid_pos=?", {until.text()});
    return true;
}

/// The transaction that comes next in the archive.
std::optional<archive::TransactionEntry> LogReplay::nextAfter(const mysql::GtidPosition& position) const {
    std::optional<archive::TransactionEntry> next;
    const auto covered = reader_.scnOf(round_, position);
    reader_.transactions(covered ? covered->scn : 0, options_.target, [&](const archive::TransactionEntry& entry) {
        if (position.contains(entry.gtid)) return true;
        next = entry;
        return false;
    });
    return next;
}

/// Says what cannot be applied, why, up to where a restore can go, and how.
void LogReplay::refused(mysql::SqlClient& server, const std::string& why) const {
    constexpr std::size_t kWhyLimit = 400, kStatementLimit = 600;
    // Behind these words the server repeats the statement, with whatever secrets are in it.
    const std::string reason = withoutSecrets(why.substr(0, std::min(why.find(" Query: '"), kWhyLimit)));
    const auto position = mysql::GtidPosition::parse(server.scalar("SELECT @@gtid_slave_pos").value_or(""));
    const auto entry = nextAfter(position);
    if (!entry) {
        throw Error(ErrorCode::Internal,
                    fmt::format("the log cannot be replayed behind {}: {}", position.text(), reason));
    }
    const Scn before = entry->scn - 1;
    // As UNTIL TIME reads it: in the time zone of the tenant, which the server has.
    const auto time =
        server.scalar("SELECT CONVERT_TZ(FROM_UNIXTIME(CAST(? AS DECIMAL(20,6))), '+00:00', @@global.time_zone)",
                      {fmt::format("{}.{:06}", before / kSecond, before % kSecond / 1000)});
    throw Error(
        ErrorCode::Internal,
        fmt::format("the log cannot be replayed beyond SCN {}: the server refuses transaction {} (SCN {}): {}; its "
                    "statement: {}",
                    before, entry->gtid.text(), entry->scn, reason,
                    describe(readTransaction(reader_, round_, position, *entry), kStatementLimit)),
        fmt::format("the last moment that this set and log restore is UNTIL SCN = {}{}; for a later one restore from "
                    "a backup set that was made after SCN {}",
                    before, time ? fmt::format(" (UNTIL TIME = '{}')", *time) : "", entry->scn));
}

/// A replica skips silently what it believes to have, so its position alone proves too little. What it had to try again
/// it counts each time.
void LogReplay::verify(mysql::SqlClient& server, const mysql::GtidPosition& expected) const {
    const auto reached = mysql::GtidPosition::parse(server.scalar("SELECT @@gtid_slave_pos").value_or(""));
    if (reached != expected) {
        throw Error(ErrorCode::Internal,
                    fmt::format("the replay stopped at {} instead of {}", reached.text(), expected.text()));
    }
    const std::uint64_t most = applied_after_ - applied_before_;
    const std::uint64_t least = most - std::min(most, retriesOf(server) - retries_before_);
    if (progress_.transactions_total < least || progress_.transactions_total > most) {
        throw Error(ErrorCode::Internal, fmt::format("the server applied {} to {} transactions, the archive has {}",
                                                     least, most, progress_.transactions_total));
    }
}

}  // namespace tidemark::restore
