#include "tenant/replica.h"

#include <charconv>

#include "base/file.h"
#include "oceanbase/ob_error.h"

namespace tidemark::tenant {
namespace {

constexpr std::chrono::minutes kStatementsOfAttached{5};
constexpr std::string_view kFile = "file:";

/// A unix socket's path, or host:port.
mysql::Endpoint addressOf(const std::string& text) {
    mysql::Endpoint address;
    if (text.starts_with('/')) {
        address.socket = text;
        return address;
    }
    const auto colon = text.rfind(':');
    const std::string_view port = std::string_view(text).substr(colon == std::string::npos ? text.size() : colon + 1);
    const auto [end, problem] = std::from_chars(port.data(), port.data() + port.size(), address.port);
    if (problem != std::errc() || end != port.data() + port.size() || address.port == 0 || address.port > 65535) {
        throw Error(ErrorCode::Corrupt, "the address of a replica is neither a socket's path nor host:port: " + text);
    }
    address.host = text.substr(0, colon);
    return address;
}

}  // namespace

Replica::Replica(const catalog::Replica& attached)
    : address_(addressOf(attached.endpoint)), secret_ref_(attached.secret_ref) {
    address_.user = attached.account.empty() ? kDaemonAccount : attached.account;
    address_.statement_timeout = kStatementsOfAttached;
}

std::shared_ptr<TenantServer> Replica::server() const {
    if (!server_) {
        throw obError(Ob::NotSupported, "to start, stop or copy a server that is attached, and not run by Tidemark, is",
                      "do it where the server is run");
    }
    return server_;
}

mysql::Endpoint Replica::endpoint() const {
    if (server_) return server_->endpoint();
    mysql::Endpoint endpoint = address_;
    if (secret_ref_.starts_with(kFile)) endpoint.password = readFile(secret_ref_.substr(kFile.size())).value_or("");
    return endpoint;
}

std::string Replica::socket() const {
    return server_ ? server_->socket() : address_.socket;
}

}  // namespace tidemark::tenant
