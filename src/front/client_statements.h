#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "statement/statement_service.h"

/// What the front does with the text of a COM_QUERY or COM_STMT_PREPARE that is not simply the tenant's.
///
/// Drivers of OceanBase set variables that only OceanBase has (ob_query_timeout and its kind). Their assignments, and
/// nothing else, are taken out of a text before the tenant gets it; a SET of which nothing is left becomes DO 0, so
/// that the tenant answers as many statements as were sent, in order. See docs/front.md.
namespace tidemark::front {

/// Whether a text may hold such an assignment: cheap, for every query. `start` is its beginning; `whole` says that
/// there is no more of it.
bool mayHoldIgnoredSettings(std::string_view start, bool whole);

/// How the client's session reads a text.
struct ClientSyntax {
    bool several_statements = false;  ///< in one text, separated by ';'
    bool no_backslash_escapes = false;
};

struct StatementPlan {
    std::optional<std::string> for_tenant;  ///< what the tenant gets in the text's place
    /// What is answered here, one result each; an empty text stands for a SET that changes nothing.
    std::vector<std::string> own;

    bool unchanged() const { return !for_tenant && own.empty(); }
};

/// Cuts the text at each ';' of its own and looks at its statements, up to one that may have others in its body
/// (CREATE PROCEDURE): from there on it is the tenant's as it is. Throws Ob::NotSupported for own statements in one
/// text with the tenant's, of which none has run then, and for a SET that cannot be read with certainty. What has no
/// end that could be found is the tenant's, unless it begins as an own statement.
StatementPlan planStatements(std::string_view text, const statement::StatementService& service, ClientSyntax syntax);

}  // namespace tidemark::front
