#include "front/session.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/post.hpp>

#include "front/error_reply.h"
#include "front/kill_statement.h"
#include "front/login.h"
#include "front/packet_stream.h"

namespace tidemark::front {

using namespace mysql;

namespace {

/// No KILL statement is longer, comments included; longer queries are not looked at.
constexpr std::uint32_t kMaxKillSize = 256;

/// 1053 and not the 2013 that a client library would say itself: Connector/C takes numbers from 2000 to 2999 in a
/// packet for a malformed one.
Error lostTenant(const std::string& tenant) {
    return {ErrorCode::Unavailable, SqlCode{1053, "08S01"},
            fmt::format("Lost connection to tenant '{}' during the statement", tenant),
            "connect again; whether the statement took effect is not known"};
}

Error deniedChange(const Connection& connection, const std::string& user, const std::string& why) {
    return {ErrorCode::Denied, SqlCode{1045, "28000"},
            fmt::format("Access denied for user '{}'@'{}': {}", user, connection.peer.address, why)};
}

}  // namespace

Session::Session(FrontContext& context, net::Socket socket, net::Peer peer, std::uint32_t id)
    : context_(context),
      connection_(std::move(socket), std::move(peer), id),
      own_(context, connection_),
      login_timer_(connection_.client.executor()) {}

Session::~Session() {
    context_.registry.leave(connection_.id);
}

net::Awaitable<> Session::run() {
    std::optional<Error> reason;
    try {
        if (co_await login()) co_await serve();
    } catch (const net::StreamClosed& closed) {
        if (connection_.tenant && closed.of(*connection_.tenant)) {
            tenant_gone_ = true;
            reason = lostTenant(connection_.tenant_name);
        }
    } catch (const Error& error) {
        reason = error;
    } catch (const std::exception& failure) {
        context_.log->error("session {} failed: {}", connection_.id, failure.what());
        reason = internalError();
    }
    bool told = false;
    if (tenant_gone_) told = co_await relayLastWords();
    if (reason && !told) farewell(*reason);
    login_timer_.cancel();
    connection_.close();
}

net::Awaitable<bool> Session::login() {
    Login login(context_, connection_);
    limitLogin(context_.options.login_timeout, std::nullopt);
    co_await login.greet();
    co_await login.readResponse();
    limitLogin(context_.options.tenant_login_timeout, tenantDoesNotAnswer(connection_.login.tenant));
    if (!co_await login.enterTenant()) co_return false;
    if (!co_await login.authenticate()) co_return false;
    login_timer_.cancel();
    co_return true;
}

net::Awaitable<> Session::serve() {
    watchTenant();
    while (!ending_) {
        const CommandHead head = co_await nextCommand();
        if (isOwn(head)) {
            co_await answer(head, std::nullopt);
        } else if (mayHoldSettings(head)) {
            co_await passOnWithoutSettings(head);
        } else if (head.command == Command::ChangeUser) {
            co_await changeUser();
        } else if (head.command == Command::BinlogDump || head.command == Command::BinlogDumpGtid) {
            co_return co_await splice();
        } else {
            co_await passOn(head);
            if (head.command == Command::Quit) co_return;
        }
    }
}

net::Awaitable<Session::CommandHead> Session::nextCommand() {
    net::Stream& client = connection_.client;
    phase_ = Phase::Idle;
    co_await client.need(kHeaderSize);
    CommandHead head{.header = parseHeader(client.buffered().data())};
    co_await client.need(kHeaderSize + std::min<std::size_t>(head.header.length, OwnStatements::kSniffSize));
    // An empty command is COM_SLEEP, which the tenant answers with an error.
    if (head.header.length > 0) head.command = static_cast<Command>(client.buffered()[kHeaderSize]);
    command_sequence_ = head.header.sequence;
    phase_ = Phase::Busy;
    co_return head;
}

ByteView Session::payloadStart(const CommandHead& head) const {
    const ByteView payload = connection_.client.buffered().subspan(kHeaderSize);
    return payload.first(std::min<std::size_t>(head.header.length, payload.size()));
}

/// A number other than 0 is no command, and nothing that fills a packet is an own statement.
bool Session::isOwn(const CommandHead& head) const {
    if (head.header.sequence != 0 || head.header.length == 0 || head.header.length == kMaxPayload) return false;
    return own_.claims(head.command, payloadStart(head));
}

/// A text that is too long to be held is the tenant's as it is: it says that it does not know ob_ variables.
bool Session::mayHoldSettings(const CommandHead& head) const {
    if (head.command != Command::Query && head.command != Command::StmtPrepare) return false;
    if (head.header.sequence != 0 || head.header.length > OwnStatements::kMaxSize) return false;
    const std::string_view start = textOf(payloadStart(head)).substr(1);
    return mayHoldIgnoredSettings(start, start.size() + 1 == head.header.length);
}

net::Awaitable<> Session::passOnWithoutSettings(CommandHead head) {
    // Whole, so that it can be read; it may be longer than what a stream holds.
    Packet sent = co_await readPacket(connection_.client, OwnStatements::kMaxSize);
    ClientSyntax syntax = own_.syntax();
    if (head.command == Command::StmtPrepare) syntax.several_statements = false;
    StatementPlan plan;
    std::optional<Error> refusal;
    try {
        plan = planStatements(textOf(sent.payload).substr(1), context_.service, syntax);
    } catch (const Error& error) {
        refusal = error;
    }
    if (refusal) co_return co_await writeAll(connection_.client, errorReply(1, *refusal, connection_.oracle));
    if (!plan.own.empty()) co_return co_await answer(head, std::move(sent));
    if (plan.for_tenant) {
        ByteWriter command;
        command.u8(static_cast<std::uint8_t>(head.command)).text(*plan.for_tenant);
        sent.payload = command.data();
    }
    co_await writeAll(*connection_.tenant, packet(0, sent.payload));
    co_await relayAnswer(head);
}

net::Awaitable<> Session::passOn(CommandHead head) {
    if (head.command == Command::SetOption && head.header.length == 3) {
        connection_.several_statements = payloadStart(head)[1] == 0;  // MYSQL_OPTION_MULTI_STATEMENTS_ON
    }
    if (const auto kill = translatedKill(head)) {
        connection_.client.consume(kHeaderSize + head.header.length);
        co_await writeAll(*connection_.tenant, *kill);
    } else {
        co_await forwardPacket();
    }
    co_await relayAnswer(head);
}

net::Awaitable<> Session::relayAnswer(CommandHead head) {
    own_.passedOn(head.command);
    connection_.tracker->begin(head.command, command_sequence_);
    co_await relayResponse();
}

/// One packet with all its continuations from client to tenant, in pieces as they come; returns the payload's length.
net::Awaitable<std::uint64_t> Session::forwardPacket() {
    net::Stream& client = connection_.client;
    std::uint64_t total = 0;
    for (bool last = false; !last;) {
        co_await client.need(kHeaderSize);
        const PacketHeader header = parseHeader(client.buffered().data());
        command_sequence_ = header.sequence;
        total += header.length;
        last = header.length < kMaxPayload;
        for (std::size_t left = kHeaderSize + header.length; left > 0;) {
            if (client.buffered().empty()) co_await client.fill();
            const ByteView part = client.buffered().first(std::min(left, client.buffered().size()));
            const ByteView rest = connection_.tenant->writeSome(part);
            if (!rest.empty()) co_await connection_.tenant->write(rest);
            left -= part.size();
            client.consume(part.size());
        }
    }
    co_return total;
}

net::Awaitable<> Session::relayResponse() {
    net::Stream& tenant = *connection_.tenant;
    ResponseTracker& tracker = *connection_.tracker;
    phase_ = Phase::Response;
    while (!tracker.complete()) {
        co_await tenant.fill();
        const ByteView bytes = tenant.buffered();
        tracker.feed(bytes);
        const ByteView rest = connection_.client.writeSome(bytes);
        if (!rest.empty()) co_await connection_.client.write(rest);
        tenant.consume(bytes.size());
        if (tracker.wantsFile()) co_await relayFile();
    }
    phase_ = Phase::Busy;
}

/// LOAD DATA LOCAL: the client sends packets of data, never to be looked at, up to an empty one.
net::Awaitable<> Session::relayFile() {
    // Not `while (co_await … > 0) {}`: GCC 12 makes an illegal instruction of it.
    for (;;) {
        const std::uint64_t size = co_await forwardPacket();
        if (size == 0) break;
    }
    connection_.tracker->fileSent(command_sequence_);
}

net::Awaitable<> Session::answer(CommandHead head, std::optional<Packet> command) {
    const Bytes reply = co_await answerOrError(head, std::move(command));
    if (ResponseTracker::expectsResponse(head.command)) co_await writeAll(connection_.client, reply);
}

net::Awaitable<Bytes> Session::answerOrError(CommandHead head, std::optional<Packet> command) {
    // Long data may fill a packet: the complaint about its size belongs to the execution, see OwnStatements.
    const bool long_data = head.command == Command::StmtSendLongData;
    try {
        if (!command) {
            command = co_await readSecretPacket(connection_.client, long_data ? kMaxPayload : OwnStatements::kMaxSize);
        }
        co_return co_await own_.answer(head.command, std::move(command->payload));
    } catch (const net::StreamClosed&) {
        throw;
    } catch (const Error& error) {
        co_return errorReply(1, error, connection_.oracle);
    } catch (const std::exception& failure) {
        context_.log->error("tenant={} an own statement failed: {}", connection_.tenant_name, failure.what());
        co_return errorReply(1, internalError(), connection_.oracle);
    }
}

net::Awaitable<> Session::changeUser() {
    const Packet command = co_await readPacket(connection_.client, kMaxLoginPacket);
    ChangeUser request = parseChangeUser(ByteView(command.payload).subspan(1), connection_.agreed);
    LoginName wanted = splitLoginName(request.user);
    wanted.user = userInTenant(wanted.user, connection_.oracle);
    std::optional<Error> refusal;
    if (isReservedUser(wanted.user)) {
        refusal = deniedChange(connection_, wanted.user, "the name is reserved for Tidemark itself");
    } else if (wanted.tenant != connection_.login.tenant) {
        refusal = deniedChange(
            connection_, wanted.user,
            fmt::format("this connection belongs to tenant '{}', not '{}'", connection_.login.tenant, wanted.tenant));
    }
    if (refusal) co_return co_await writeAll(connection_.client, errorReply(command_sequence_ + 1, *refusal));
    request.user = wanted.user;
    if (request.database.empty()) request.database = defaultDatabase(wanted.user, connection_.oracle);
    request.auth.clear();
    connection_.client_sequence = connection_.tenant_sequence = command.sequence;
    co_await writeAll(*connection_.tenant,
                      packet(command.sequence, buildChangeUser(request, kNoSuchPlugin, connection_.agreed)));
    connection_.login = wanted;
    std::optional<Error> denial;
    try {
        const bool changed = co_await relayAuthentication(connection_);
        if (changed) own_.passedOn(Command::ChangeUser);
    } catch (const net::StreamClosed&) {
        throw;
    } catch (const Error& error) {
        denial = error;
    }
    command_sequence_ = connection_.client_sequence;
    if (denial) throw *denial;
}

/// Ends when either side does.
static net::Awaitable<> pump(net::Stream& from, net::Stream& to) {
    try {
        for (;;) {
            if (from.buffered().empty()) co_await from.fill();
            const ByteView bytes = from.buffered();
            co_await writeAll(to, bytes);
            from.consume(bytes.size());
        }
    } catch (const net::StreamClosed&) {
        co_return;
    }
}

/// A replica that reads the binlog: no more commands and responses, only bytes.
net::Awaitable<> Session::splice() {
    using namespace boost::asio::experimental::awaitable_operators;
    phase_ = Phase::Splice;
    co_await (pump(connection_.client, *connection_.tenant) || pump(*connection_.tenant, connection_.client));
}

/// The client knows connections by the front's ids. One that is none of its tenant's stays as it is: the tenant then
/// says that it does not know it.
std::optional<Bytes> Session::translatedKill(const CommandHead& head) const {
    const std::string_view payload = textOf(payloadStart(head));
    if (head.command == Command::Query && head.header.length < kMaxKillSize) {
        const auto target = findKillTarget(payload.substr(1));
        if (!target || target->connection_id > SessionRegistry::kLastId) return std::nullopt;
        const auto thread =
            context_.registry.tenantThread(static_cast<std::uint32_t>(target->connection_id), connection_.tenant_name);
        if (!thread) return std::nullopt;
        std::string text(payload);
        text.replace(1 + target->offset, target->size, std::to_string(*thread));
        return packet(0, viewOf(text));
    }
    if (head.command == Command::ProcessKill && payload.size() == 1 + 4) {
        const auto thread = context_.registry.tenantThread(
            ByteReader(viewOf(payload.substr(1)), "COM_PROCESS_KILL").u32(), connection_.tenant_name);
        if (!thread) return std::nullopt;
        return packet(0, ByteWriter().u8(static_cast<std::uint8_t>(Command::ProcessKill)).u32(*thread).data());
    }
    return std::nullopt;
}

/// Without a reason the client is not told: it is the one that was waited for.
void Session::limitLogin(std::chrono::milliseconds limit, std::optional<Error> reason) {
    login_timer_.expires_after(limit);
    login_timer_.async_wait([weak = weak_from_this(), reason](const boost::system::error_code& error) {
        const auto self = weak.lock();
        // The timer may have fired just before it was set anew or cancelled.
        if (error || !self || self->phase_ != Phase::Login) return;
        if (self->login_timer_.expiry() > std::chrono::steady_clock::now()) return;
        self->context_.log->debug("session {} did not log in in time", self->connection_.id);
        if (reason) self->farewell(*reason);
        self->connection_.close();
    });
}

/// A tenant that ends while its client is silent must end the client's connection too, as it would without us.
void Session::watchTenant() {
    connection_.tenant->onHangUp([weak = weak_from_this()] {
        const auto self = weak.lock();
        if (!self) return;
        self->tenant_gone_ = self->ending_ = true;
        if (self->phase_ == Phase::Idle) self->connection_.client.cancel();
    });
}

void Session::end(SessionRegistry::End how) {
    net::asio::post(connection_.client.executor(), [self = shared_from_this(), how] {
        self->ending_ = true;
        const bool waits = self->phase_ == Phase::Busy || self->phase_ == Phase::Response;
        if (how == SessionRegistry::End::WhenIdle && waits) return;
        // In the middle of a response there is no place for a packet of ours.
        if (self->phase_ != Phase::Response) self->farewell(nodeEnds());
        self->connection_.close();
    });
}

/// What the tenant said before it closed, such as "packet too large", when we noticed by failing to write to it.
net::Awaitable<bool> Session::relayLastWords() {
    bool any = false;
    if (!connection_.tenant) co_return any;
    try {
        for (;;) {
            if (connection_.tenant->buffered().empty()) co_await connection_.tenant->fill();
            const ByteView bytes = connection_.tenant->buffered();
            co_await writeAll(connection_.client, bytes);
            connection_.tenant->consume(bytes.size());
            any = true;
        }
    } catch (const Error&) {
        co_return any;
    }
}

std::optional<std::uint8_t> Session::farewellSequence() const {
    switch (phase_) {
        case Phase::Login:
            if (!connection_.greeted) return 0;
            // The client counts its response, whether it is here already or not.
            return static_cast<std::uint8_t>(std::max<unsigned>(connection_.client_sequence, 1) + 1);
        case Phase::Busy:
            return static_cast<std::uint8_t>(command_sequence_ + 1);
        case Phase::Response:
            if (connection_.tracker->atPacketBoundary()) return connection_.tracker->nextSequence();
            return std::nullopt;
        default:
            return std::nullopt;  // nobody waits for a packet
    }
}

void Session::farewell(const Error& reason) {
    if (std::exchange(parted_, true)) return;
    const auto sequence = farewellSequence();
    if (!sequence) return;
    if (phase_ == Phase::Login) context_.refused.fetch_add(1, std::memory_order_relaxed);
    try {
        connection_.client.writeSome(errorReply(*sequence, reason));
    } catch (const net::StreamClosed&) {
        // it did not wait for it
    }
}

}  // namespace tidemark::front
