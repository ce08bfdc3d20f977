#pragma once

#include <functional>
#include <stop_token>
#include <string>

#include "archive/archive_reader.h"
#include "mysql/sql_client.h"
#include "restore/memory_rows.h"

namespace tidemark::virtual_primary {
class VirtualPrimary;
}

namespace tidemark::restore {

struct LogReplayOptions {
    /// The restored server, as an account that may replicate. It runs with its binlog and event scheduler off, and with
    /// a server id that neither the archived events nor `primary_server_id` have.
    mysql::Endpoint server;
    mysql::GtidPosition start;  ///< what the restored data contains
    Scn target = 0;             ///< the last SCN to apply
    std::uint32_t primary_server_id = 0;
    unsigned parallel_threads = 0;  ///< 0: serial; docs/decisions/virtual_primary.md has the measurements
    std::string parallel_mode = "optimistic";
    /// The server's. Where it is given, and the replay serial, a missing row of a MEMORY table does not end it.
    std::filesystem::path error_log;
};

struct ReplayProgress {
    std::uint64_t transactions = 0;  ///< applied
    std::uint64_t transactions_total = 0;
    std::uint64_t bytes = 0;  ///< sent to the server, of its log in raw form
    std::uint64_t bytes_total = 0;
};

/// Brings a restored server forward to an SCN, exactly: it replicates from a virtual primary and stops there by itself.
/// Nothing of ours is written into the server's data or log but its replication position. Used by one thread.
class LogReplay {
public:
    /// `reader` must not be refreshed while run() runs.
    LogReplay(const archive::ArchiveReader& reader, LogReplayOptions options);

    /// Returns when the server has applied everything up to the target and nothing else, which is checked by position
    /// and by count; it replicates no more then. Throws InvalidRequest if the archive does not lead from start to
    /// target, Corrupt or NotFound naming a bad object of the archive, Internal if the server refuses a transaction,
    /// with what it is, the server's words, and the last moment before it, Unavailable if it is gone, Cancelled once
    /// `stop` is requested. `progress` is called a few times a second.
    archive::ArchiveReader::Target run(std::stop_token stop,
                                       const std::function<void(const ReplayProgress&)>& progress);

    /// Rows of MEMORY tables that were to be changed and are in no physical copy.
    MissingRows missingRows() const { return memory_ ? memory_->missing() : MissingRows{}; }

private:
    archive::ArchiveReader::Target findTarget() const;
    mysql::GtidPosition expectedPosition(const archive::ArchiveReader::Target& target) const;
    void prepare(mysql::SqlClient& server, bool one_domain) const;
    void begin(mysql::SqlClient& server, const virtual_primary::VirtualPrimary& primary,
               const mysql::GtidPosition& until);
    void follow(mysql::SqlClient& server, const virtual_primary::VirtualPrimary& primary, std::stop_token stop,
                const mysql::GtidPosition& until, const std::function<void(const ReplayProgress&)>& report);
    void requireHealthy(const mysql::Row& status, mysql::SqlClient& server,
                        const virtual_primary::VirtualPrimary& primary) const;
    bool goOnWithoutRows(const mysql::Row& status, mysql::SqlClient& server, const mysql::GtidPosition& until);
    std::optional<archive::TransactionEntry> nextAfter(const mysql::GtidPosition& position) const;
    [[noreturn]] void refused(mysql::SqlClient& server, const std::string& why) const;
    void verify(mysql::SqlClient& server, const mysql::GtidPosition& expected) const;

    const archive::ArchiveReader& reader_;
    const LogReplayOptions options_;
    archive::RoundKey round_;
    std::uint64_t applied_before_ = 0;  // the server's counters, which go on from what it did earlier
    std::uint64_t applied_after_ = 0;
    std::uint64_t retries_before_ = 0;
    ReplayProgress progress_;
    std::optional<MemoryRows> memory_;  // once there was need of it
};

}  // namespace tidemark::restore
