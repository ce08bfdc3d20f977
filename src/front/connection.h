#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <string>

#include "base/log.h"
#include "front/front.h"
#include "front/greeting_cache.h"
#include "front/login_name.h"
#include "front/session_registry.h"
#include "mysql/response_tracker.h"
#include "net/listener.h"
#include "net/stream.h"

namespace tidemark::front {

/// What all sessions share. Everything in it may be used from every network thread.
struct FrontContext {
    const FrontOptions options;
    const TenantDirectory& directory;
    statement::StatementService& service;
    net::EventLoop& loop;
    const Logger log = makeLogger("front");
    SessionRegistry registry{options.max_sessions};
    GreetingCache greetings{directory};
    std::atomic<std::uint64_t> refused{0};
    std::atomic<std::uint64_t> own_statements{0};
};

/// The two ends that a session joins, and what the login found out. Belongs to the session's thread.
struct Connection {
    Connection(net::Socket socket, net::Peer from, std::uint32_t session_id)
        : client("client", std::move(socket)), peer(std::move(from)), id(session_id) {}

    net::Stream client;
    std::optional<net::Stream> tenant;  ///< from the moment that the tenant is connected
    const net::Peer peer;
    const std::uint32_t id;  ///< as the client knows this connection

    LoginName login;
    std::string tenant_name;      ///< as the tenant is really called
    bool oracle = false;          ///< the tenant is in ORACLE mode
    bool greeted = false;         ///< the client has our greeting
    mysql::Capabilities offered;  ///< to the client
    mysql::Capabilities agreed;   ///< by client, front and tenant

    /// Numbers of the last packet on either side while a login or COM_CHANGE_USER is relayed; the sides differ, as the
    /// front's greeting and the tenant's are not the same packet.
    std::uint8_t client_sequence = 0;
    std::uint8_t tenant_sequence = 0;

    /// Once logged in.
    std::optional<mysql::ResponseTracker> tracker;
    bool several_statements = false;  ///< in one query: CLIENT_MULTI_STATEMENTS, then COM_SET_OPTION

    void close() {
        client.close();
        if (tenant) tenant->close();
    }
};

}  // namespace tidemark::front
