#pragma once

#include <string_view>
#include <vector>

#include "front/connection.h"
#include "mysql/reply.h"

namespace tidemark::front {

/// Asks the tenant something on the session's own connection, in between the client's commands, and returns the rows.
/// The client sees nothing of it. For small answers (64 KiB). Throws what the tenant answered, or net::StreamClosed.
net::Awaitable<std::vector<mysql::TextRow>> queryTenant(Connection& connection, std::string_view statement);

}  // namespace tidemark::front
