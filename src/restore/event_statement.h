#pragma once

#include <optional>
#include <string>

#include "mysql/binlog_event.h"

namespace tidemark::restore {

/// Names an event; both parts in lower case, as far as ASCII goes: MariaDB's names of events know no case.
struct EventName {
    std::string database;
    std::string event;
    auto operator<=>(const EventName&) const = default;
};

/// What a statement of the log does to the status of an event.
struct EventStatement {
    enum class Kind { Create, Alter, Drop, DropDatabase };
    Kind kind = Kind::Create;
    bool if_not_exists = false;
    EventName name;                       ///< of DropDatabase: the database only
    std::optional<EventName> renamed_to;  ///< ALTER … RENAME TO
    std::optional<std::string> status;    ///< as mysql.event has it; none: the statement does not say
};

/// nullopt for statements that are about something else. Pure. Names are in the character set of the statement.
std::optional<EventStatement> parseEventStatement(const mysql::QueryEvent& query);

}  // namespace tidemark::restore
