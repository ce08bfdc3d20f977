#include "mysql/binlog_event.h"

#include <gtest/gtest.h>

#include <functional>
#include <iostream>
#include <random>

#include "base/error.h"
#include "base/file.h"
#include "base/hash.h"
#include "testing/mariadb_server.h"

namespace tidemark::mysql {
namespace {

/// The events of a real binlog file, whole.
std::vector<Bytes> eventsOfARealBinlog() {
    testing::MariadbServer server;
    auto client = server.connect();
    client.script(
        "CREATE DATABASE d; CREATE TABLE d.t (a INT PRIMARY KEY); INSERT INTO d.t VALUES (1); XA START 'x';"
        "INSERT INTO d.t VALUES (2); XA END 'x'; XA PREPARE 'x'; XA COMMIT 'x'; FLUSH BINARY LOGS");
    const std::string file = readFile(server.dataDirectory() / "bin.000001").value();
    std::vector<Bytes> events;
    ByteView rest = viewOf(file).subspan(4);
    while (!rest.empty()) {
        const ByteView event = rest.first(parseEventHeader(rest).size);
        events.emplace_back(event.begin(), event.end());
        rest = rest.subspan(event.size());
    }
    return events;
}

TEST(BinlogEvent, ReadsAServersOwnFile) {
    std::vector<std::string> seen;
    for (const Bytes& event : eventsOfARealBinlog()) {
        const auto header = parseEventHeader(event);
        EXPECT_TRUE(checksumMatches(event)) << static_cast<int>(header.type);
        switch (header.type) {
            case EventType::FormatDescription: {
                const auto format = parseFormatDescription(event);
                EXPECT_TRUE(format.server_version.starts_with("10.11.")) << format.server_version;
                EXPECT_TRUE(format.has_checksums);
                EXPECT_NE(format.created, 0U);
                break;
            }
            case EventType::Gtid: {
                const auto gtid = parseGtidEvent(event);
                seen.push_back(gtid.gtid.text() + ((gtid.flags & kGtidDdl) != 0 ? " ddl" : "") +
                               ((gtid.flags & kGtidPreparedXa) != 0 ? " prepare" : "") +
                               ((gtid.flags & kGtidCompletedXa) != 0 ? " complete" : ""));
                break;
            }
            case EventType::Query:
                seen.push_back(parseQueryEvent(event, 15, true).text);
                break;
            case EventType::Rotate:
                seen.push_back(parseRotateEvent(event).file);
                break;
            default:
                break;
        }
    }
    EXPECT_EQ(seen, (std::vector<std::string>{"1002-101-1 ddl", "CREATE DATABASE", "1002-101-2 ddl", "CREATE TABLE d.",
                                              "1002-101-3", "1002-101-4 prepare", "XA END X'78',X'",
                                              "1002-101-5 complete", "XA COMMIT X'78'", "bin.000002"}));
}

TEST(BinlogEvent, SeesEveryFlippedBit) {
    Bytes event = makeRotate(7, "bin.000001", 4);
    ASSERT_TRUE(checksumMatches(event));
    for (std::size_t bit = 0; bit < event.size() * 8; ++bit) {
        event[bit / 8] ^= static_cast<std::uint8_t>(1U << bit % 8);
        EXPECT_FALSE(checksumMatches(event)) << bit;
        event[bit / 8] ^= static_cast<std::uint8_t>(1U << bit % 8);
    }
}

TEST(BinlogEvent, SumsPartsAsTheWhole) {
    const Bytes event = makeHeartbeat(7, std::string(1000, 'x'), 99);
    for (const std::size_t cut :
         {std::size_t{1}, std::size_t{500}, event.size() - 5, event.size() - 4, event.size() - 2}) {
        EventChecksum sum(static_cast<std::uint32_t>(event.size()));
        sum.add(ByteView(event).first(cut));
        EXPECT_FALSE(sum.matches());
        sum.add(ByteView(event).subspan(cut));
        EXPECT_TRUE(sum.matches());
        sum.add(Bytes{0});
        EXPECT_FALSE(sum.matches());
    }
}

TEST(BinlogEvent, KnowsAFormatAgainWhateverItsTimeAndPlace) {
    const Bytes format = eventsOfARealBinlog().front();
    const Bytes resumed = makeResumedFormat(format);
    EXPECT_TRUE(checksumMatches(resumed));
    EXPECT_EQ(parseFormatDescription(resumed).created, 0U);
    EXPECT_TRUE(sameFormat(format, resumed));
    Bytes other = format;
    other[kEventHeaderSize + 10] ^= 1;  // in the server's version
    EXPECT_FALSE(sameFormat(format, other));
}

TEST(BinlogEvent, NeverReadsBeyondDamagedEvents) {
    const std::uint64_t seed = std::random_device{}();
    std::cout << "seed " << seed << "\n";
    std::mt19937_64 random(seed);
    std::vector<Bytes> events = eventsOfARealBinlog();
    const std::vector<std::function<void(ByteView)>> parsers = {
        [](ByteView e) { parseEventHeader(e); },
        [](ByteView e) { parseGtidEvent(e); },
        [](ByteView e) { parseQueryEvent(e, 200, true); },
        [](ByteView e) { parseQueryEvent(e, 200, false); },
        [](ByteView e) { parseRotateEvent(e); },
        [](ByteView e) { parseFormatDescription(e); },
        [](ByteView e) { sameFormat(e, e); },
        [](ByteView e) { makeResumedFormat(e); },
        [](ByteView e) { checksumMatches(e); },
    };
    for (int round = 0; round < 20000; ++round) {
        Bytes event = events[random() % events.size()];
        for (std::uint64_t i = random() % 4; i > 0; --i)
            event[random() % event.size()] = static_cast<std::uint8_t>(random());
        if (random() % 2 == 0) event.resize(random() % (event.size() + 1));
        // An exact copy on the heap, so that the address sanitizer sees the first byte too many.
        const Bytes exact(event.begin(), event.end());
        try {
            parsers[random() % parsers.size()](exact);
        } catch (const Error& error) {
            EXPECT_EQ(error.code(), ErrorCode::Corrupt) << error.what();
        }
    }
}

}  // namespace
}  // namespace tidemark::mysql
