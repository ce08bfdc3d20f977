#pragma once

#include <algorithm>
#include <memory>

#include "archive/round_writer.h"
#include "mysql/binlog_event.h"

/// Rounds whose content a test decides: transactions of any time and size, without a server.
namespace tidemark::archive {

constexpr Scn kStart = 1'000 * static_cast<Scn>(kSecond);
constexpr Scn kPieceTime = 100 * static_cast<Scn>(kSecond);
constexpr RoundKey kRound{1001, 1};

inline RoundDescription description() {
    return {kRound, 1002, 1, static_cast<Nanos>(kPieceTime)};
}

/// As a server of version `version` would begin a file.
inline Bytes formatOf(char version) {
    ByteWriter body;
    body.u16(4).bytes(Bytes(50, static_cast<std::uint8_t>(version))).u32(0).u8(19).bytes(Bytes(30, 1)).u8(1);
    ByteWriter event;
    event.u32(0).u8(15).u32(101).u32(static_cast<std::uint32_t>(19 + body.size() + 4)).u32(0).u16(0).bytes(body.data());
    return event.u32(0).take();
}

inline std::unique_ptr<RoundWriter> openRound(storage::Storage& storage) {
    auto writer = std::make_unique<RoundWriter>(storage, description(), [] {
        return RoundWriter::StartPoint{kStart, {}};
    });
    writer->setFormat(formatOf('a'), "a");
    return writer;
}

/// Transaction number n of the domain, with an SCN so many seconds after the start.
inline void add(RoundWriter& writer, std::uint64_t n, std::uint64_t seconds, std::size_t size = 100) {
    const Scn scn = std::max(writer.lastScn() + 1, kStart + seconds * static_cast<Scn>(kSecond));
    writer.beginTransaction(scn);
    writer.append(Bytes(size, static_cast<std::uint8_t>(n)));
    TransactionEntry entry;
    entry.gtid = {1002, 101, n};
    entry.scn = std::max(writer.lastScn() + 1, scn);
    writer.endTransaction(entry);
}

}  // namespace tidemark::archive
