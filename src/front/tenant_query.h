#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "front/connection.h"
#include "mysql/reply.h"

namespace tidemark::front {

/// Asks the tenant something on the session's own connection, in between the client's commands, and returns the rows.
/// The client sees nothing of it. For small answers (64 KiB). Throws what the tenant answered, or net::StreamClosed.
net::Awaitable<std::vector<mysql::TextRow>> queryTenant(Connection& connection, std::string_view statement);

/// What HEX(…) in an answer stands for; empty for NULL. Texts are asked for like that so that no character set of the
/// session gets in the way.
std::string fromHex(const std::optional<std::string>& hex);

}  // namespace tidemark::front
