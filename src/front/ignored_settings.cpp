#include "front/ignored_settings.h"

#include <strings.h>

#include <algorithm>

#include "oceanbase/ob_error.h"

namespace tidemark::front {
namespace {

using statement::Token;
using statement::TokenKind;

bool isSymbol(const Tokens& tokens, std::size_t position, char symbol) {
    return position < tokens.size() && tokens[position].kind == TokenKind::Symbol && tokens[position].text[0] == symbol;
}

bool startsWithIgnoringCase(std::string_view text, std::string_view prefix) {
    return text.size() >= prefix.size() && strncasecmp(text.data(), prefix.data(), prefix.size()) == 0;
}

/// One of the assignments of a SET.
struct Assignment {
    std::string_view text;
    std::string_view scope;  ///< GLOBAL, SESSION or LOCAL before it: it holds for those that follow without one too
    std::string name;        ///< of a system variable, without @@ and scope; may be empty
    std::string_view value;  ///< from '=' on
    bool has_parameter = false;

    bool ignored() const { return startsWithIgnoringCase(name, "ob_") && !value.empty(); }
};

/// `ob_x`, `@@ob_x`, `@@session.ob_x`, in backticks or not.
std::string variableName(const Tokens& tokens, std::size_t& position) {
    if (position == tokens.size()) return {};
    std::string name = tokens[position++].text;
    if (tokens[position - 1].kind == TokenKind::Word && (name.ends_with('.') || name == "@@") &&
        position < tokens.size() && tokens[position].kind == TokenKind::Name) {
        name += tokens[position++].text;
    }
    if (!name.starts_with("@@")) return name.starts_with('@') ? std::string() : name;
    name.erase(0, 2);
    for (const std::string_view scope : {"session.", "global.", "local."}) {
        if (startsWithIgnoringCase(name, scope)) return name.substr(scope.size());
    }
    return name;
}

Assignment readAssignment(std::string_view text, const Tokens& tokens) {
    Assignment assignment{.text = text};
    std::size_t position = 0;
    for (const std::string_view scope : {"GLOBAL", "SESSION", "LOCAL"}) {
        if (isKeyword(tokens, 0, scope)) assignment.scope = text.substr(0, scope.size());
    }
    if (!assignment.scope.empty()) ++position;
    assignment.name = variableName(tokens, position);
    const bool colon = isSymbol(tokens, position, ':');
    const std::size_t equals = position + (colon ? 1 : 0);
    if (!isSymbol(tokens, equals, '=')) return assignment;
    const char* const begin = tokens[equals].rest.data();
    assignment.value = {begin, static_cast<std::size_t>(text.data() + text.size() - begin)};
    assignment.has_parameter = std::any_of(tokens.begin(), tokens.end(),
                                           [](const Token& token) { return token.kind == TokenKind::Parameter; });
    return assignment;
}

/// Cuts at the commas outside brackets.
std::vector<Assignment> readAssignments(std::string_view text, const Tokens& tokens) {
    std::vector<Assignment> assignments;
    int depth = 0;
    Tokens current;
    const auto finish = [&](const char* end) {
        if (current.empty()) return;
        const char* const begin = current.front().rest.data();
        assignments.push_back(readAssignment({begin, static_cast<std::size_t>(end - begin)}, current));
        current.clear();
    };
    for (std::size_t i = 1; i < tokens.size(); ++i) {
        depth += isSymbol(tokens, i, '(') ? 1 : 0;
        depth -= isSymbol(tokens, i, ')') ? 1 : 0;
        if (depth == 0 && isSymbol(tokens, i, ',')) {
            finish(tokens[i].rest.data());
        } else {
            current.push_back(tokens[i]);
        }
    }
    finish(text.data() + text.size());
    return assignments;
}

bool takesScope(const Assignment& assignment) {
    return assignment.scope.empty() && !assignment.value.empty() && !assignment.name.empty() &&
           !assignment.text.starts_with('@');
}

}  // namespace

bool isKeyword(const Tokens& tokens, std::size_t position, std::string_view keyword) {
    if (position >= tokens.size() || tokens[position].kind != TokenKind::Word) return false;
    const std::string& text = tokens[position].text;
    return text.size() == keyword.size() && startsWithIgnoringCase(text, keyword);
}

std::optional<std::string> withoutIgnoredSettings(std::string_view text, const Tokens& tokens) {
    if (!isKeyword(tokens, 0, "SET")) return std::nullopt;
    std::string kept;
    std::string_view scope;  // of one that was taken out
    bool any = false;
    for (const Assignment& assignment : readAssignments(text, tokens)) {
        if (!assignment.scope.empty()) scope = {};
        const std::string separator = kept.empty() ? "SET " : ", ";
        if (!assignment.ignored()) {
            kept += separator;
            if (!scope.empty() && takesScope(assignment)) kept.append(scope).append(" ");
            kept += assignment.text;
            continue;
        }
        if (strcasecmp(assignment.name.c_str(), "ob_tcp_invited_nodes") == 0) {
            throw obError(Ob::NotSupported, "SET ob_tcp_invited_nodes instead of ALTER TENANT … in sys is");
        }
        any = true;
        if (!assignment.scope.empty()) scope = assignment.scope;
        // The client counts its parameters: one that is not needed still needs a place.
        if (assignment.has_parameter)
            kept.append(separator).append("@" + assignment.name + " ").append(assignment.value);
    }
    if (!any) return std::nullopt;
    return kept.empty() ? std::string(kNothingToDo) : kept;
}

}  // namespace tidemark::front
