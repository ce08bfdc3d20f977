#include "fuzz.h"
#include "mysql/binlog_event.h"
#include "restore/event_statement.h"
#include "restore/logged_transaction.h"

namespace tidemark::fuzz {
namespace {

using namespace mysql;

void format(ByteView event) {
    const FormatDescription first = parseFormatDescription(event);
    requireThat(first.server_version.size() <= 50, "a version is no longer than its field");
    requireThat(sameFormat(event, event), "a format is the same as itself");
    const Bytes resumed = makeResumedFormat(event);
    requireThat(checksumMatches(resumed) && sameFormat(resumed, event), "a resumed format is the same format");
    requireThat(parseFormatDescription(resumed).created == 0, "a resumed format keeps temporary tables");
}

void query(ByteView event) {
    for (const bool whole : {true, false}) {
        accepted([&] {
            const QueryEvent query = parseQueryEvent(event, 200, whole);
            requireThat(query.text.size() <= 200 && query.database.size() <= 255, "a query is cut where it was asked");
            queryDuration(event);
        });
    }
    accepted([&] { restore::parseEventStatement(parseQueryEvent(event, 64 << 10, true)); });
}

/// In two parts, wherever they are cut.
void checksum(ByteView event, std::size_t cut) {
    if (event.size() < kEventChecksumSize) return;
    EventChecksum sum(static_cast<std::uint32_t>(event.size()));
    cut = std::min(cut, event.size());
    sum.add(event.first(cut));
    sum.add(event.subspan(cut));
    const bool as_a_whole = checksumMatches(event);
    if (event.size() >= kEventHeaderSize + kEventChecksumSize)
        requireThat(sum.matches() == as_a_whole, "a checksum does not depend on how the bytes came");
}

/// As the rows of MEMORY tables are looked at.
void rows(ByteView event) {
    accepted([&] {
        const TableMap map = parseTableMap(event);
        requireThat(map.database.size() + map.table.size() < event.size() && map.id == tableOfRows(event),
                    "a table map has its names");
    });
    const Bytes alone = makeLastOfStatement(event);
    Bytes expected(event.begin(), event.end());
    expected[kEventHeaderSize + 6] |= 1;
    requireThat(std::equal(expected.begin(), expected.end() - kEventChecksumSize, alone.begin()),
                "nothing but the end of the statement is added");
    requireThat(alone.size() == event.size() && checksumMatches(alone) && tableOfRows(alone) == tableOfRows(event),
                "the last event of a statement is as long and of the same table");
}

void runBinlog(ByteView input) {
    Choices choices(input);
    const std::uint8_t cut = choices.byte();
    const ByteView event = choices.rest();
    accepted([&] { parseEventHeader(event); });
    accepted([&] { parseGtidEvent(event); });
    accepted([&] { query(event); });
    accepted([&] {
        const RotateEvent rotate = parseRotateEvent(event);
        const RotateEvent again = parseRotateEvent(makeRotate(1, rotate.file, rotate.position));
        requireThat(again.file == rotate.file && again.position == rotate.position, "ROTATE reads as it was written");
    });
    accepted([&] { format(event); });
    accepted([&] { rows(event); });
    checksum(event, cut);
    // A transaction is cut into its events by their sizes.
    accepted([&] {
        if (parseEventHeader(event).size != event.size()) return;
        const restore::LoggedTransaction transaction{.format = {}, .events = {Bytes(event.begin(), event.end())}};
        requireThat(restore::describe(transaction, 100).size() <= 104, "a description is as short as was asked");
    });
}

Bytes seed(const Bytes& event) {
    return ByteWriter().u8(7).bytes(event).take();
}

Bytes event(EventType type, ByteView body) {
    ByteWriter out;
    out.u32(1700000000).u8(static_cast<std::uint8_t>(type)).u32(1);
    out.u32(static_cast<std::uint32_t>(kEventHeaderSize + body.size() + kEventChecksumSize)).u32(4).u16(0);
    return out.bytes(body).u32(0).take();
}

Bytes queryEvent(std::string_view text) {
    ByteWriter body;
    body.u32(1).u32(0).u8(2).u16(0).u16(5 + 9 + 7 + 5);
    body.u8(0).u32(0).u8(1).u64(0).u8(6).u8(3).text("std").u8(0).u8(0).u8(4).u16(45).u16(45);
    return event(EventType::Query, body.text("db").u8(0).text(text).data());
}

std::vector<Bytes> binlogSeeds() {
    ByteWriter format_body;
    format_body.u16(4).text("10.11.14-MariaDB-log").bytes(Bytes(30)).u32(1700000000).u8(19).bytes(Bytes(160, 8)).u8(1);
    GtidPosition position = GtidPosition::parse("0-1-17,3-2-9");
    return {seed(makeRotate(1, "binlog.000007", 4)), seed(makeHeartbeat(1, "binlog.000007", 900)),
            seed(makeGtidList(1, position, 0, true)), seed(event(EventType::FormatDescription, format_body.data())),
            seed(event(EventType::Gtid, ByteWriter().u64(17).u32(0).u8(0x25).bytes(Bytes(6)).data())),
            seed(event(EventType::TableMap,
                       ByteWriter().u32(9).u16(0).u16(1).u8(1).nulTerminated("d").u8(2).nulTerminated("tt").data())),
            // The shortest that has a table's id, but no room for its flags.
            seed(event(static_cast<EventType>(24), Bytes(6, 9))),
            seed(queryEvent("CREATE OR REPLACE DEFINER=`a`@`%` EVENT IF NOT EXISTS d.e ON SCHEDULE EVERY 1 DAY DISABLE "
                            "ON SLAVE COMMENT 'x' DO SELECT 1")),
            seed(queryEvent("ALTER EVENT e RENAME TO `d2`.\"f\" ENABLE")),
            seed(queryEvent("CREATE USER u IDENTIFIED BY 'secret\\' ' /*!50000 x */"))};
}

const Registered registered_binlog({"binlog", runBinlog, binlogSeeds});

void runGtid(ByteView input) {
    const std::string text(textOf(input));
    const GtidPosition position = GtidPosition::parse(text);
    requireThat(GtidPosition::parse(position.text()) == position, "a position reads as it was written");
    requireThat(position.contains(position), "a position contains itself");
    const Bytes list = makeGtidList(1, position, 0, false);
    requireThat(checksumMatches(list) && parseEventHeader(list).size == list.size(), "a GTID list is whole");
}

std::vector<Bytes> gtidSeeds() {
    return seedsOf({"0-1-17", " 0-1-17,\n3-2-18446744073709551615 ", ""});
}

const Registered registered_gtid({"gtid", runGtid, gtidSeeds});

void runEventStatement(ByteView input) {
    Choices choices(input);
    QueryEvent query;
    query.sql_mode = (choices.byte() & 1) != 0 ? kModeAnsiQuotes | kModeNoBackslashEscapes : 0;
    query.database = "d";
    query.text = choices.text();
    restore::parseEventStatement(query);
    restore::withoutSecrets(query.text);
}

std::vector<Bytes> eventStatementSeeds() {
    using namespace std::string_view_literals;  // a seed may have NULs
    return seedsOf({"\0CREATE EVENT e ON SCHEDULE AT NOW() DO SELECT 1"sv, "\1DROP EVENT IF EXISTS \"a\"\"b\".`c`"sv,
                    "\0DROP SCHEMA IF EXISTS x"sv, "\0CREATE /*/ x */ EVENT e DO SELECT 1"sv,
                    "\0ALTER DEFINER=CURRENT_USER() EVENT e RENAME TO f DISABLE /* x"sv});
}

const Registered registered_events({"event_statement", runEventStatement, eventStatementSeeds});

}  // namespace
}  // namespace tidemark::fuzz
