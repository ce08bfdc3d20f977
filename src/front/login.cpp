#include "front/login.h"

#include <fmt/format.h>

#include <boost/asio/experimental/awaitable_operators.hpp>

#include "front/packet_stream.h"
#include "front/tenant_query.h"
#include "oceanbase/ob_error.h"
#include "tenant/invited_nodes.h"

namespace tidemark::front {

using namespace mysql;

namespace {

/// A tenant that runs takes a connection at once; this is for bursts that fill its queue.
constexpr std::chrono::seconds kConnectLimit{5};
constexpr std::uint8_t kOk = 0x00;
constexpr std::uint8_t kMoreData = 0x01;
constexpr std::uint8_t kErr = 0xff;
constexpr SqlCode kBadHandshake{1043, "08S01"};
constexpr int kMustChangePassword = 1820;
constexpr std::uint64_t kSysTenantId = 1;

Error refusalOf(const TenantRefusal& refusal, const LoginName& login, const std::string& client) {
    switch (refusal.reason) {
        case TenantRefusal::Reason::Locked:
            return obError(Ob::TenantIsLocked, login.tenant, "ask the administrator of sys");
        case TenantRefusal::Reason::NotReady:
            return obError(Ob::ServerIsInit, {},
                           fmt::format("tenant '{}' is {}; try again later", login.tenant,
                                       refusal.state.empty() ? "not up" : refusal.state));
        case TenantRefusal::Reason::Unknown:
            break;
    }
    // Drivers and pools treat 1045 as final, as they should here; OceanBase's own number follows in the text.
    const Error as_oceanbase = obError(Ob::InvalidConnectTenant);
    return {ErrorCode::Denied, SqlCode{1045, "28000"},
            fmt::format("Access denied for user {}: unknown tenant '{}' (OceanBase error {}: {})", client, login.tenant,
                        as_oceanbase.sql()->number, as_oceanbase.what()),
            "log in as user@tenant"};
}

/// So that the tenant sees the client's address and not the front's: host-based grants and the process list depend on
/// it.
std::string proxyHeader(const net::Peer& peer) {
    return fmt::format("PROXY {} {} {} {} {}\r\n", peer.v6 ? "TCP6" : "TCP4", peer.address, peer.local_address,
                       peer.port, peer.local_port);
}

}  // namespace

Error tenantDoesNotAnswer(const std::string& tenant) {
    return obError(Ob::ServerIsInit, {}, fmt::format("tenant '{}' does not answer; try again later", tenant));
}

net::Awaitable<> Login::greet() {
    Greeting greeting = co_await context_.greetings.get();
    greeting.thread_id = connection_.id;
    greeting.scramble = makeScramble();
    connection_.offered = greeting.capabilities;
    const Bytes bytes = packet(0, buildGreeting(greeting));
    connection_.greeted = true;
    co_await writeAll(connection_.client, bytes);
}

net::Awaitable<> Login::readResponse() {
    const Packet answer = co_await readPacket(connection_.client, kMaxLoginPacket);
    connection_.client_sequence = answer.sequence;
    try {
        response_ = parseHandshakeResponse(answer.payload, connection_.offered);
    } catch (const Error& error) {
        throw Error(ErrorCode::InvalidRequest, kBadHandshake, error.what(), error.hint());
    }
    if (!response_.capabilities.has(capability::kPluginAuth)) {
        throw Error(ErrorCode::InvalidRequest, SqlCode{1251, "08004"},
                    "the client does not support authentication plugins", "use a newer client");
    }
    connection_.login = splitLoginName(response_.user);
}

net::Awaitable<bool> Login::enterTenant() {
    if (isReservedUser(connection_.login.user)) {
        throw Error(ErrorCode::Denied, SqlCode{1045, "28000"},
                    fmt::format("Access denied for user {}: the name is reserved for Tidemark itself", client()));
    }
    const TenantAddress address = findTenant();
    requireInvited(address);
    connection_.tenant_name = address.name;
    connection_.oracle = address.oracle;
    connection_.login.user = userInTenant(connection_.login.user, address.oracle);
    if (!context_.registry.joinTenant(connection_.id, address.name, address.max_sessions)) {
        throw obError(Ob::TooManyConnections, fmt::format("tenant '{}' allows {}", address.name, address.max_sessions));
    }
    co_await connect(address);
    co_await writeAll(*connection_.tenant, viewOf(proxyHeader(connection_.peer)));

    const Packet greeting = co_await readPacket(*connection_.tenant, kMaxLoginPacket);
    connection_.tenant_sequence = greeting.sequence;
    if (!greeting.payload.empty() && greeting.payload[0] == kErr) {
        ++connection_.client_sequence;
        co_await writeAll(connection_.client, packet(connection_.client_sequence, greeting.payload));
        co_return false;
    }
    agree(parseGreeting(greeting.payload));
    ++connection_.tenant_sequence;
    co_await writeAll(*connection_.tenant, packet(connection_.tenant_sequence, buildHandshakeResponse(response_)));
    co_return true;
}

net::Awaitable<bool> Login::authenticate() {
    co_return co_await relayAuthentication(connection_);
}

TenantAddress Login::findTenant() const {
    const TenantAnswer answer = context_.directory.find(connection_.login.tenant);
    if (const auto* refusal = std::get_if<TenantRefusal>(&answer)) {
        throw refusalOf(*refusal, connection_.login, client());
    }
    return std::get<TenantAddress>(answer);
}

/// In sys, this machine always is: nobody else could undo a list that leaves everyone out.
void Login::requireInvited(const TenantAddress& address) const {
    const net::Peer& peer = connection_.peer;
    if (isInvited(address.invited_nodes, peer.address)) return;
    if (address.tenant_id == kSysTenantId && peer.loopback) return;
    throw Error(ErrorCode::Denied, SqlCode{1045, "28000"},
                fmt::format("Access denied for user {}: ob_tcp_invited_nodes of tenant '{}' does not have this address",
                            client(), address.name),
                "ALTER TENANT … SET VARIABLES ob_tcp_invited_nodes = '…' in sys");
}

net::Awaitable<> Login::connect(TenantAddress address) {
    std::optional<Error> failure;
    try {
        connection_.tenant.emplace("tenant", co_await net::connectUnix(address.socket.string(), kConnectLimit));
    } catch (const Error& error) {
        failure = error;
    }
    if (!failure) co_return;
    context_.log->warn("tenant={} takes no connection: {}", address.name, failure->what());
    throw tenantDoesNotAnswer(address.name);
}

/// Turns the client's response into ours: same client, no proof, and only the bits that everybody has.
void Login::agree(const Greeting& of_tenant) {
    context_.greetings.learn(of_tenant);
    context_.registry.setTenantThread(connection_.id, of_tenant.thread_id);
    const std::uint32_t as_mysql = response_.capabilities.basic & capability::kMysql;
    response_.capabilities.basic &= connection_.offered.basic;
    response_.capabilities.extended &= connection_.offered.extended;
    connection_.agreed = {.basic = response_.capabilities.basic & of_tenant.capabilities.basic,
                          .extended = response_.capabilities.extended & of_tenant.capabilities.extended};
    connection_.tracker.emplace(connection_.agreed);
    connection_.several_statements = connection_.agreed.has(capability::kMultiStatements);
    // Never offered by MariaDB, but its presence says that the extended bits are mere filler.
    response_.capabilities.basic |= as_mysql;
    response_.user = connection_.login.user;
    const std::string database = defaultDatabase(response_.user, connection_.oracle);
    if (!database.empty() && response_.database.value_or("").empty()) {
        response_.database = database;
        response_.capabilities.basic |= capability::kConnectWithDb;
    }
    response_.auth.clear();
    response_.plugin = kNoSuchPlugin;
}

std::string Login::client() const {
    return fmt::format("'{}'@'{}'", connection_.login.user, connection_.peer.address);
}

namespace {

net::Awaitable<> passOn(net::Stream& to, std::uint8_t& sequence, ByteView payload) {
    ++sequence;
    co_await writeAll(to, packet(sequence, payload));
}

net::Awaitable<> refuseAccountOfLocalhost(Connection& connection) {
    bool of_localhost = false;
    try {
        const auto rows =
            co_await queryTenant(connection, "SELECT SUBSTRING_INDEX(CURRENT_USER(), '@', -1) = 'localhost' LIMIT 1");
        of_localhost = rows.size() != 1 || rows[0].size() != 1 || rows[0][0] != "0";
    } catch (const Error& error) {
        // An expired password: nothing but SET PASSWORD will work in this session.
        if (!error.sql() || error.sql()->number != kMustChangePassword) throw;
    }
    if (!of_localhost) co_return;
    throw Error(ErrorCode::Denied, SqlCode{1045, "28000"},
                fmt::format("Access denied for user '{}'@'{}': the account is for localhost only",
                            connection.login.user, connection.peer.address),
                "make an account for the client's address");
}

/// Waits until either side has something to say, or ended. Not strictly in turn: some plugins (GSSAPI) of the tenant
/// send twice.
net::Awaitable<bool> clientSpeaksNext(Connection& connection) {
    using namespace boost::asio::experimental::awaitable_operators;
    if (!connection.tenant->buffered().empty()) co_return false;
    if (!connection.client.buffered().empty()) co_return true;
    const auto first = co_await (connection.tenant->readable() || connection.client.readable());
    co_return first.index() == 1;
}

}  // namespace

net::Awaitable<bool> relayAuthentication(Connection& connection) {
    for (;;) {
        const Packet challenge = co_await readPacket(*connection.tenant, kMaxLoginPacket);
        connection.tenant_sequence = challenge.sequence;
        const std::uint8_t kind = challenge.payload.empty() ? kMoreData : challenge.payload[0];
        if (kind == kOk) {
            if (!connection.peer.loopback) co_await refuseAccountOfLocalhost(connection);
            connection.tracker->setStatus(okStatus(challenge.payload));
        }
        co_await passOn(connection.client, connection.client_sequence, challenge.payload);
        if (kind == kOk || kind == kErr) co_return kind == kOk;
        for (;;) {
            const bool client_next = co_await clientSpeaksNext(connection);
            if (!client_next) break;
            const Packet proof = co_await readPacket(connection.client, kMaxLoginPacket);
            connection.client_sequence = proof.sequence;
            co_await passOn(*connection.tenant, connection.tenant_sequence, proof.payload);
        }
    }
}

}  // namespace tidemark::front
