#pragma once

#include "front/connection.h"
#include "mysql/handshake.h"

namespace tidemark::front {

/// The steps from a TCP connection to a session of a tenant. The front never knows a password: it names the tenant an
/// authentication plugin that does not exist, upon which the tenant sends its own challenge, which is passed to the
/// client as a request to switch plugins (docs/decisions/front.md).
///
/// Every step throws an Error that the client is to see, or net::StreamClosed.
class Login {
public:
    Login(FrontContext& context, Connection& connection) : context_(context), connection_(connection) {}

    net::Awaitable<> greet();
    /// Reads the client's answer and finds out which tenant it wants.
    net::Awaitable<> readResponse();
    /// Connects to that tenant as this client. False if the tenant refused with a packet of its own, which was passed
    /// on.
    net::Awaitable<bool> enterTenant();
    /// Passes challenge and proof to and fro. False if the tenant said no; the client has seen that.
    net::Awaitable<bool> authenticate();

private:
    TenantAddress findTenant() const;
    void requireInvited(const TenantAddress& address) const;
    net::Awaitable<> connect(TenantAddress address);
    void agree(const mysql::Greeting& of_tenant);
    std::string client() const;

    FrontContext& context_;
    Connection& connection_;
    mysql::HandshakeResponse response_;
};

Error tenantDoesNotAnswer(const std::string& tenant);

/// The plugin that no server has.
inline constexpr const char* kNoSuchPlugin = "\x7fnone";

/// Passes the packets of an authentication in both directions, beginning with the tenant's, until the tenant ends it
/// with OK (true) or ERR (false). Before the client gets the OK, the account is checked: one for localhost is for
/// clients on this machine only. MariaDB would not see to that, as it takes whoever comes by its unix socket for
/// localhost, even with a PROXY header that says otherwise. Throws Denied then; the session must not go on.
net::Awaitable<bool> relayAuthentication(Connection& connection);

}  // namespace tidemark::front
