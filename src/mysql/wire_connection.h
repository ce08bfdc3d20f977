#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/file.h"
#include "base/waker.h"
#include "mysql/sql_client.h"

namespace tidemark::mysql {

using Deadline = std::chrono::steady_clock::time_point;
inline Deadline after(std::chrono::milliseconds time) {
    return std::chrono::steady_clock::now() + time;
}

/// MySQL packets over a blocking stream socket: the transport of the archiver (as client) and of the virtual primary
/// (as server). Errors are Unavailable ("connection lost", "no answer in time"), Corrupt for packets out of order, and
/// Cancelled once `stop` is requested, which also wakes a call that waits. Not thread-safe.
class WireConnection {
public:
    /// `send_limit`: how long the other side may take no bytes before it counts as lost.
    WireConnection(Fd socket, std::stop_token stop, std::chrono::seconds send_limit = kTransferLimit);
    WireConnection(const WireConnection&) = delete;
    WireConnection& operator=(const WireConnection&) = delete;

    /// Connects to endpoint.socket or endpoint.host:port. No login yet.
    static Fd dial(const Endpoint& endpoint);

    /// One packet as it lies on the wire: at most 16 MiB - 1 bytes. A message that fills a packet goes on in the next.
    struct Packet {
        ByteView payload;  ///< valid until the next read
        bool continued = false;
    };
    /// nullopt if no packet has begun when `deadline` passes or `waker` wakes. A packet that has begun must come to its
    /// end within the deadline or kTransferLimit, whichever is later.
    std::optional<Packet> readPacket(Deadline deadline, const Waker* waker = nullptr);
    /// A whole message of at most `limit` bytes; throws Unavailable when the deadline passes, Corrupt if it is longer.
    Bytes readMessage(Deadline deadline, std::size_t limit = 1 << 20);

    /// Queues one message, cut into packets; flush() sends, and much that is queued is sent on the way.
    void queueMessage(ByteView payload);
    /// For a message too long for memory: its size first, then its bytes in any parts.
    void queueBegin(std::uint64_t size);
    void queuePart(ByteView part);
    void flush();
    void writeMessage(ByteView payload) {
        queueMessage(payload);
        flush();
    }
    /// A new exchange: packet numbers start at 0 again.
    void beginExchange() { sequence_ = 0; }

    /// Whether the other side has closed, or has sent something that waits to be read.
    bool readable(std::chrono::milliseconds wait) const;

    static constexpr std::chrono::seconds kTransferLimit{30};
    static constexpr std::size_t kMaxPacket = 0xffffff;

private:
    bool fill(std::size_t size, Deadline deadline, const Waker* waker = nullptr);
    void makeRoom(std::size_t size);
    bool wait(short events, Deadline deadline, const Waker* waker = nullptr) const;
    [[noreturn]] void lost(const std::string& why) const;

    Fd socket_;
    const std::chrono::seconds send_limit_;
    const std::stop_token stop_;
    std::uint8_t sequence_ = 0;

    Bytes in_;  // received and not consumed: [in_begin_, in_end_)
    std::size_t in_begin_ = 0;
    std::size_t in_end_ = 0;

    Bytes out_;
    std::uint64_t message_left_ = 0;  // of the message being queued
    std::size_t packet_left_ = 0;     // of its packet
    bool packet_full_ = false;        // its packet is a full one, so another (perhaps empty) must follow

    // Last, so that it is gone before the socket is closed: shutdown(2) must not hit a reused descriptor.
    const std::stop_callback<std::function<void()>> on_stop_;
};

/// Throws the Error that an ERR packet stands for: `sql()` has the server's number and SQLSTATE.
[[noreturn]] void throwErrPacket(ByteView payload, const std::string& doing);
Bytes makeErrPacket(int number, std::string_view sqlstate, std::string_view text);

/// What mysql_native_password answers to a 20-byte scramble; empty for an empty password.
Bytes nativePasswordToken(std::string_view password, ByteView scramble);

}  // namespace tidemark::mysql
