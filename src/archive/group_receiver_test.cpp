#include "archive/group_receiver.h"

#include <gtest/gtest.h>

#include "archive/archive_reader.h"
#include "archive/log_stream.h"
#include "base/hash.h"
#include "storage/memory_storage.h"

namespace tidemark::archive {
namespace {

using mysql::EventType;

constexpr RoundKey kRound{1001, 1};

Bytes event(EventType type, ByteView body, std::uint16_t flags = 0) {
    ByteWriter out;
    out.u32(5).u8(static_cast<std::uint8_t>(type)).u32(101);
    out.u32(static_cast<std::uint32_t>(19 + body.size() + 4)).u32(1000).u16(flags).bytes(body);
    return out.u32(crc32(out.data())).take();
}

Bytes format(std::uint8_t checksums = 1, std::uint32_t created = 0) {
    return event(
        EventType::FormatDescription,
        ByteWriter().u16(4).bytes(Bytes(50, 'v')).u32(created).u8(19).bytes(Bytes(30, 1)).u8(checksums).data());
}
Bytes gtid(std::uint64_t sequence, std::uint8_t flags = mysql::kGtidTransactional) {
    return event(EventType::Gtid, ByteWriter().u64(sequence).u32(1002).u8(flags).bytes(Bytes(6)).data());
}
Bytes query(std::string_view text) {
    return event(EventType::Query, ByteWriter().u32(1).u32(0).u8(1).u16(0).u16(0).nulTerminated("d").text(text).data());
}
Bytes rows(std::size_t size) {
    return event(static_cast<EventType>(23), Bytes(size, 9));
}
Bytes xid() {
    return event(EventType::Xid, Bytes(8));
}

class Receiving {
public:
    Receiving() : round_(storage_, {kRound, 1002, 1}, [] { return RoundWriter::StartPoint{1000, {}}; }) {
        give(format());
    }

