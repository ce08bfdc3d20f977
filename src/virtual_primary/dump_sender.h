#pragma once

#include "archive/log_stream.h"
#include "base/bounded_queue.h"
#include "mysql/binlog_event.h"
#include "virtual_primary/replica_session.h"

namespace tidemark::virtual_primary {

/// Sends the log of a round to one replica, from its position on: reading and decompressing run ahead on a thread of
/// their own, a bounded way. Not thread-safe.
class DumpSender {
public:
    DumpSender(mysql::WireConnection& connection, const archive::ArchiveReader& reader,
               const VirtualPrimaryOptions& options, ServingState& state, const ReplicaWishes& wishes);
    ~DumpSender();

    /// Returns when the replica's UNTIL is reached and it has been told. Throws what the archive is wrong with,
    /// NotFound also if the UNTIL is beyond what may be sent, or Unavailable when the replica is gone.
    void run();

private:
    void readAhead();
    void sendBeginning();
    void beginFile(const Bytes& format);
    void sendBatch(const archive::LogBatch& batch);
    void sendEvents(ByteView bytes);
    void beginEvent();
    void sendMade(const Bytes& event);
    void sendUntilReached();
    void sendHeartbeats();
    bool untilReached() const { return wishes_.until && position_.contains(*wishes_.until); }

    mysql::WireConnection& connection_;
    const archive::ArchiveReader& reader_;
    const VirtualPrimaryOptions& options_;
    ServingState& state_;
    const ReplicaWishes& wishes_;
    archive::LogStream stream_;  // of the reading thread once that runs

    mysql::GtidPosition position_;         // of what has been sent
    std::uint64_t file_number_ = 0;        // of the binlog file that the replica is told of
    std::uint32_t file_position_ = 0;      // where the last event said it ended: a heartbeat must say the same
    std::shared_ptr<const Bytes> format_;  // of the last batch that had one

    Bytes head_;                    // of an event whose header is not complete yet
    std::uint64_t event_left_ = 0;  // bytes of the event under way
    bool skipping_ = false;         // the event under way is not for this replica

    BoundedQueue<archive::LogBatch> ahead_;
    std::jthread reading_;
};

}  // namespace tidemark::virtual_primary
