#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/bytes.h"
#include "mysql/gtid.h"

namespace tidemark::mysql {

/// Binlog events as MariaDB 10.11 writes them: only what archiving and serving a log needs to understand; everything
/// else travels as bytes. All parsers are bounded and throw Corrupt.
enum class EventType : std::uint8_t {
    Query = 2,
    Stop = 3,
    Rotate = 4,
    IntVar = 5,
    Rand = 13,
    UserVar = 14,
    FormatDescription = 15,
    Xid = 16,
    TableMap = 19,
    Incident = 26,
    Heartbeat = 27,
    XaPrepare = 38,
    AnnotateRows = 160,
    BinlogCheckpoint = 161,
    Gtid = 162,
    GtidList = 163,
    StartEncryption = 164,
};

constexpr std::size_t kEventHeaderSize = 19;
constexpr std::size_t kEventChecksumSize = 4;
constexpr std::uint16_t kEventInUse = 0x0001;       ///< a binlog file not closed yet (in its format description)
constexpr std::uint16_t kEventArtificial = 0x0020;  ///< made by the sender of a stream, in no binlog file
constexpr std::uint16_t kEventIgnorable = 0x0080;   ///< whoever does not know the type may skip it

struct EventHeader {
    std::uint32_t timestamp = 0;  ///< seconds since 1970 at which the statement began, or which its session set
    EventType type{};
    std::uint32_t server_id = 0;
    std::uint32_t size = 0;  ///< of the whole event: header, body, checksum
    std::uint32_t end_position = 0;
    std::uint16_t flags = 0;

    bool artificial() const { return (flags & kEventArtificial) != 0; }
};

/// Reads the 19 bytes at the beginning of `event`; throws Corrupt also for a size that no event can have.
EventHeader parseEventHeader(ByteView event);

/// The CRC32 at the end of an event, computed over parts as they arrive.
class EventChecksum {
public:
    explicit EventChecksum(std::uint32_t event_size) : left_(event_size - kEventChecksumSize) {}
    void add(ByteView part);
    /// Whether all bytes have been added and the sum is right.
    bool matches() const;

private:
    std::uint64_t left_;  // bytes that the sum still covers
    std::uint32_t sum_ = 0;
    Bytes stored_;
};

bool checksumMatches(ByteView event);

/// The bytes between header and checksum; `what` names the event in the error if there is no room for them.
ByteView bodyOf(ByteView event, const char* what);

/// Flags of a GTID event.
constexpr std::uint8_t kGtidStandalone = 0x01;     ///< one event follows, no COMMIT
constexpr std::uint8_t kGtidGroupCommit = 0x02;    ///< carries a commit id
constexpr std::uint8_t kGtidTransactional = 0x04;  ///< can be rolled back
constexpr std::uint8_t kGtidDdl = 0x20;
constexpr std::uint8_t kGtidPreparedXa = 0x40;
constexpr std::uint8_t kGtidCompletedXa = 0x80;

struct GtidEvent {
    Gtid gtid;
    std::uint8_t flags = 0;
};

/// The bodies below are of whole events, header and checksum included; QueryEvent may lack its end.
GtidEvent parseGtidEvent(ByteView event);

struct QueryEvent {
    std::string database;
    std::string text;  ///< at most `limit` bytes
    std::uint64_t sql_mode = 0;
    std::uint16_t client_collation = 0;  ///< id of a collation of the character set that `text` is in; 0: not said
};

/// Bits of QueryEvent::sql_mode.
constexpr std::uint64_t kModeAnsiQuotes = 1ULL << 2;
constexpr std::uint64_t kModeNoBackslashEscapes = 1ULL << 20;

QueryEvent parseQueryEvent(ByteView event_or_beginning, std::size_t limit, bool whole);
/// Seconds from the statement's beginning, the event's timestamp, to the writing of the event, modulo 2^32: a session
/// that sets its time to the future has a negative one.
std::uint32_t queryDuration(ByteView event_or_beginning);

struct RotateEvent {
    std::uint64_t position = 0;
    std::string file;
};
RotateEvent parseRotateEvent(ByteView event);

struct FormatDescription {
    std::string server_version;
    std::uint32_t created = 0;  ///< not 0: the first file after a start of the server, which ended temporary tables
    bool has_checksums = false;
};
FormatDescription parseFormatDescription(ByteView event);

/// The table that row events mean by its id.
struct TableMap {
    std::uint64_t id = 0;
    std::string database;
    std::string table;
};
TableMap parseTableMap(ByteView event);
/// The id of the table whose rows these are.
std::uint64_t tableOfRows(ByteView event);
/// A row event as the last one of its statement, so that it stands alone.
Bytes makeLastOfStatement(ByteView row_event);

/// Whether events after `later` read exactly as events after `earlier`: the same but for time, place and `created`.
bool sameFormat(ByteView earlier, ByteView later);

/// What follows a GTID event and is not yet the statement of a standalone group, by the server's own rule.
bool precedesStatement(EventType type);

/// Events that a sender of a stream makes up; all with CRC32.
Bytes makeRotate(std::uint32_t server_id, const std::string& file, std::uint64_t position);
Bytes makeHeartbeat(std::uint32_t server_id, const std::string& file, std::uint32_t position);
Bytes makeGtidList(std::uint32_t server_id, const GtidPosition& position, std::uint32_t end_position,
                   bool until_reached);
/// The format description as it is sent when a stream begins inside a file: not in use, `created` 0 so that the replica
/// keeps its temporary tables, no position.
Bytes makeResumedFormat(ByteView format_description);

}  // namespace tidemark::mysql
