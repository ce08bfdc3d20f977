#include "mysql/binlog_event.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "base/hash.h"

namespace tidemark::mysql {
namespace {

constexpr std::size_t kCreatedOffset = kEventHeaderSize + 2 + 50;  // after binlog version and server version
constexpr std::size_t kSmallestFormat = kCreatedOffset + 4 + 1 + 1 + kEventChecksumSize;
/// Where a row event has its flags: behind the id of its table.
constexpr std::size_t kRowsFlagsOffset = kEventHeaderSize + 6;
constexpr std::uint8_t kStatementEnd = 1;

Bytes makeEvent(const EventHeader& header, ByteView body) {
    ByteWriter out;
    out.u32(header.timestamp).u8(static_cast<std::uint8_t>(header.type)).u32(header.server_id);
    out.u32(static_cast<std::uint32_t>(kEventHeaderSize + body.size() + kEventChecksumSize));
    out.u32(header.end_position).u16(header.flags).bytes(body);
    return out.u32(crc32(out.data())).take();
}

/// What decides how later events read: everything but the header and `created`.
Bytes essence(ByteView format) {
    const ByteView body = bodyOf(format, "format description");
    Bytes bytes(body.begin(), body.end());
    if (format.size() < kSmallestFormat) throw Error(ErrorCode::Corrupt, "format description event is too short");
    std::fill_n(bytes.begin() + (kCreatedOffset - kEventHeaderSize), 4, std::uint8_t{0});
    return bytes;
}

/// What of a query event's status variables is needed; they come in the order of their numbers' writing, and the first
/// that is not known here ends the look, since its size is not known either.
void readStatusVariables(ByteView variables, QueryEvent& event) {
    enum Variable { kFlags = 0, kSqlMode = 1, kAutoIncrement = 3, kCharacterSets = 4, kCatalog = 6 };
    ByteReader in(variables, "query event's variables");
    while (!in.atEnd()) {
        switch (in.u8()) {
            case kFlags:
            case kAutoIncrement:
                in.skip(4);
                break;
            case kSqlMode:
                event.sql_mode = in.u64();
                break;
            case kCharacterSets:
                event.client_collation = in.u16();
                return;
            case kCatalog:
                in.skip(in.u8());
                break;
            default:
                return;
        }
    }
}

}  // namespace

ByteView bodyOf(ByteView event, const char* what) {
    if (event.size() < kEventHeaderSize + kEventChecksumSize) {
        throw Error(ErrorCode::Corrupt, fmt::format("{} event of {} bytes is too short", what, event.size()));
    }
    return event.subspan(kEventHeaderSize, event.size() - kEventHeaderSize - kEventChecksumSize);
}

EventHeader parseEventHeader(ByteView event) {
    ByteReader in(event, "binlog event header");
    EventHeader header;
    header.timestamp = in.u32();
    header.type = static_cast<EventType>(in.u8());
    header.server_id = in.u32();
    header.size = in.u32();
    header.end_position = in.u32();
    header.flags = in.u16();
    if (header.size < kEventHeaderSize + kEventChecksumSize) {
        throw Error(ErrorCode::Corrupt, fmt::format("binlog event says it has {} bytes", header.size));
    }
    return header;
}

void EventChecksum::add(ByteView part) {
    const auto covered = static_cast<std::size_t>(std::min<std::uint64_t>(left_, part.size()));
    sum_ = crc32(part.first(covered), sum_);
    left_ -= covered;
    const ByteView rest = part.subspan(covered);
    // One byte too many is kept, so that an event longer than it says cannot match.
    const std::size_t room = kEventChecksumSize + 1 - stored_.size();
    stored_.insert(stored_.end(), rest.begin(),
                   rest.begin() + static_cast<std::ptrdiff_t>(std::min(room, rest.size())));
}

bool EventChecksum::matches() const {
    return left_ == 0 && stored_.size() == kEventChecksumSize && ByteReader(stored_, "checksum").u32() == sum_;
}

bool checksumMatches(ByteView event) {
    if (event.size() < kEventHeaderSize + kEventChecksumSize) return false;
    EventChecksum sum(static_cast<std::uint32_t>(event.size()));
    sum.add(event);
    return sum.matches();
}

GtidEvent parseGtidEvent(ByteView event) {
    const EventHeader header = parseEventHeader(event);
    ByteReader in(bodyOf(event, "GTID"), "GTID event");
    GtidEvent result;
    result.gtid.sequence = in.u64();
    result.gtid.domain = in.u32();
    result.gtid.server = header.server_id;
    result.flags = in.u8();
    return result;
}

QueryEvent parseQueryEvent(ByteView event, std::size_t limit, bool whole) {
    ByteReader in(whole ? bodyOf(event, "query") : event.subspan(std::min(event.size(), kEventHeaderSize)),
                  "query event");
    in.skip(8);  // thread, duration
    const std::size_t database_size = in.u8();
    in.skip(2);  // error code
    QueryEvent result;
    readStatusVariables(in.bytes(in.u16()), result);
    result.database = textOf(in.bytes(database_size));
    in.skip(1);
    result.text = textOf(in.rest().first(std::min(limit, in.remaining())));
    return result;
}

std::uint32_t queryDuration(ByteView event) {
    ByteReader in(event.subspan(std::min(event.size(), kEventHeaderSize)), "query event");
    in.skip(4);  // thread
    return in.u32();
}

RotateEvent parseRotateEvent(ByteView event) {
    ByteReader in(bodyOf(event, "rotate"), "rotate event");
    RotateEvent result;
    result.position = in.u64();
    result.file = textOf(in.rest());
    return result;
}

FormatDescription parseFormatDescription(ByteView event) {
    if (event.size() < kSmallestFormat) throw Error(ErrorCode::Corrupt, "format description event is too short");
    ByteReader in(bodyOf(event, "format description"), "format description event");
    if (const auto version = in.u16(); version != 4) {
        throw Error(ErrorCode::Corrupt, fmt::format("binlog of version {}; only 4 is known", version));
    }
    FormatDescription result;
    const std::string_view version = textOf(in.bytes(50));
    result.server_version = version.substr(0, version.find('\0'));
    result.created = in.u32();
    if (const auto size = in.u8(); size != kEventHeaderSize) {
        throw Error(ErrorCode::Corrupt, fmt::format("binlog with event headers of {} bytes; only 19 is known", size));
    }
    // The algorithm is the last byte before the checksum, which is there even where checksums are off.
    result.has_checksums = event[event.size() - kEventChecksumSize - 1] == 1;
    return result;
}

TableMap parseTableMap(ByteView event) {
    ByteReader in(bodyOf(event, "table map"), "table map event");
    TableMap result;
    result.id = in.u48();
    in.skip(2);  // flags
    result.database = textOf(in.bytes(in.u8()));
    in.skip(1);
    result.table = textOf(in.bytes(in.u8()));
    return result;
}

std::uint64_t tableOfRows(ByteView event) {
    return ByteReader(bodyOf(event, "row"), "row event").u48();
}

Bytes makeLastOfStatement(ByteView row_event) {
    ByteReader(bodyOf(row_event, "row"), "row event").skip(6 + 2);
    Bytes alone(row_event.begin(), row_event.end() - kEventChecksumSize);
    alone[kRowsFlagsOffset] |= kStatementEnd;
    ByteWriter sum;
    sum.u32(crc32(alone));
    alone.insert(alone.end(), sum.data().begin(), sum.data().end());
    return alone;
}

bool sameFormat(ByteView earlier, ByteView later) {
    return essence(earlier) == essence(later);
}

bool precedesStatement(EventType type) {
    switch (type) {
        case EventType::IntVar:
        case EventType::Rand:
        case EventType::UserVar:
        case EventType::TableMap:
        case EventType::AnnotateRows:
            return true;
        default:
            return false;
    }
}

Bytes makeRotate(std::uint32_t server_id, const std::string& file, std::uint64_t position) {
    const Bytes body = ByteWriter().u64(position).text(file).take();
    return makeEvent({.type = EventType::Rotate, .server_id = server_id, .flags = kEventArtificial}, body);
}

Bytes makeHeartbeat(std::uint32_t server_id, const std::string& file, std::uint32_t position) {
    return makeEvent({.type = EventType::Heartbeat, .server_id = server_id, .end_position = position}, viewOf(file));
}

Bytes makeGtidList(std::uint32_t server_id, const GtidPosition& position, std::uint32_t end_position,
                   bool until_reached) {
    constexpr std::uint32_t kUntilReached = 0x10000000;
    ByteWriter body;
    body.u32(static_cast<std::uint32_t>(position.domains().size()) | (until_reached ? kUntilReached : 0));
    for (const auto& [domain, gtid] : position.domains())
        body.u32(domain).u32(gtid.server).u64(gtid.sequence);
    return makeEvent(
        {.type = EventType::GtidList, .server_id = server_id, .end_position = end_position, .flags = kEventArtificial},
        body.data());
}

Bytes makeResumedFormat(ByteView format) {
    EventHeader header = parseEventHeader(format);
    header.end_position = 0;
    header.flags = static_cast<std::uint16_t>(header.flags & ~kEventInUse);
    return makeEvent(header, essence(format));
}

}  // namespace tidemark::mysql
