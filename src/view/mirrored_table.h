#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "catalog/changes.h"
#include "mysql/sql_client.h"

namespace tidemark::view {

/// A table of the catalog of which a tenant holds a copy of its own rows.
struct MirroredTable {
    const char* name;
    catalog::Topic topics;  ///< changes of any of these may change it
    int key_columns;        ///< the primary key is that many of the first columns
    const char* select;     ///< all columns of the rows that tenant `?` may see, every ? being its id
    /// A change of this, and of none of `topics`, is one of rows that this selects, and removes none.
    catalog::Topic progress{};
    const char* in_progress = "";
    /// The copy is in memory: writing it costs the tenant no commit, and a restart of it loses the rows, which follow
    /// with the next change.
    bool in_memory = false;
};

std::span<const MirroredTable> mirroredTables();

/// What CREATE TABLE of the copies has after their names, from sys's own tables, so that both always have the same
/// columns; in the order of mirroredTables().
std::vector<std::string> definitionsOfCopies(mysql::SqlClient& sys);

/// Where a tenant has its copy of a table; `schema` is the one of its views.
std::string copyName(std::string_view schema, std::string_view table);

/// What a table held when it was last looked at: a hash per row, by key.
using RowHashes = std::unordered_map<std::string, std::uint64_t>;

/// What to do to a copy.
struct TableChange {
    const MirroredTable* table = nullptr;
    bool clear = false;                ///< delete whatever is there first
    bool partial = false;              ///< of rows in progress only
    std::vector<std::string> columns;  ///< in backticks
    std::vector<std::vector<std::optional<std::string>>> put;
    std::vector<std::vector<std::string>> remove;  ///< keys
    RowHashes hashes;                              ///< of all rows that were looked at

    bool empty() const { return !clear && put.empty() && remove.empty(); }
};

enum class Look { AtAll, AtThoseInProgress };

/// Compares rows with what the copy holds (`known`; null: unknown, so that everything is written anew).
TableChange compare(const MirroredTable& table, Look look, const mysql::Result& rows, const RowHashes* known);

/// Brings what is known of a copy up to date after it was written.
void remember(TableChange change, RowHashes& known);

/// Writes them to the tenant's copies: all or none, but for those in memory. What has failed is not rolled back; the
/// connection is to be closed.
void apply(mysql::SqlClient& tenant, std::string_view schema, std::span<const TableChange> changes);

}  // namespace tidemark::view
