#pragma once

#include <span>

#include "mysql/sql_client.h"

namespace tidemark::catalog {

/// The steps that lead from nothing to the present schema `tidemark`; step n is steps()[n - 1]. A step may run twice
/// (a crash in its middle), so each statement is written for that. Released steps never change: what changes the schema
/// is a new step.
std::span<const char* const> schemaSteps();

/// Applies what is missing and brings the table of parameter definitions in line with this program.
/// Throws Conflict if the schema was made by a newer program.
void migrateSchema(mysql::SqlClient& client);

}  // namespace tidemark::catalog
