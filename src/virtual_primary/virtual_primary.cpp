#include "virtual_primary/virtual_primary.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <sys/socket.h>

#include <cerrno>

#include "base/error.h"
#include "base/log.h"
#include "base/random.h"
#include "mysql/wire_connection.h"
#include "virtual_primary/replica_session.h"

namespace tidemark::virtual_primary {
namespace {

constexpr std::size_t kMaxSessions = 16;
/// A replica whose disk is full or whose relay log has reached its limit takes nothing for as long as that lasts.
constexpr std::chrono::hours kSendLimit{24};

Fd listenOnLoopback() {
    Fd socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (!socket.valid()) throwErrno(errno, "making a socket");
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
        listen(socket.get(), 16) != 0) {
        throwErrno(errno, "listening on 127.0.0.1");
    }
    return socket;
}

unsigned portOf(int socket) {
    sockaddr_in address{};
    socklen_t size = sizeof address;
    if (getsockname(socket, reinterpret_cast<sockaddr*>(&address), &size) != 0)
        throwErrno(errno, "asking for the port");
    return ntohs(address.sin_port);
}

}  // namespace

void ServingState::fail(std::exception_ptr failure) {
    const MutexLock lock(mutex_);
    if (!failure_) failure_ = std::move(failure);
}

std::exception_ptr ServingState::failure() const {
    const MutexLock lock(mutex_);
    return failure_;
}

VirtualPrimary::VirtualPrimary(const archive::ArchiveReader& reader, const VirtualPrimaryOptions& options)
    : reader_(reader), options_(options), listener_(listenOnLoopback()), port_(portOf(listener_.get())) {
    state_.user = "tidemark_replay";
    state_.password = randomPassword();
    thread_ = std::jthread([this](std::stop_token stop) { listen(std::move(stop)); });
}

VirtualPrimary::~VirtualPrimary() {
    thread_.request_stop();
    thread_.join();
}

void VirtualPrimary::listen(std::stop_token stop) {
    pthread_setname_np(pthread_self(), "virtual_primary");
    const std::stop_callback wake(stop, [this] { shutdown(listener_.get(), SHUT_RDWR); });
    while (!stop.stop_requested()) {
        Fd socket(accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
        sessions_.remove_if([](const Session& session) { return session.ended.load(); });
        if (!socket.valid() || sessions_.size() >= kMaxSessions) continue;
        Session& session = sessions_.emplace_back();
        session.thread = std::jthread([this, &session, stop, fd = socket.release()] { serve(session, Fd(fd), stop); });
    }
    sessions_.clear();
}

void VirtualPrimary::serve(Session& session, Fd socket, std::stop_token stop) {
    pthread_setname_np(pthread_self(), "replica_session");
    const int on = 1;
    setsockopt(socket.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    try {
        mysql::WireConnection connection(std::move(socket), stop, kSendLimit);
        ReplicaSession(connection, reader_, options_, state_).run();
    } catch (const Error& error) {
        // A replica that goes away, or is not one. What is wrong with the archive has been noted where it was found.
        makeLogger("virtual_primary")->debug("a session ends: {}", error.what());
    }
    session.ended = true;
}

}  // namespace tidemark::virtual_primary
