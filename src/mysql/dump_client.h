#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

#include "mysql/binlog_event.h"
#include "mysql/wire_client.h"

namespace tidemark::mysql {

struct DumpOptions {
    std::uint32_t server_id = 0;                ///< ours; must be unique among all who read this server's binlog
    GtidPosition position;                      ///< everything after it is wanted
    /// How often an idle server says that it lives. Rarely, since each time wakes both sides.
    std::chrono::milliseconds heartbeat{10'000};
};

/// Reads a server's binlog as a replica does, by GTID, with checksums verified. Events arrive in parts, so that one of
/// a gigabyte needs no more than a packet (16 MiB) of memory. Not thread-safe.
class DumpClient {
public:
    /// Logs in and asks for the stream. Throws as WireClient; what the server has against the position comes from
    /// next().
    DumpClient(const Endpoint& endpoint, const DumpOptions& options, std::stop_token stop);

    struct Part {
        const EventHeader& header;
        ByteView bytes;  ///< of the event, header included; valid until the next call
        bool first = false;
        bool last = false;
    };
    /// The next part; nullopt if none has begun when `deadline` passes or `waker` wakes. Throws Corrupt if an event's checksum is wrong,
    /// Unavailable if the server is gone, silent for over kSilenceLimit, or ends the stream: an Error with sql().number
    /// 1236 is the server saying that it cannot send what was asked for. Cancelled once `stop` is requested.
    std::optional<Part> next(Deadline deadline, const Waker* waker = nullptr);

    static constexpr std::chrono::seconds kSilenceLimit{30};

private:
    ByteView beginEvent(ByteView payload);

    WireClient client_;
    EventHeader header_;
    std::optional<EventChecksum> checksum_;  // set while an event is under way
    std::uint64_t event_left_ = 0;
    Deadline last_heard_;
};

}  // namespace tidemark::mysql
