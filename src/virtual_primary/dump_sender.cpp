#include "virtual_primary/dump_sender.h"

#include <fmt/format.h>
#include <pthread.h>

#include <algorithm>

#include "base/error.h"

namespace tidemark::virtual_primary {

using mysql::EventType;

namespace {

constexpr std::size_t kBatchesAhead = 8;  // of up to 1 MiB each
constexpr std::uint32_t kFirstPosition = 4;

}  // namespace

DumpSender::DumpSender(mysql::WireConnection& connection, const archive::ArchiveReader& reader,
                       const VirtualPrimaryOptions& options, ServingState& state, const ReplicaWishes& wishes)
    : connection_(connection),
      reader_(reader),
      options_(options),
      state_(state),
      wishes_(wishes),
      stream_(reader, {options.round, *wishes.connect_state, options.until, wishes.until}),
      position_(*wishes.connect_state),
      ahead_(kBatchesAhead) {}

DumpSender::~DumpSender() {
    // Wakes a reader that waits for room.
    ahead_.fail(std::make_exception_ptr(Error(ErrorCode::Cancelled, "the replica is gone")));
}

void DumpSender::readAhead() {
    pthread_setname_np(pthread_self(), "log_read_ahead");
    try {
        while (auto batch = stream_.next()) {
            if (!ahead_.push(std::move(*batch))) return;
        }
        ahead_.close();
    } catch (const Error& error) {
        // Whatever keeps the archive from being read ends the replay: a replica would try again for a day.
        if (error.code() != ErrorCode::Cancelled) state_.fail(std::current_exception());
        ahead_.fail(std::current_exception());
    } catch (...) {
        state_.fail(std::current_exception());
        ahead_.fail(std::current_exception());
    }
}

void DumpSender::run() {
    reading_ = std::jthread([this] { readAhead(); });
    auto batch = ahead_.pop();
    if (!batch) sendBeginning();
    for (; batch; batch = ahead_.pop()) {
        sendBatch(*batch);
        connection_.flush();
        state_.sent_bytes += batch->bytes.size();
    }
    connection_.flush();
    if (untilReached()) return sendUntilReached();
    if (wishes_.until) {
        // It would wait for ever: what may be sent is fixed.
        throw Error(ErrorCode::NotFound,
                    fmt::format("the log up to {} is wanted, it ends at {}", wishes_.until->text(), position_.text()));
    }
    sendHeartbeats();
}

/// For a replica that has everything already: it still has to be told of a file and its format.
void DumpSender::sendBeginning() {
    const auto& segments = reader_.segments(options_.round);
    if (segments.empty()) return;
    beginFile(mysql::makeResumedFormat(reader_.open(segments.back()).header().format));
}

void DumpSender::sendMade(const Bytes& event) {
    connection_.queueBegin(1 + event.size());
    connection_.queuePart(Bytes{0});
    connection_.queuePart(event);
}

/// Tells of another binlog file, whose events read by `format`.
void DumpSender::beginFile(const Bytes& format) {
    const bool first = file_number_ == 0;
    const std::string file = fmt::format("tidemark.{:06}", ++file_number_);
    sendMade(mysql::makeRotate(options_.server_id, file, kFirstPosition));
    sendMade(format);
    file_position_ = std::max(kFirstPosition, mysql::parseEventHeader(format).end_position);
    if (first) sendMade(mysql::makeGtidList(options_.server_id, position_, kFirstPosition, false));
}

void DumpSender::sendBatch(const archive::LogBatch& batch) {
    if (batch.format) {
        // At first as to a replica that goes on within a file; later on as it was, so that a restart of the tenant's
        // server between ends temporary tables here as well.
        beginFile(format_ ? *batch.format : mysql::makeResumedFormat(*batch.format));
        format_ = batch.format;
    }
    std::size_t sent = 0;
    for (const auto& end : batch.ends) {
        sendEvents(ByteView(batch.bytes).subspan(sent, end.at - sent));
        sent = end.at;
        position_.set(end.gtid);
    }
    sendEvents(ByteView(batch.bytes).subspan(sent));
}

void DumpSender::beginEvent() {
    const mysql::EventHeader header = mysql::parseEventHeader(head_);
    skipping_ = header.type == EventType::AnnotateRows && !wishes_.annotate_rows;
    event_left_ = header.size - head_.size();
    file_position_ = header.end_position;
    if (!skipping_) {
        connection_.queueBegin(1 + std::uint64_t{header.size});
        connection_.queuePart(Bytes{0});
        connection_.queuePart(head_);
    }
    head_.clear();
}

/// Raw events, in whatever parts: header, then the rest.
void DumpSender::sendEvents(ByteView bytes) {
    while (!bytes.empty()) {
        const std::uint64_t wanted = event_left_ > 0 ? event_left_ : mysql::kEventHeaderSize - head_.size();
        const ByteView part = bytes.first(static_cast<std::size_t>(std::min<std::uint64_t>(wanted, bytes.size())));
        bytes = bytes.subspan(part.size());
        if (event_left_ > 0) {
            if (!skipping_) connection_.queuePart(part);
            event_left_ -= part.size();
            continue;
        }
        head_.insert(head_.end(), part.begin(), part.end());
        if (head_.size() == mysql::kEventHeaderSize) beginEvent();
    }
}

/// As the server does it: the replica's threads stop without an error.
void DumpSender::sendUntilReached() {
    sendMade(mysql::makeGtidList(options_.server_id, position_, file_position_, true));
    connection_.queueMessage(ByteWriter().u8(0xfe).u16(0).u16(2).data());
    connection_.flush();
}

/// All is sent: the replica is told that we live, until it goes. A standby that follows would be fed from here.
void DumpSender::sendHeartbeats() {
    const std::string file = fmt::format("tidemark.{:06}", file_number_);
    while (!connection_.readable(wishes_.heartbeat)) {
        if (file_number_ == 0) continue;  // nothing sent yet, not even the name of a file
        sendMade(mysql::makeHeartbeat(options_.server_id, file, file_position_));
        connection_.flush();
    }
}

}  // namespace tidemark::virtual_primary
