#include "archive/group_receiver.h"

#include <fmt/format.h>
#include <strings.h>

#include <algorithm>

namespace tidemark::archive {

using mysql::EventType;

namespace {

/// Events that describe a file of the binlog or the stream, not a transaction.
bool isBookkeeping(const mysql::EventHeader& header) {
    switch (header.type) {
        case EventType::Heartbeat:
        case EventType::Rotate:
        case EventType::Stop:
        case EventType::GtidList:
        case EventType::BinlogCheckpoint:
        case EventType::StartEncryption:
            return true;
        default:
            return header.artificial();
    }
}

std::uint8_t entryFlags(std::uint8_t gtid_flags) {
    std::uint8_t flags = 0;
    if ((gtid_flags & mysql::kGtidDdl) != 0) flags |= TransactionEntry::kDdl;
    if ((gtid_flags & mysql::kGtidPreparedXa) != 0) flags |= TransactionEntry::kXaPrepare;
    if ((gtid_flags & mysql::kGtidCompletedXa) != 0) flags |= TransactionEntry::kXaComplete;
    const bool plain = (gtid_flags & (mysql::kGtidDdl | mysql::kGtidTransactional)) == 0;
    if (plain && (flags & TransactionEntry::kXaComplete) == 0) flags |= TransactionEntry::kNonTransactional;
    return flags;
}

}  // namespace

GroupReceiver::GroupReceiver(RoundWriter& round, const Clock& clock, CaughtUp caught_up)
    : round_(round), clock_(clock), caught_up_(std::move(caught_up)) {}

void GroupReceiver::take(const mysql::DumpClient::Part& part) {
    if (part.first) takeFirst(part);
    if (!keeping_) return;
    round_.append(part.bytes);
    if (!part.last) return;
    keeping_ = false;
    if (ending_) endTransaction(part.header);
}

void GroupReceiver::takeFirst(const mysql::DumpClient::Part& part) {
    keeping_ = ending_ = false;
    const auto& header = part.header;
    if (header.type == EventType::Rotate) binlog_file_ = mysql::parseRotateEvent(part.bytes).file;
    if (isBookkeeping(header)) return;
    if (header.type == EventType::FormatDescription) return setFormat(part);
    if (header.type == EventType::Incident) {
        throw Interruption(fmt::format("the tenant's binlog says at {}:{} that it lost transactions", binlog_file_,
                                       header.end_position));
    }
    if (header.type == EventType::Gtid) {
        beginTransaction(part);
    } else if (!inside_) {
        if ((header.flags & mysql::kEventIgnorable) != 0) return;
        throw Interruption(fmt::format("the binlog has an event of type {} at {}:{} that belongs to no transaction",
                                       static_cast<int>(header.type), binlog_file_, header.end_position));
    } else {
        note(part);
    }
    keeping_ = true;
}

void GroupReceiver::setFormat(const mysql::DumpClient::Part& part) {
    // In the midst of a transaction: the server died while writing it, and it never was one.
    if (inside_) round_.flush();
    inside_ = false;
    const auto format = mysql::parseFormatDescription(part.bytes);
    if (!format.has_checksums) {
        throw Interruption("the tenant's binlog has no checksums; it must run with binlog_checksum=CRC32");
    }
    // Written before there are sessions. A file that a session made the server begin has the session's time.
    if (format.created != 0) server_start_ = Nanos{format.created} * kSecond;
    round_.setFormat(part.bytes, format.server_version);
}

void GroupReceiver::beginTransaction(const mysql::DumpClient::Part& part) {
    if (inside_) round_.flush();
    gtid_ = mysql::parseGtidEvent(part.bytes);
    if (round_.position().contains(gtid_.gtid)) {
        throw Interruption(
            fmt::format("transaction {} comes after {}: the tenant's binlog was begun anew or has diverged",
                        gtid_.gtid.text(), round_.position().text()));
    }
    inside_ = true;
    described_ = false;
    entry_ = {};
    entry_.gtid = gtid_.gtid;
    entry_.flags = entryFlags(gtid_.flags);
    if (caught_up_.position.contains(gtid_.gtid)) entry_.flags |= TransactionEntry::kApproximate;
    round_.beginTransaction(scnFor(part.header.timestamp));
}

void GroupReceiver::note(const mysql::DumpClient::Part& part) {
    ending_ = endsTransaction(part);
    told_ = part.header.timestamp;
    // The duration is reckoned from the beginning that the session gave: their sum is the server's own time, whatever
    // that was, in the same 32 bits.
    if (part.header.type == EventType::Query) told_ += mysql::queryDuration(part.bytes);
    if (described_ || part.header.type != EventType::Query || (entry_.flags & TransactionEntry::kDdl) == 0) return;
    described_ = true;
    auto query = mysql::parseQueryEvent(part.bytes, TransactionEntry::kStatementLimit, part.last);
    entry_.database = std::move(query.database);
    entry_.statement = std::move(query.text);
}

/// By the rule the server's own replica follows.
bool GroupReceiver::endsTransaction(const mysql::DumpClient::Part& part) const {
    const EventType type = part.header.type;
    if ((gtid_.flags & mysql::kGtidStandalone) != 0) return !mysql::precedesStatement(type);
    if (type == EventType::Xid || type == EventType::XaPrepare) return true;
    if (type != EventType::Query || !part.last) return false;
    constexpr std::size_t kLongest = 9;  // one more than "ROLLBACK", so that "ROLLBACK TO …" differs
    const std::string text = mysql::parseQueryEvent(part.bytes, kLongest, true).text;
    return strcasecmp(text.c_str(), "COMMIT") == 0 || strcasecmp(text.c_str(), "ROLLBACK") == 0;
}

/// A session can tell any time. What it tells is believed as far as it can be true.
Scn GroupReceiver::scnFor(std::uint32_t told) const {
    const bool approximate = (entry_.flags & TransactionEntry::kApproximate) != 0;
    const Nanos possible = std::min(std::max(Nanos{told} * kSecond, server_start_), caught_up_.time);
    const Nanos time = approximate ? possible : clock_.now();
    return std::max(round_.lastScn() + 1, static_cast<Scn>(time));
}

void GroupReceiver::endTransaction(const mysql::EventHeader& header) {
    inside_ = false;
    entry_.timestamp = header.timestamp;
    entry_.scn = scnFor(told_);
    round_.endTransaction(entry_);
}

}  // namespace tidemark::archive
