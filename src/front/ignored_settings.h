#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "statement/token.h"

namespace tidemark::front {

using Tokens = std::vector<statement::Token>;

/// What a SET becomes of which nothing is left: OK from the tenant, and no effect.
constexpr std::string_view kNothingToDo = "DO 0";

bool isKeyword(const Tokens& tokens, std::size_t position, std::string_view keyword);

/// A SET statement without its assignments to variables ob_…; nullopt if it has none, or is no SET. `text` is the
/// statement without its ';', `tokens` are its own. Throws Ob::NotSupported for ob_tcp_invited_nodes: nobody must
/// believe that clients are kept out who are not.
std::optional<std::string> withoutIgnoredSettings(std::string_view text, const Tokens& tokens);

}  // namespace tidemark::front
