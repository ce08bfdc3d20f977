#pragma once

#include <string>
#include <thread>

#include "base/bytes.h"
#include "base/file.h"

namespace tidemark::fuzz {

/// A server that sends these bytes to the one who connects to it, whatever he says, and nothing after them.
class ScriptedServer {
public:
    explicit ScriptedServer(Bytes script);
    ~ScriptedServer();
    ScriptedServer(const ScriptedServer&) = delete;
    ScriptedServer& operator=(const ScriptedServer&) = delete;

    /// The path of its socket.
    const std::string& socket() const { return socket_; }

private:
    const std::string socket_;
    const Fd listener_;
    std::jthread thread_;
};

/// Two ends of a connection.
struct Connection {
    Fd ours;
    Fd others;
};
Connection connectedPair();

/// Sends all of it, as far as the other side takes it.
void sendAll(int socket, ByteView bytes);
/// Says that nothing more will be sent, and takes what comes until the other side ends, too.
void drain(int socket);

}  // namespace tidemark::fuzz
