#pragma once

#include <map>
#include <string>

#include "mysql/sql_client.h"
#include "restore/event_statement.h"
#include "restore/logged_transaction.h"

namespace tidemark::restore {

/// Keeps the status of events over a replay: whatever they are on the source, a replica makes them
/// SLAVESIDE_DISABLED. What is not their status (definer, sql_mode, character sets, time zone, …) comes by replication
/// as it was. docs/decisions/tenant.md, "Events". Not thread-safe.
class EventStates {
public:
    /// Reads the status that they have in the data, before the log is replayed; `server` must outlive it.
    explicit EventStates(mysql::SqlClient& server);

    /// Follows them through the log behind `start` up to `target`.
    void follow(const archive::ArchiveReader& reader, const archive::RoundKey& round, const mysql::GtidPosition& start,
                Scn target);
    /// Writes it into the server's table, after the replay. The server knows by its next start.
    void write(Scn target);

private:
    void follow(const mysql::QueryEvent& query);
    void inServersCharacters(mysql::QueryEvent& query);

    mysql::SqlClient& server_;
    std::map<EventName, std::string> status_;
};

}  // namespace tidemark::restore
