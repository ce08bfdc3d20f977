#include "restore/logged_transaction.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "archive/piece_writer.h"
#include "archive/round_writer.h"
#include "base/error.h"
#include "mysql/binlog_event.h"
#include "restore/memory_rows.h"
#include "storage/memory_storage.h"
#include "testing/mariadb_server.h"
#include "testing/peak_memory.h"

namespace tidemark::restore {
namespace {

using mysql::EventType;

constexpr std::uint8_t kDdlFlag = 0x20;

Bytes event(EventType type, ByteView body) {
    ByteWriter out;
    out.u32(1).u8(static_cast<std::uint8_t>(type)).u32(1);
    out.u32(static_cast<std::uint32_t>(mysql::kEventHeaderSize + body.size() + mysql::kEventChecksumSize));
    return out.u32(0).u16(0).bytes(body).u32(0).take();
}

/// An event that is shorter than its header says, or than its type asks for.
Bytes cutOff(EventType type, std::size_t size) {
    Bytes bytes = event(type, Bytes(100, 'x'));
    bytes.resize(size);
    return bytes;
}

TEST(LoggedTransaction, IsNotDescribedByWhatLiesBehindItsEvents) {
    for (const std::size_t size : {19U, 20U, 22U}) {
        const LoggedTransaction transaction{.format = {}, .events = {cutOff(EventType::AnnotateRows, size)}};
        EXPECT_THROW(describe(transaction, 100), Error) << size;
    }
    const LoggedTransaction whole{.format = {}, .events = {event(EventType::AnnotateRows, viewOf("INSERT INTO t"))}};
    EXPECT_EQ(describe(whole, 100), "INSERT INTO t");
}

TEST(LoggedTransaction, WithATableMapThatIsCutOffIsNotApplied) {
    const testing::MariadbServer server;
    MemoryRows rows(server.endpoint(), server.errorLog());
    for (const std::size_t size : {23U, 24U, 26U, 27U})
        EXPECT_THROW(rows.canApply({.format = {}, .events = {cutOff(EventType::TableMap, size)}}), Error) << size;
}

/// One transaction: a statement, then rows of `megabytes` that compress well.
archive::TransactionEntry archiveTransaction(storage::Storage& storage, std::size_t megabytes) {
    archive::RoundWriter writer(storage, {.key = {1, 1}, .tenant_id = 1}, [] {
        return archive::RoundWriter::StartPoint{1000, {}};
    });
    ByteWriter format;
    format.u16(4).bytes(Bytes(50, 'v')).u32(0).u8(19).bytes(Bytes(30, 1)).u8(1);
    writer.setFormat(event(EventType::FormatDescription, format.data()), "10.11.14");
    writer.beginTransaction(2000);
    writer.append(event(EventType::Gtid, ByteWriter().u64(1).u32(0).u8(kDdlFlag).bytes(Bytes(6)).data()));
    ByteWriter query;
    query.u32(1).u32(0).u8(1).u16(0).u16(0).text("d").u8(0).text("CREATE TABLE events SELECT * FROM large");
    writer.append(event(EventType::Query, query.data()));
    for (std::size_t i = 0; i < megabytes; ++i)
        writer.append(event(static_cast<EventType>(23), Bytes(1 << 20, 0)));
    archive::TransactionEntry entry;
    entry.gtid = {0, 1, 1};
    entry.scn = 2000;
    entry.flags = archive::TransactionEntry::kDdl;
    writer.endTransaction(entry);
    writer.flush();
    return entry;
}

TEST(LoggedTransaction, IsReadAsFarAsItMayBeInMemory) {
    for (const std::size_t megabytes : {3U, 400U}) {
        storage::MemoryStorage storage;
        const auto entry = archiveTransaction(storage, megabytes);
        const archive::ArchiveReader reader(storage);
        const testing::PeakMemory memory;
        const LoggedTransaction transaction = readTransaction(reader, {1, 1}, {}, entry);
        EXPECT_LT(memory.bytes(), 200U << 20);
        EXPECT_EQ(transaction.whole, megabytes == 3);
        EXPECT_EQ(describe(transaction, 100), "CREATE TABLE events SELECT * FROM large");
        EXPECT_EQ(transaction.events.size() == 2 + megabytes, megabytes == 3);
    }
}

}  // namespace
}  // namespace tidemark::restore
