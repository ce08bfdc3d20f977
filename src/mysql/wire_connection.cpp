#include "mysql/wire_connection.h"

#include <fmt/format.h>
#include <netdb.h>
#include <openssl/sha.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "base/error.h"

namespace tidemark::mysql {
namespace {

constexpr std::size_t kReadAhead = 256 << 10;  // bytes asked for at once: one system call for many small packets
constexpr std::size_t kKeepBuffer = 1 << 20;   // a larger buffer is given back once its packet is consumed
constexpr std::size_t kSendAt = 256 << 10;     // queued bytes that are sent without waiting for flush()

/// Also bounds connect(2), which waits while the server's backlog is full.
void limitConnecting(int socket, std::chrono::seconds limit) {
    const timeval time{limit.count(), 0};
    setsockopt(socket, SOL_SOCKET, SO_SNDTIMEO, &time, sizeof time);
}

Fd dialUnix(const Endpoint& endpoint) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (endpoint.socket.size() >= sizeof address.sun_path) {
        throw Error(ErrorCode::InvalidRequest, "socket path is too long: " + endpoint.socket);
    }
    std::memcpy(address.sun_path, endpoint.socket.data(), endpoint.socket.size());
    Fd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (!socket.valid()) throwErrno(errno, "making a socket");
    limitConnecting(socket.get(), endpoint.connect_timeout);
    if (connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
        throw Error(ErrorCode::Unavailable, fmt::format("connecting to {}: {}", endpoint.socket, strerror(errno)));
    }
    return socket;
}

Fd dialTcp(const Endpoint& endpoint) {
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* found = nullptr;
    const std::string port = std::to_string(endpoint.port);
    if (const int failure = getaddrinfo(endpoint.host.c_str(), port.c_str(), &hints, &found); failure != 0) {
        throw Error(ErrorCode::Unavailable, fmt::format("looking up {}: {}", endpoint.host, gai_strerror(failure)));
    }
    int last = 0;
    Fd connected;
    for (const addrinfo* at = found; at != nullptr && !connected.valid(); at = at->ai_next) {
        Fd socket(::socket(at->ai_family, at->ai_socktype | SOCK_CLOEXEC, at->ai_protocol));
        if (socket.valid()) limitConnecting(socket.get(), endpoint.connect_timeout);
        if (socket.valid() && connect(socket.get(), at->ai_addr, at->ai_addrlen) == 0) connected = std::move(socket);
        last = errno;
    }
    freeaddrinfo(found);
    if (!connected.valid()) {
        throw Error(ErrorCode::Unavailable,
                    fmt::format("connecting to {}:{}: {}", endpoint.host, endpoint.port, strerror(last)));
    }
    return connected;
}

}  // namespace

WireConnection::WireConnection(Fd socket, std::stop_token stop, std::chrono::seconds send_limit)
    : socket_(std::move(socket)),
      send_limit_(send_limit),
      stop_(stop),
      on_stop_(stop, [fd = socket_.get()] { shutdown(fd, SHUT_RDWR); }) {}

Fd WireConnection::dial(const Endpoint& endpoint) {
    return endpoint.socket.empty() ? dialTcp(endpoint) : dialUnix(endpoint);
}

void WireConnection::lost(const std::string& why) const {
    if (stop_.stop_requested()) throw Error(ErrorCode::Cancelled, "the connection was interrupted");
    throw Error(ErrorCode::Unavailable, "connection lost: " + why);
}

/// Whether something has happened at the socket.
bool WireConnection::wait(short events, Deadline deadline, const Waker* waker) const {
    for (;;) {
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
        // poll(2) passes over the second when there is none.
        std::array<pollfd, 2> entries{{{socket_.get(), events, 0}, {waker ? waker->fd() : -1, POLLIN, 0}}};
        const auto limit = static_cast<int>(std::clamp<std::int64_t>(left.count(), 0, 1 << 30));
        const int ready = poll(entries.data(), entries.size(), limit);
        if (ready > 0) return entries[0].revents != 0;
        if (ready == 0) return false;
        if (errno != EINTR) throwErrno(errno, "waiting for a socket");
    }
}

bool WireConnection::readable(std::chrono::milliseconds wait_time) const {
    return in_end_ > in_begin_ || wait(POLLIN, after(wait_time));
}

/// Makes the buffer take `size` unconsumed bytes and some more.
void WireConnection::makeRoom(std::size_t size) {
    if (in_begin_ > 0 && in_end_ > in_begin_) std::memmove(in_.data(), in_.data() + in_begin_, in_end_ - in_begin_);
    in_end_ -= in_begin_;
    in_begin_ = 0;
    const std::size_t wanted = std::max(size, kReadAhead);
    if (in_.size() < wanted) in_.resize(wanted);
    if (in_.size() > kKeepBuffer && wanted <= kKeepBuffer && in_end_ <= kKeepBuffer) {
        in_.resize(kKeepBuffer);
        in_.shrink_to_fit();
    }
}

bool WireConnection::fill(std::size_t size, Deadline deadline, const Waker* waker) {
    if (in_end_ - in_begin_ >= size) return true;
    makeRoom(size);
    while (in_end_ - in_begin_ < size) {
        if (stop_.stop_requested()) lost("");
        const ssize_t got = recv(socket_.get(), in_.data() + in_end_, in_.size() - in_end_, MSG_DONTWAIT);
        if (got > 0) {
            in_end_ += static_cast<std::size_t>(got);
        } else if (got == 0) {
            lost("the other side closed it");
        } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
            if (!wait(POLLIN, deadline, waker)) return false;
        } else if (errno != EINTR) {
            lost(strerror(errno));
        }
    }
    return true;
}

