#include "restore/event_states.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/clock.h"
#include "base/letters.h"

namespace tidemark::restore {
namespace {

using archive::TransactionEntry;

/// By the beginning of the statement, which is all that the index has: whether it may be about events.
bool mayConcernEvents(const TransactionEntry& entry) {
    if ((entry.flags & TransactionEntry::kDdl) == 0) return false;
    const std::string text = lowerCase(entry.statement);
    const auto has = [&](const char* word) { return text.find(word) != std::string::npos; };
    // A statement that is cut off may have begun with a long comment, or a long definer.
    return has("event") || (has("drop") && (has("database") || has("schema"))) ||
           (text.size() >= TransactionEntry::kStatementLimit && (has("/*") || has("--") || has("#") || has("definer")));
}

std::string hexOf(const std::string& text) {
    std::string hex;
    for (const unsigned char c : text)
        hex += fmt::format("{:02x}", c);
    return hex;
}

bool plain(const std::string& text) {
    return std::ranges::all_of(text, [](unsigned char c) { return c < 0x80; });
}

}  // namespace

EventStates::EventStates(mysql::SqlClient& server) : server_(server) {
    for (const auto& row : server_.query("SELECT db, name, status FROM mysql.event").rows)
        status_[{lowerCase(row.text("db")), lowerCase(row.text("name"))}] = row.text("status");
}

void EventStates::follow(const archive::ArchiveReader& reader, const archive::RoundKey& round,
                         const mysql::GtidPosition& start, Scn target) {
    mysql::GtidPosition position = start;
    reader.transactions(0, target, [&](const TransactionEntry& entry) {
        if (position.contains(entry.gtid)) return true;
        if (mayConcernEvents(entry)) {
            for (const Bytes& event : readTransaction(reader, round, position, entry).events) {
                if (mysql::parseEventHeader(event).type != mysql::EventType::Query) continue;
                auto query = mysql::parseQueryEvent(event, event.size(), true);
                inServersCharacters(query);
                follow(query);
            }
        }
        position.set(entry.gtid);
        return true;
    });
}

/// Names are UTF-8 in the server's table; a statement is in its client's character set.
void EventStates::inServersCharacters(mysql::QueryEvent& query) {
    if (plain(query.text)) return;
    const auto charset = server_.scalar("SELECT character_set_name FROM information_schema.collations WHERE id = ?",
                                        {std::uint64_t{query.client_collation}});
    if (!charset || charset->starts_with("utf8")) return;
    // In hexadecimal, since as it stands it is no text of our session's character set.
    query.text =
        server_.scalar("SELECT CONVERT(CONVERT(UNHEX(?) USING " + *charset + ") USING utf8mb4)", {hexOf(query.text)})
            .value_or(query.text);
}

void EventStates::follow(const mysql::QueryEvent& query) {
    const auto statement = parseEventStatement(query);
    if (!statement) return;
    const EventName& name = statement->name;
    switch (statement->kind) {
        case EventStatement::Kind::Create:
            // The source logs it also where it did nothing.
            if (!statement->if_not_exists || !status_.contains(name)) status_[name] = *statement->status;
            return;
        case EventStatement::Kind::Alter:
            if (statement->status) status_[name] = *statement->status;
            if (statement->renamed_to && status_.contains(name)) {
                auto entry = status_.extract(name);
                entry.key() = *statement->renamed_to;
                status_.insert(std::move(entry));
            }
            return;
        case EventStatement::Kind::Drop:
            status_.erase(name);
            return;
        case EventStatement::Kind::DropDatabase:
            std::erase_if(status_, [&](const auto& entry) { return entry.first.database == name.database; });
            return;
    }
}

void EventStates::write(Scn target) {
    // `created` would change by itself.
    for (const auto& row : server_.query("SELECT db, name FROM mysql.event WHERE status = 'SLAVESIDE_DISABLED'").rows) {
        const auto known = status_.find({lowerCase(row.text("db")), lowerCase(row.text("name"))});
        if (known == status_.end() || known->second == "SLAVESIDE_DISABLED") continue;
        server_.query("UPDATE mysql.event SET status = ?, created = created WHERE db = ? AND name = ?",
                      {known->second, row.text("db"), row.text("name")});
    }
    // That such an event has run is in its row on the source only.
    server_.query(
        "UPDATE mysql.event SET status = 'DISABLED', created = created WHERE status = 'ENABLED' AND on_completion = "
        "'PRESERVE' AND "
        "execute_at <= FROM_UNIXTIME(?)",
        {std::uint64_t{target / kSecond}});
}

}  // namespace tidemark::restore
