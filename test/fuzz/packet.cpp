#include <fcntl.h>
#include <sys/socket.h>

#include <array>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/local/stream_protocol.hpp>

#include "base/file.h"
#include "front/packet_stream.h"
#include "fuzz.h"
#include "mysql/wire_connection.h"

namespace tidemark::fuzz {
namespace {

constexpr std::size_t kLimit = 3000;
constexpr std::size_t kSocketHolds = 100000;

/// The reading end of a connection whose other side has sent this and gone.
Fd sentBy(ByteView bytes) {
    std::array<int, 2> ends{};
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) std::abort();
    Fd reading(ends[0]);
    const Fd writing(ends[1]);
    const auto sent = send(writing.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (!bytes.empty() && sent != static_cast<ssize_t>(bytes.size())) std::abort();
    return reading;
}

using Payloads = std::vector<Bytes>;

net::Awaitable<> readAll(net::Stream& stream, Payloads& payloads) {
    // Packets that are too long are passed over; the end of the connection is the end.
    for (bool open = true; open;) {
        bool refused = false;
        try {
            front::Packet packet = co_await front::readPacket(stream, kLimit);
            requireThat(packet.payload.size() <= kLimit, "a packet is not longer than its limit");
            payloads.push_back(std::move(packet.payload));
        } catch (const net::StreamClosed&) {
            open = false;
        } catch (const Error&) {
            refused = true;
        }
        if (refused) payloads.emplace_back();
    }
}

/// As the front reads its clients and tenants.
Payloads byFront(ByteView bytes) {
    net::asio::io_context context;
    net::Socket socket(context.get_executor(), net::asio::local::stream_protocol(), sentBy(bytes).release());
    net::Stream stream("client", std::move(socket));
    Payloads payloads;
    net::asio::co_spawn(context, readAll(stream, payloads), net::asio::detached);
    context.run();
    return payloads;
}

/// As the archiver and the virtual primary read.
Payloads byWire(ByteView bytes) {
    mysql::WireConnection connection(sentBy(bytes), {});
    Payloads payloads;
    while (
        accepted([&] { payloads.push_back(connection.readMessage(mysql::after(std::chrono::seconds(5)), kLimit)); })) {
        if (payloads.back().size() > kLimit) std::abort();
    }
    return payloads;
}

void runPacket(ByteView input) {
    const ByteView bytes = input.first(std::min(input.size(), kSocketHolds));
    const Payloads front = byFront(bytes);
    const Payloads wire = byWire(bytes);
    // The wire also wants packets in order and ends at one that is too long: what it took, the front took too.
    requireThat(wire.size() <= front.size(), "both read the same packets");
    for (std::size_t i = 0; i < wire.size(); ++i)
        requireThat(wire[i] == front[i], "both put packets together alike");
}

std::vector<Bytes> packetSeeds() {
    mysql::PacketWriter packets(0);
    packets.add(viewOf("\3SELECT 1"));
    packets.add({});
    packets.add(Bytes(kLimit + 1, 'x'));
    packets.add(viewOf("end"));
    return {packets.take()};
}

const Registered registered_packet({"packet", runPacket, packetSeeds});

}  // namespace
}  // namespace tidemark::fuzz
