#pragma once

#include <stop_token>

#include "mysql/gtid.h"
#include "validate/table_states.h"

namespace tidemark::validate {

struct TableStates {
    mysql::GtidPosition position;  ///< what the rows contain
    std::map<TableName, TableState> tables;
};

/// The tables of a server that others write to, in one state: that of a transaction which begins now. Reads every row
/// once, with one session, in the order of names.
///
/// It is in nobody's way for long: DDL of the table that it reads just then waits half a second or so, then the reading
/// of that table gives way (GivesWay), and is begun once more behind all others. It waits for a table that somebody
/// else has locked for kLockLimit. A statement ends by itself after readingLimit(), also if nobody waits for its answer
/// any more (see endReadings()). Of what cannot be read so, or not in that state (no InnoDB; DDL meanwhile), `problem`
/// says why.
///
/// Throws Unavailable, Cancelled.
TableStates snapshotTables(const mysql::Endpoint& server, const std::stop_token& stop, const TableProgress& progress);

constexpr std::chrono::seconds kLockLimit{5};
/// How long the rows of a table of `bytes` may be read: a minute, and a second for each 8 MiB.
std::chrono::seconds readingLimit(std::uint64_t bytes);

}  // namespace tidemark::validate
