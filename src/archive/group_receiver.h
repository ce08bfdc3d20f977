#pragma once

#include <stdexcept>
#include <string>

#include "archive/round_writer.h"
#include "base/clock.h"
#include "mysql/dump_client.h"

namespace tidemark::archive {

/// The log cannot be continued without a gap: the round is over.
class Interruption : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

/// What was in the binlog before the stream began: its time of arrival says nothing.
struct CaughtUp {
    mysql::GtidPosition position;
    Nanos time = 0;  ///< all of it was committed by then, whatever its events say
};

/// Turns the events of a binlog stream into transactions of a round: finds where each begins and ends, gives it its
/// SCN, leaves out what only describes the binlog's files. See docs/decisions/scn.md for how the SCN is chosen.
class GroupReceiver {
public:
    GroupReceiver(RoundWriter& round, const Clock& clock, CaughtUp caught_up);

    /// Throws Interruption if the stream shows that transactions are missing, or what RoundWriter throws. Gives no SCN
    /// above the clock, provided that the round's last one is not.
    void take(const mysql::DumpClient::Part& part);

    bool insideTransaction() const { return inside_; }
    /// The binlog file that is being read; empty until known.
    const std::string& binlogFile() const { return binlog_file_; }

private:
    void takeFirst(const mysql::DumpClient::Part& part);
    void beginTransaction(const mysql::DumpClient::Part& part);
    void note(const mysql::DumpClient::Part& part);
    bool endsTransaction(const mysql::DumpClient::Part& part) const;
    void endTransaction(const mysql::EventHeader& header);
    void setFormat(const mysql::DumpClient::Part& part);
    Scn scnFor(std::uint32_t told) const;

    RoundWriter& round_;
    const Clock& clock_;
    const CaughtUp caught_up_;
    std::string binlog_file_;
    Nanos server_start_ = 0;  // what comes now was committed after it

    bool inside_ = false;     // a transaction has begun and not ended
    bool keeping_ = false;    // the event under way belongs to it
    bool ending_ = false;     // and is its last one
    bool described_ = false;  // its first statement has been seen
    std::uint32_t told_ = 0;  // when its last event was written, as far as the binlog tells
    mysql::GtidEvent gtid_;
    TransactionEntry entry_;
};

}  // namespace tidemark::archive
