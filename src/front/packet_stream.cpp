#include "front/packet_stream.h"

#include <algorithm>

namespace tidemark::front {

using mysql::kHeaderSize;

static net::Awaitable<Packet> read(net::Stream& stream, std::size_t limit, bool secret) {
    Packet packet;
    std::size_t total = 0;
    for (bool last = false; !last;) {
        co_await stream.need(kHeaderSize);
        const auto header = mysql::parseHeader(stream.buffered().data());
        stream.consume(kHeaderSize);
        packet.sequence = header.sequence;
        last = header.length < mysql::kMaxPayload;
        for (std::size_t left = header.length; left > 0;) {
            if (stream.buffered().empty()) co_await stream.fill();
            const ByteView part = stream.buffered().first(std::min(left, stream.buffered().size()));
            total += part.size();
            if (total <= limit) packet.payload.insert(packet.payload.end(), part.begin(), part.end());
            left -= part.size();
            if (secret) stream.wipe(part.size());
            stream.consume(part.size());
        }
    }
    if (total > limit) {
        throw Error(
            ErrorCode::InvalidRequest, SqlCode{1153, "08S01"},
            "a packet of " + std::to_string(total) + " bytes is too large here, the limit is " + std::to_string(limit));
    }
    co_return packet;
}

net::Awaitable<Packet> readPacket(net::Stream& stream, std::size_t limit) {
    return read(stream, limit, false);
}

net::Awaitable<Packet> readSecretPacket(net::Stream& stream, std::size_t limit) {
    return read(stream, limit, true);
}

net::Awaitable<> writeAll(net::Stream& stream, ByteView bytes) {
    const ByteView rest = stream.writeSome(bytes);
    if (!rest.empty()) co_await stream.write(rest);
}

}  // namespace tidemark::front
