#pragma once

#include <string>

#include "front/connection.h"

namespace tidemark::front {

/// What the client sent in its character set (character_set_client), in UTF-8, in which own statements are read. The
/// tenant converts it, on the session's own connection; pure ASCII costs nothing. Throws 1300 for bytes that are no
/// characters, and Ob::NotSupported for a long text in another character set, or a secret one, which no tenant
/// is shown.
enum class Shown { ToTenant, ToNobody };
net::Awaitable<std::string> utf8OfClient(Connection& connection, std::string text, Shown shown = Shown::ToTenant);

}  // namespace tidemark::front
