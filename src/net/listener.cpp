#include "net/listener.h"

#include <netinet/tcp.h>
#include <sys/socket.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/redirect_error.hpp>
#include <cerrno>
#include <system_error>

#include "base/error.h"

namespace tidemark::net {
namespace {

using asio::ip::tcp;
using boost::system::error_code;

/// A dead peer is noticed after about three minutes: 2 min of silence and four unanswered probes.
constexpr int kKeepIdleSeconds = 120;
constexpr int kKeepIntervalSeconds = 15;
constexpr int kKeepProbes = 4;
/// How long sent bytes may stay unacknowledged before the connection counts as dead.
constexpr unsigned kUserTimeoutMilliseconds = 180'000;
constexpr int kBacklog = 1024;

void setOption(int fd, int level, int option, int value) {
    if (setsockopt(fd, level, option, &value, sizeof value) != 0) throwErrno(errno, "setting a socket option");
}

void tune(int fd) {
    setOption(fd, IPPROTO_TCP, TCP_NODELAY, 1);
    setOption(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
    setOption(fd, IPPROTO_TCP, TCP_KEEPIDLE, kKeepIdleSeconds);
    setOption(fd, IPPROTO_TCP, TCP_KEEPINTVL, kKeepIntervalSeconds);
    setOption(fd, IPPROTO_TCP, TCP_KEEPCNT, kKeepProbes);
    setOption(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, static_cast<int>(kUserTimeoutMilliseconds));
}

tcp::endpoint endpointOf(int fd, int (*get)(int, sockaddr*, socklen_t*)) {
    tcp::endpoint endpoint;
    socklen_t size = static_cast<socklen_t>(endpoint.capacity());
    if (get(fd, endpoint.data(), &size) != 0) throwErrno(errno, "asking for the address of a socket");
    endpoint.resize(size);
    return endpoint;
}

/// An IPv4 client of a dual-stack listener shows up as ::ffff:a.b.c.d; everybody wants to see a.b.c.d.
asio::ip::address plainAddress(const asio::ip::address& address) {
    if (!address.is_v6() || !address.to_v6().is_v4_mapped()) return address;
    return asio::ip::make_address_v4(asio::ip::v4_mapped, address.to_v6());
}

Peer peerOf(int fd) {
    const tcp::endpoint remote = endpointOf(fd, getpeername);
    const tcp::endpoint local = endpointOf(fd, getsockname);
    const auto address = plainAddress(remote.address());
    return {.address = address.to_string(),
            .port = remote.port(),
            .local_address = plainAddress(local.address()).to_string(),
            .local_port = local.port(),
            .v6 = address.is_v6(),
            .loopback = address.is_loopback()};
}

Fd bindAndListen(const tcp::endpoint& endpoint) {
    const std::string where = endpoint.address().to_string() + " port " + std::to_string(endpoint.port());
    Fd fd(socket(endpoint.data()->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (!fd.valid()) throwErrno(errno, "making a socket");
    setOption(fd.get(), SOL_SOCKET, SO_REUSEADDR, 1);
    if (bind(fd.get(), endpoint.data(), static_cast<socklen_t>(endpoint.size())) != 0 ||
        listen(fd.get(), kBacklog) != 0) {
        throw Error(errno == EADDRINUSE ? ErrorCode::Conflict : ErrorCode::InvalidRequest,
                    "listening on " + where + ": " + std::system_category().message(errno),
                    "choose another --bind or --port, or stop what uses it");
    }
    return fd;
}

}  // namespace

Fd listenOn(const std::string& bind, std::uint16_t port) {
    error_code error;
    const auto address = asio::ip::make_address(bind, error);
    if (error) {
        throw Error(ErrorCode::InvalidRequest, "listening on '" + bind + "': this is no IP address",
                    "give a numeric address, such as 127.0.0.1, 0.0.0.0 or ::");
    }
    return bindAndListen(tcp::endpoint(address, port));
}

std::uint16_t portOf(const Fd& listening) {
    tcp::endpoint endpoint(tcp::v6(), 0);  // room for either family
    auto size = static_cast<socklen_t>(endpoint.capacity());
    if (getsockname(listening.get(), endpoint.data(), &size) != 0) throwErrno(errno, "asking for the port");
    endpoint.resize(size);
    return endpoint.port();
}

std::shared_ptr<Listener> Listener::open(EventLoop& loop, Fd listening) {
    int family = 0;
    socklen_t size = sizeof family;
    if (getsockopt(listening.get(), SOL_SOCKET, SO_DOMAIN, &family, &size) != 0) throwErrno(errno, "listening");
    Acceptor acceptor(loop.context(0));
    acceptor.assign(family == AF_INET6 ? tcp::v6() : tcp::v4(), listening.get());
    listening.release();
    return std::shared_ptr<Listener>(new Listener(loop, std::move(acceptor)));
}

Listener::Listener(EventLoop& loop, Acceptor acceptor)
    : loop_(loop),
      log_(makeLogger("listener")),
      acceptor_(std::move(acceptor)),
      port_(acceptor_.local_endpoint().port()) {}

std::string Listener::where() const {
    return acceptor_.local_endpoint().address().to_string() + " port " + std::to_string(port_);
}

void Listener::start(Accepted accepted) {
    accepted_ = std::move(accepted);
    // The coroutine's frame holds us until stop() closes the acceptor.
    asio::co_spawn(
        acceptor_.get_executor(),
        [](std::shared_ptr<Listener> self) -> Awaitable<> { co_await self->run(); }(shared_from_this()),
        asio::detached);
}

void Listener::stop() {
    asio::post(acceptor_.get_executor(), [self = shared_from_this()] {
        error_code ignored;
        self->acceptor_.close(ignored);
    });
}

Awaitable<> Listener::run() {
    for (;;) {
        error_code error;
        co_await acceptor_.async_wait(Acceptor::wait_read, asio::redirect_error(kUseAwaitable, error));
        if (error || !acceptor_.is_open()) co_return;
        if (acceptOne()) continue;
        // Out of descriptors or memory: the connection stays in the queue, and asking again at once would spin.
        Timer pause(acceptor_.get_executor(), std::chrono::milliseconds(100));
        co_await pause.async_wait(kUseAwaitable);
        if (!acceptor_.is_open()) co_return;
    }
}

/// False if accepting makes no sense for a while.
bool Listener::acceptOne() {
    Fd fd(accept4(acceptor_.native_handle(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (!fd.valid()) {
        // ECONNABORTED and network errors belong to that one connection, see accept(2).
        if (errno != EMFILE && errno != ENFILE && errno != ENOBUFS && errno != ENOMEM) return true;
        log_->warn("cannot accept a connection: {}", std::system_category().message(errno));
        return false;
    }
    try {
        deliver(std::move(fd));
    } catch (const std::exception& failure) {
        log_->debug("a connection broke while it was accepted: {}", failure.what());
    }
    return true;
}

void Listener::deliver(Fd fd) {
    tune(fd.get());
    Peer peer = peerOf(fd.get());
    asio::io_context& context = loop_.context(turn_++ % loop_.size());
    const auto protocol = peer.v6 ? tcp::v6() : tcp::v4();
    Socket socket(context.get_executor());
    socket.assign(asio::generic::stream_protocol(protocol), fd.get());
    fd.release();
    asio::post(context, [self = shared_from_this(), socket = std::move(socket), peer = std::move(peer)]() mutable {
        self->accepted_(std::move(socket), std::move(peer));
    });
}

}  // namespace tidemark::net
