#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"

/// The frame of the MySQL protocol: packets of a 3-byte length, a sequence number and the payload. Codec only, no I/O.
/// Source: MariaDB's "client/server protocol" pages and what MariaDB 10.11 was seen to send.
namespace tidemark::mysql {

constexpr std::size_t kHeaderSize = 4;
/// A payload of exactly this length is followed by another packet that continues it (possibly an empty one).
constexpr std::uint32_t kMaxPayload = 0xffffff;

enum class Command : std::uint8_t {
    Sleep = 0x00,
    Quit = 0x01,
    InitDb = 0x02,
    Query = 0x03,
    FieldList = 0x04,
    Statistics = 0x09,
    ProcessInfo = 0x0a,
    ProcessKill = 0x0c,
    Ping = 0x0e,
    ChangeUser = 0x11,
    BinlogDump = 0x12,
    RegisterSlave = 0x15,
    StmtPrepare = 0x16,
    StmtExecute = 0x17,
    StmtSendLongData = 0x18,
    StmtClose = 0x19,
    StmtReset = 0x1a,
    SetOption = 0x1b,
    StmtFetch = 0x1c,
    BinlogDumpGtid = 0x1e,
    ResetConnection = 0x1f,
    StmtBulkExecute = 0xfa,
};

/// Capability bits, agreed on in the handshake.
namespace capability {
constexpr std::uint32_t kMysql = 1U << 0;  ///< clear marks MariaDB, whose extended bits then count
constexpr std::uint32_t kConnectWithDb = 1U << 3;
constexpr std::uint32_t kCompress = 1U << 5;
constexpr std::uint32_t kProtocol41 = 1U << 9;
constexpr std::uint32_t kSsl = 1U << 11;
constexpr std::uint32_t kSecureConnection = 1U << 15;
constexpr std::uint32_t kMultiStatements = 1U << 16;
constexpr std::uint32_t kMultiResults = 1U << 17;
constexpr std::uint32_t kPluginAuth = 1U << 19;
constexpr std::uint32_t kConnectAttributes = 1U << 20;
constexpr std::uint32_t kPluginAuthLenenc = 1U << 21;
constexpr std::uint32_t kSessionTrack = 1U << 23;
constexpr std::uint32_t kDeprecateEof = 1U << 24;
/// Bits 25 to 29 are MySQL 8's own (optional metadata, zstd, query attributes, multi-factor, extension): MariaDB 10.11
/// does not offer them, and they change the layout of packets that the front reads.
constexpr std::uint32_t kMysql8Only = 0x1fU << 25;
}  // namespace capability

/// MariaDB's extended bits (the upper half of a 64-bit set).
namespace extended {
constexpr std::uint32_t kProgress = 1U << 0;
constexpr std::uint32_t kBulk = 1U << 2;
constexpr std::uint32_t kMetadata = 1U << 3;
constexpr std::uint32_t kCacheMetadata = 1U << 4;
/// What the front's tracker understands; COM_MULTI (bit 1) and later inventions are not among them.
constexpr std::uint32_t kUnderstood = kProgress | kBulk | kMetadata | kCacheMetadata;
}  // namespace extended

namespace status {
constexpr std::uint16_t kInTransaction = 1U << 0;
constexpr std::uint16_t kAutocommit = 1U << 1;
constexpr std::uint16_t kMoreResults = 1U << 3;
constexpr std::uint16_t kCursorExists = 1U << 6;
constexpr std::uint16_t kNoBackslashEscapes = 1U << 9;
constexpr std::uint16_t kInReadOnlyTransaction = 1U << 13;
constexpr std::uint16_t kAnsiQuotes = 1U << 15;
/// The bits that describe the session rather than one response.
constexpr std::uint16_t kOfSession =
    kInTransaction | kAutocommit | kNoBackslashEscapes | kInReadOnlyTransaction | kAnsiQuotes;
}  // namespace status

/// What both sides of one connection agreed on: the bits sent by the client and offered to it.
struct Capabilities {
    std::uint32_t basic = 0;
    std::uint32_t extended = 0;

    bool has(std::uint32_t bit) const { return (basic & bit) != 0; }
    bool hasExtended(std::uint32_t bit) const { return (extended & bit) != 0; }
};

struct PacketHeader {
    std::uint32_t length = 0;
    std::uint8_t sequence = 0;
};

/// `bytes` must have kHeaderSize bytes.
PacketHeader parseHeader(const std::uint8_t* bytes);

/// Appends payloads as packets with increasing sequence numbers, splitting at kMaxPayload.
class PacketWriter {
public:
    explicit PacketWriter(std::uint8_t first_sequence) : sequence_(first_sequence) {}

    void add(ByteView payload);
    const Bytes& data() const { return data_; }
    Bytes take() { return std::move(data_); }

private:
    void addPart(ByteView part);

    std::uint8_t sequence_;
    Bytes data_;
};

/// One packet of less than kMaxPayload.
Bytes packet(std::uint8_t sequence, ByteView payload);

/// Length-encoded integers: 0xfb is NULL (readLenenc throws Corrupt; readMaybeLenenc gives nullopt).
std::uint64_t readLenenc(ByteReader& reader);
std::optional<std::uint64_t> readMaybeLenenc(ByteReader& reader);
std::string_view readLenencString(ByteReader& reader);
void writeLenenc(ByteWriter& writer, std::uint64_t value);
void writeLenencString(ByteWriter& writer, std::string_view text);

}  // namespace tidemark::mysql
