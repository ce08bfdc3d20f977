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

/// Turns the events of a binlog stream into transactions of a round: finds where each begins and ends, gives it its
/// SCN, leaves out what only describes the binlog's files. See docs/decisions/scn.md for how the SCN is chosen.
class GroupReceiver {
public:
    /// Transactions in `caught_up_at` were in the binlog before the stream began, so their time of arrival says
    /// nothing.
    GroupReceiver(RoundWriter& round, const Clock& clock, mysql::GtidPosition caught_up_at);

    /// Throws Interruption if the stream shows that transactions are missing, or what RoundWriter throws.
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
    Scn scnFor(std::uint32_t timestamp) const;

    RoundWriter& round_;
    const Clock& clock_;
    const mysql::GtidPosition caught_up_at_;
    std::string binlog_file_;

    bool inside_ = false;     // a transaction has begun and not ended
    bool keeping_ = false;    // the event under way belongs to it
    bool ending_ = false;     // and is its last one
    bool described_ = false;  // its first statement has been seen
    mysql::GtidEvent gtid_;
    TransactionEntry entry_;
};

}  // namespace tidemark::archive
