#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "mysql/sql_client.h"

namespace tidemark::catalog {

// What the stores write their rows with. Column and table names are ours and never come from outside.

using Columns = std::vector<std::pair<std::string, mysql::Value>>;

void insertRow(mysql::SqlClient& client, std::string_view table, const Columns& columns);
/// Returns how many rows differ from before.
std::uint64_t updateRows(mysql::SqlClient& client, std::string_view table, const Columns& set, const Columns& where);
std::uint64_t deleteRows(mysql::SqlClient& client, std::string_view table, const Columns& where);
/// Moves the rows to the table's history, `<table>_history`, which has the same columns.
void moveToHistory(mysql::SqlClient& client, const std::string& table, const Columns& where);

/// The next number of the sequence `name` of `scope` (a tenant's id, or 0 for the cluster): `first`, then one more each
/// time, never one below `least`. Gaps come from transactions that were rolled back, duplicates never.
std::int64_t nextId(mysql::SqlClient& client, std::string_view name, std::int64_t scope, std::int64_t first = 1,
                    std::int64_t step = 1, std::int64_t least = 0);

// Times are TIMESTAMP(6): microseconds; the catalog's connections speak UTC.
mysql::Value sqlTime(Nanos time);
mysql::Value sqlTime(const std::optional<Nanos>& time);
Nanos timeOf(const mysql::Row& row, std::string_view column);
std::optional<Nanos> maybeTimeOf(const mysql::Row& row, std::string_view column);

/// `text` as a column of `limit` characters can hold it: valid UTF-8 (other bytes become '?'), cut at the end. For
/// texts from outside, such as error messages: a job's end must never fail to be recorded because of its wording.
std::string fitting(std::string_view text, std::size_t limit);

/// Names of tenants, units, pools: any case, as the tables' collation compares them (names are ASCII).
bool equalNames(std::string_view a, std::string_view b);

/// Every row turned into a struct.
template <typename Struct, typename From>
std::vector<Struct> rowsAs(const mysql::Result& result, From from) {
    std::vector<Struct> structs;
    structs.reserve(result.rows.size());
    for (const mysql::Row& row : result.rows)
        structs.push_back(from(row));
    return structs;
}

/// The first row turned into a struct, if there is one.
template <typename Struct, typename From>
std::optional<Struct> firstAs(const mysql::Result& result, From from) {
    if (result.empty()) return std::nullopt;
    return from(result.rows.front());
}

// A map in one column, as JSON.
std::string variablesText(const std::map<std::string, std::string>& variables);
std::map<std::string, std::string> variablesFrom(const std::string& json);

std::string joined(const std::vector<std::string>& parts, char separator);
std::vector<std::string> split(std::string_view text, char separator);

}  // namespace tidemark::catalog
