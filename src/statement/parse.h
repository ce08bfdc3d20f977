#pragma once

#include "statement/statement.h"
#include "statement/token.h"

/// The grammar's two halves; statement.h's parse() chooses between them. Private to this folder.
namespace tidemark::statement {

/// What follows ALTER SYSTEM.
Statement parseAlterSystem(TokenStream& in);

/// What follows ALTER SYSTEM, if it is about the removal of backups: policies, DELETE, KEEP, CANCEL DELETE. nullopt, and
/// nothing is read, if it is about something else.
std::optional<Statement> parseDeletion(TokenStream& in);
/// What follows EXPLAIN ALTER SYSTEM.
Statement parseExplain(TokenStream& in);

/// CREATE | ALTER | DROP of RESOURCE UNIT, RESOURCE POOL and TENANT; the verb is still to be read.
Statement parseResource(TokenStream& in);

/// A password: 1 to 1024 bytes.
Secret parsePassword(TokenStream& in);

/// [DESCRIPTION [=] 'text']
std::string parseDescription(TokenStream& in);

/// [TENANT [=] ALL | name[,name…]]
TenantClause parseTenantClause(TokenStream& in);

}  // namespace tidemark::statement
