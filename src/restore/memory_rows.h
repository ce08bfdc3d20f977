#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>

#include "mysql/sql_client.h"
#include "restore/logged_transaction.h"

namespace tidemark::restore {

/// Changes of rows that were not there, by table ("schema.table").
using MissingRows = std::map<std::string, std::uint64_t>;

/// Applies a transaction that a replica has refused because a row of a MEMORY table is missing: a physical copy has
/// none of these rows. In a session of its own, event by event: a missing row of a MEMORY table is left out and
/// counted, everything else, of the same transaction too, is applied as strictly as by replication.
class MemoryRows {
public:
    /// `error_log` is the server's, where it names each row that it leaves out.
    MemoryRows(const mysql::Endpoint& server, std::filesystem::path error_log);

    /// Whether this can be done: the transaction consists of changed rows only, and some are of a MEMORY table.
    bool canApply(const LoggedTransaction& transaction);
    /// Applies and commits it. The position of the replication is not touched. Throws the server's error, with nothing
    /// committed of tables with transactions.
    void apply(const LoggedTransaction& transaction);

    const MissingRows& missing() const { return missing_; }

private:
    struct Table {
        std::string database;
        std::string name;
        bool memory = false;
        Bytes map;  ///< its table map event
    };
    std::map<std::uint64_t, Table> tablesOf(const LoggedTransaction& transaction);
    void applyRows(const Table& table, const Bytes& event);
    void count(const Table& table, std::uintmax_t log_size_before);
    std::uintmax_t logSize() const;

    mysql::SqlClient client_;
    const std::filesystem::path error_log_;
    MissingRows missing_;
};

}  // namespace tidemark::restore