    /// In parts of at most `part` bytes, as long events arrive.
    void give(const Bytes& bytes, std::size_t part = 100000) {
        const auto header = mysql::parseEventHeader(bytes);
        for (std::size_t at = 0; at < bytes.size(); at += part) {
            const std::size_t size = std::min(part, bytes.size() - at);
            receiver_.take({header, ByteView(bytes).subspan(at, size), at == 0, at + size == bytes.size()});
        }
    }
    /// All that is archived, and what was given last is not.
    Bytes archived(std::string& gtids) {
        round_.flush();
        const ArchiveReader reader(storage_);
        LogStream stream(reader, {kRound, {}, kScnUnlimited, {}});
        Bytes all;
        while (const auto batch = stream.next()) {
            all.insert(all.end(), batch->bytes.begin(), batch->bytes.end());
            for (const auto& end : batch->ends)
                gtids += std::to_string(end.gtid.sequence) + " ";
        }
        return all;
    }
    std::string interruption(const Bytes& bytes) {
        try {
            give(bytes);
        } catch (const Interruption& reason) {
            return reason.what();
        }
        return "none";
    }

private:
    storage::MemoryStorage storage_;
    ManualClock clock_{2000};
    RoundWriter round_;
    GroupReceiver receiver_{round_, clock_, {}};
};

/// As a server writes it for a session that says it is `told`, after `duration` seconds.
Bytes timed(Bytes event, std::uint32_t told, std::uint32_t duration = 0) {
    const Bytes time = ByteWriter().u32(told).take();
    std::copy(time.begin(), time.end(), event.begin());
    if (mysql::parseEventHeader(event).type != EventType::Query) return event;
    const Bytes span = ByteWriter().u32(duration).take();
    std::copy(span.begin(), span.end(), event.begin() + mysql::kEventHeaderSize + 4);
    return event;
}

Bytes joined(const std::vector<Bytes>& events) {
    Bytes all;
    for (const auto& bytes : events)
        all.insert(all.end(), bytes.begin(), bytes.end());
    return all;
}

TEST(GroupReceiver, KeepsTransactionsByteForByteAndNothingElse) {
    const std::vector<Bytes> kept = {
        gtid(1, mysql::kGtidStandalone | mysql::kGtidDdl),
        query("CREATE TABLE t (a INT)"),
        gtid(2),
        rows(50),
        rows(5000000),
        xid(),
        gtid(3, 0),
        rows(10),
        query("COMMIT"),
        gtid(4),
        query("SAVEPOINT s"),
        rows(10),
        query("ROLLBACK TO s"),
        query("ROLLBACK"),
        gtid(5, mysql::kGtidStandalone),
        event(EventType::UserVar, Bytes(20)),
        event(EventType::IntVar, Bytes(9)),
        query("INSERT …"),
        gtid(6, mysql::kGtidPreparedXa),
        rows(10),
        query("XA END 'x'"),
        event(EventType::XaPrepare, Bytes(20)),
    };
    Receiving receiving;
    for (const Bytes& bytes : kept) {
        if (mysql::parseEventHeader(bytes).type == EventType::Gtid) {
            receiving.give(mysql::makeRotate(101, "bin.000002", 4));
            receiving.give(mysql::makeHeartbeat(101, "bin.000002", 99));
            receiving.give(mysql::makeGtidList(101, {}, 0, false));
            receiving.give(event(EventType::BinlogCheckpoint, Bytes(20)));
            receiving.give(event(static_cast<EventType>(250), Bytes(20), mysql::kEventIgnorable));
            receiving.give(event(EventType::Stop, {}));
        }
        receiving.give(bytes);
    }
    std::string gtids;
    EXPECT_TRUE(receiving.archived(gtids) == joined(kept));
    EXPECT_EQ(gtids, "1 2 3 4 5 6 ");
}

TEST(GroupReceiver, DropsATransactionThatTheServerDiedIn) {
    for (const std::size_t size : {std::size_t{100}, std::size_t{5} << 20}) {
        Receiving receiving;
        for (const Bytes& bytes : {gtid(1), rows(10), xid(), gtid(2), rows(size), format()})
            receiving.give(bytes);
        for (const Bytes& bytes : {gtid(2), rows(20), xid(), gtid(3), rows(size)})
            receiving.give(bytes);
        std::string gtids;
        EXPECT_TRUE(receiving.archived(gtids) == joined({gtid(1), rows(10), xid(), gtid(2), rows(20), xid()}));
        EXPECT_EQ(gtids, "1 2 ");
    }
}

TEST(GroupReceiver, GoesNoFurtherWhereTransactionsAreMissing) {
    const auto after = [](const std::vector<Bytes>& first, const Bytes& then) {
        Receiving receiving;
        for (const Bytes& bytes : first)
            receiving.give(bytes);
        return receiving.interruption(then);
    };
    EXPECT_NE(after({gtid(7), xid()}, gtid(7)).find("begun anew or has diverged"), std::string::npos);
    EXPECT_NE(after({gtid(7), xid()}, gtid(1)).find("begun anew or has diverged"), std::string::npos);
    EXPECT_NE(after({}, event(EventType::Incident, Bytes(3))).find("lost transactions"), std::string::npos);
    EXPECT_NE(after({gtid(7), xid()}, rows(10)).find("belongs to no transaction"), std::string::npos);
    EXPECT_NE(after({}, format(0)).find("no checksums"), std::string::npos);
    EXPECT_EQ(after({gtid(7), xid()}, gtid(8)), "none");
}

/// The SCN in seconds of a transaction that was in the binlog by 500 s. The archive had ended at 100 s.
Scn secondOf(const std::vector<Bytes>& events) {
    storage::MemoryStorage storage;
    RoundWriter round(storage, {kRound, 1002, 1}, [] {
        return RoundWriter::StartPoint{100 * static_cast<Scn>(kSecond), {}};
    });
    const ManualClock clock(600 * kSecond);
    GroupReceiver receiver(round, clock, {mysql::GtidPosition::parse("1002-101-1"), 500 * kSecond});
    for (const Bytes& bytes : events)
        receiver.take({mysql::parseEventHeader(bytes), bytes, true, true});
    return round.lastScn() / kSecond;
}

TEST(GroupReceiver, BelievesWhatASessionSaysOfTheTimeAsFarAsItCanBeTrue) {
    const Bytes after_start = format(1, 200);
    const auto rows_at = [&](std::uint32_t told, const Bytes& file) {
        return secondOf({file, timed(gtid(1), told), timed(rows(10), told), timed(xid(), told)});
    };
    EXPECT_EQ(rows_at(300, format()), 300U);
    EXPECT_EQ(rows_at(550, format()), 500U) << "it was there at 500 s";
    EXPECT_EQ(rows_at(0x7fffffff, format()), 500U);
    EXPECT_EQ(rows_at(7, format()), 100U) << "the archive had ended at 100 s without it";
    EXPECT_EQ(rows_at(7, after_start), 200U) << "that server started at 200 s";
    EXPECT_EQ(rows_at(300, after_start), 300U);
    const auto ddl_at = [&](std::uint32_t told, std::uint32_t duration) {
        return secondOf({format(), timed(gtid(1, mysql::kGtidStandalone | mysql::kGtidDdl), told),
                         timed(query("CREATE TABLE t (a INT)"), told, duration)});
    };
    EXPECT_EQ(ddl_at(200, 150), 350U) << "it ended then";
    EXPECT_EQ(ddl_at(0x7fffffff, 350U - 0x7fffffff), 350U) << "the duration is negative, and tells the truth";
    EXPECT_EQ(ddl_at(7, 343), 350U);
}

}  // namespace
}  // namespace tidemark::archive
