#pragma once

#include <memory>

#include "front/connection.h"
#include "front/own_statements.h"
#include "front/packet_stream.h"

namespace tidemark::front {

/// One client connection, from its greeting to its end.
///
/// Lockstep: one command is passed on (or answered here), its response relayed to the end, and only then the next
/// command is looked at. A client that sends ahead waits in the socket's buffer, and gets its answers in order.
class Session : public std::enable_shared_from_this<Session> {
public:
    Session(FrontContext& context, net::Socket socket, net::Peer peer, std::uint32_t id);
    ~Session();
    Session(const Session&) = delete;
    Session& operator=(const Session&) = delete;

    /// Does not throw. Whoever runs it keeps the session alive meanwhile.
    net::Awaitable<> run();

    /// From any thread.
    void end(SessionRegistry::End how);

    net::Executor executor() { return connection_.client.executor(); }

private:
    enum class Phase {
        Login,
        Idle,      ///< waiting for the client's next command
        Busy,      ///< between a command and the end of its response
        Response,  ///< Busy, and the tenant is answering
        Splice,    ///< bytes pass freely until either side ends
    };
    struct CommandHead {
        mysql::PacketHeader header;
        mysql::Command command = mysql::Command::Sleep;
    };

    net::Awaitable<bool> login();
    net::Awaitable<> serve();
    net::Awaitable<CommandHead> nextCommand();
    ByteView payloadStart(const CommandHead& head) const;
    bool isOwn(const CommandHead& head) const;
    bool mayHoldSettings(const CommandHead& head) const;

    net::Awaitable<> passOn(CommandHead head);
    net::Awaitable<> passOnWithoutSettings(CommandHead head);
    net::Awaitable<> relayAnswer(CommandHead head);
    net::Awaitable<std::uint64_t> forwardPacket();
    net::Awaitable<> relayResponse();
    net::Awaitable<> relayFile();
    net::Awaitable<> answer(CommandHead head, std::optional<Packet> command);
    net::Awaitable<Bytes> answerOrError(CommandHead head, std::optional<Packet> command);
    net::Awaitable<> changeUser();
    net::Awaitable<> splice();
    std::optional<Bytes> translatedKill(const CommandHead& head) const;

    void limitLogin(std::chrono::milliseconds limit, std::optional<Error> reason);
    void watchTenant();
    net::Awaitable<bool> relayLastWords();
    std::optional<std::uint8_t> farewellSequence() const;
    void farewell(const Error& reason);

    FrontContext& context_;
    Connection connection_;
    OwnStatements own_;
    net::Timer login_timer_;
    Phase phase_ = Phase::Login;
    bool ending_ = false;  ///< end at the next Idle
    bool tenant_gone_ = false;
    bool parted_ = false;                ///< the client was told why its connection ends
    std::uint8_t command_sequence_ = 0;  ///< of the client's last packet
};

}  // namespace tidemark::front
