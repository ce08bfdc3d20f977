#pragma once

#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "base/file.h"
#include "base/log.h"
#include "net/event_loop.h"

namespace tidemark::net {

/// Who is at the other end of a TCP connection, and which of our addresses it reached.
struct Peer {
    std::string address;
    std::uint16_t port = 0;
    std::string local_address;
    std::uint16_t local_port = 0;
    bool v6 = false;
    bool loopback = false;  ///< on this machine, by its loopback address
};

/// Binds and listens; `bind` is a numeric IPv4 or IPv6 address, port 0 picks a free one. Throws InvalidRequest for a
/// bad address, Conflict if the port is taken.
Fd listenOn(const std::string& bind, std::uint16_t port);
/// The port that a listening socket has, which the system may have chosen.
std::uint16_t portOf(const Fd& listening);

/// A listening TCP socket that hands every connection to one of the event loop's threads in turn.
///
/// All descriptors are close-on-exec: databases are started by this process and outlive it, and one that inherited the
/// port or a client's connection would keep it.
class Listener : public std::enable_shared_from_this<Listener> {
public:
    /// Called on the thread that `socket` belongs to. TCP_NODELAY and keep-alive are set.
    using Accepted = std::function<void(Socket socket, Peer peer)>;

    /// `listening` is a socket of listenOn(). Connections wait in the kernel until start().
    static std::shared_ptr<Listener> open(EventLoop& loop, Fd listening);

    std::uint16_t port() const { return port_; }
    /// "127.0.0.1 port 2881"
    std::string where() const;
    /// Once only.
    void start(Accepted accepted);
    /// From any thread; a connection or two may still be delivered while it takes effect.
    void stop();

private:
    using Acceptor = asio::basic_socket_acceptor<asio::ip::tcp, Executor>;

    Listener(EventLoop& loop, Acceptor acceptor);
    Awaitable<> run();
    bool acceptOne();
    void deliver(Fd fd);

    EventLoop& loop_;
    const Logger log_;
    Acceptor acceptor_;
    const std::uint16_t port_;
    Accepted accepted_;
    std::size_t turn_ = 0;
};

}  // namespace tidemark::net
