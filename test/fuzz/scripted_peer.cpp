#include "scripted_peer.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cstddef>
#include <cstdlib>
#include <cstring>

namespace tidemark::fuzz {
namespace {

/// In no directory, so that nothing is left of it.
std::string freshName() {
    static int number = 0;
    return std::string(1, '\0') + "tidemark-fuzz-" + std::to_string(getpid()) + "-" + std::to_string(++number);
}

Fd listenAt(const std::string& name) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, name.data(), name.size());
    Fd listener(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const auto* const generic = reinterpret_cast<const sockaddr*>(&address);
    if (bind(listener.get(), generic, sizeof address) != 0 || listen(listener.get(), 1) != 0) std::abort();
    return listener;
}

}  // namespace

ScriptedServer::ScriptedServer(Bytes script)
    : socket_(freshName()), listener_(listenAt(socket_)), thread_([this, script = std::move(script)] {
          const Fd client(accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
          if (!client.valid()) return;
          sendAll(client.get(), script);
          drain(client.get());
      }) {}

ScriptedServer::~ScriptedServer() {
    shutdown(listener_.get(), SHUT_RDWR);  // nobody may have come
}

Connection connectedPair() {
    std::array<int, 2> ends{};
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) std::abort();
    return {Fd(ends[0]), Fd(ends[1])};
}

void sendAll(int socket, ByteView bytes) {
    while (!bytes.empty()) {
        const ssize_t sent = send(socket, bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (sent <= 0) return;
        bytes = bytes.subspan(static_cast<std::size_t>(sent));
    }
}

void drain(int socket) {
    shutdown(socket, SHUT_WR);
    for (std::array<char, 4096> ignored{}; recv(socket, ignored.data(), ignored.size(), 0) > 0;) {
    }
}

}  // namespace tidemark::fuzz
