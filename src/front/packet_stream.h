#pragma once

#include "mysql/packet.h"
#include "net/stream.h"

namespace tidemark::front {

/// Far more than any login packet; connection attributes may have 64 KiB.
constexpr std::size_t kMaxLoginPacket = 1024UL * 1024;

struct Packet {
    std::uint8_t sequence = 0;  ///< of its last part
    Bytes payload;
};

/// Takes the next packet off the stream, put together where it was split. One longer than `limit` is read to its end
/// and dropped; then InvalidRequest is thrown, and the stream stands at the next packet. Throws net::StreamClosed.
net::Awaitable<Packet> readPacket(net::Stream& stream, std::size_t limit);
/// The same of one that may hold a password: nothing of it stays in the stream's buffer.
net::Awaitable<Packet> readSecretPacket(net::Stream& stream, std::size_t limit);

/// Writes all, at once where the socket takes it. Throws net::StreamClosed.
net::Awaitable<> writeAll(net::Stream& stream, ByteView bytes);

}  // namespace tidemark::front
