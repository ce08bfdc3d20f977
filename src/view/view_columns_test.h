#pragma once

#include <set>
#include <string>

#include "mysql/sql_client.h"

namespace tidemark::view {

/// Expects that each of the views, in schema `oceanbase` of this server, SYS for `scope` oracle, has the columns that
/// test/sql/views.tsv lists for it in `scope` (sys, mysql or oracle): the same names in the same order, and the same
/// types but for the exceptions that docs/views.md explains.
void expectColumns(mysql::SqlClient& client, const std::string& scope, const std::set<std::string>& views);

}  // namespace tidemark::view