std::optional<WireConnection::Packet> WireConnection::readPacket(Deadline deadline, const Waker* waker) {
    if (!fill(4, deadline, waker)) return std::nullopt;
    const std::uint8_t* head = in_.data() + in_begin_;
    const std::size_t size = head[0] | head[1] << 8 | head[2] << 16;
    if (head[3] != sequence_) {
        throw Error(ErrorCode::Corrupt, fmt::format("packet number {} where {} was due", head[3], sequence_));
    }
    if (!fill(4 + size, std::max(deadline, after(kTransferLimit)))) {
        lost(fmt::format("a packet of {} bytes did not arrive within {} s", size, kTransferLimit.count()));
    }
    ++sequence_;
    const ByteView payload{in_.data() + in_begin_ + 4, size};
    in_begin_ += 4 + size;
    return Packet{payload, size == kMaxPacket};
}

Bytes WireConnection::readMessage(Deadline deadline, std::size_t limit) {
    Bytes message;
    for (bool more = true; more;) {
        const auto packet = readPacket(deadline);
        if (!packet) throw Error(ErrorCode::Unavailable, "connection lost: no answer in time");
        if (message.size() + packet->payload.size() > limit) {
            throw Error(ErrorCode::Corrupt, fmt::format("a message is longer than {} bytes", limit));
        }
        message.insert(message.end(), packet->payload.begin(), packet->payload.end());
        more = packet->continued;
    }
    return message;
}

void WireConnection::queueBegin(std::uint64_t size) {
    message_left_ = size;
    packet_left_ = 0;
    packet_full_ = true;
    if (size == 0) queuePart({});
}

void WireConnection::queuePart(ByteView part) {
    // A message whose size is a multiple of the largest packet ends with an empty one: hence packet_full_.
    if (part.size() > message_left_ + packet_left_) throw Error(ErrorCode::Internal, "more bytes than announced");
    while (!part.empty() || (message_left_ == 0 && packet_left_ == 0 && packet_full_)) {
        if (packet_left_ == 0) {
            packet_left_ = static_cast<std::size_t>(std::min<std::uint64_t>(message_left_, kMaxPacket));
            packet_full_ = packet_left_ == kMaxPacket;
            message_left_ -= packet_left_;
            for (const int shift : {0, 8, 16})
                out_.push_back(static_cast<std::uint8_t>(packet_left_ >> shift));
            out_.push_back(sequence_++);
        }
        const std::size_t now = std::min(part.size(), packet_left_);
        out_.insert(out_.end(), part.begin(), part.begin() + static_cast<std::ptrdiff_t>(now));
        part = part.subspan(now);
        packet_left_ -= now;
        if (out_.size() >= kSendAt) flush();
    }
}

void WireConnection::queueMessage(ByteView payload) {
    queueBegin(payload.size());
    if (!payload.empty()) queuePart(payload);
}

void WireConnection::flush() {
    ByteView rest = out_;
    while (!rest.empty()) {
        if (stop_.stop_requested()) lost("");
        const ssize_t sent = send(socket_.get(), rest.data(), rest.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent > 0) {
            rest = rest.subspan(static_cast<std::size_t>(sent));
        } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
            if (!wait(POLLOUT, after(send_limit_))) lost(fmt::format("no bytes taken for {} s", send_limit_.count()));
        } else if (errno != EINTR) {
            lost(strerror(errno));
        }
    }
    out_.clear();
}

void throwErrPacket(ByteView payload, const std::string& doing) {
    ByteReader in(payload, "error packet");
    in.skip(1);
    const int number = in.u16();
    std::string_view text = textOf(in.rest());
    SqlState state = "HY000";
    if (text.size() >= 6 && text[0] == '#') {
        state = text.substr(1, 5);
        text.remove_prefix(6);
    }
    const bool denied = number == 1044 || number == 1045 || number == 1227 || number == 1698;
    throw Error(denied ? ErrorCode::Denied : ErrorCode::Unavailable, SqlCode{number, state},
                fmt::format("{}: {}", doing, text));
}

Bytes makeErrPacket(int number, std::string_view sqlstate, std::string_view text) {
    return ByteWriter().u8(0xff).u16(static_cast<std::uint16_t>(number)).text("#").text(sqlstate).text(text).take();
}

Bytes nativePasswordToken(std::string_view password, ByteView scramble) {
    if (password.empty()) return {};
    using Digest = std::array<std::uint8_t, SHA_DIGEST_LENGTH>;
    const auto sha1 = [](ByteView bytes) {
        Digest digest;
        SHA1(bytes.data(), bytes.size(), digest.data());
        return digest;
    };
    const Digest once = sha1(viewOf(password));
    const Digest twice = sha1(once);
    Bytes salted(scramble.begin(), scramble.end());
    salted.insert(salted.end(), twice.begin(), twice.end());
    const Digest mask = sha1(salted);
    Bytes token(once.begin(), once.end());
    for (std::size_t i = 0; i < token.size(); ++i)
        token[i] = static_cast<std::uint8_t>(token[i] ^ mask[i]);
    return token;
}

}  // namespace tidemark::mysql
