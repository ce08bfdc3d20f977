#include "mysql/prepared.h"

#include <fmt/format.h>

#include <bit>

#include "base/error.h"
#include "mysql/packet.h"

namespace tidemark::mysql {
namespace {

/// Column types, as MariaDB numbers them.
enum Type : std::uint8_t {
    kTiny = 1,
    kShort = 2,
    kLong = 3,
    kFloat = 4,
    kDouble = 5,
    kNull = 6,
    kTimestamp = 7,
    kLongLong = 8,
    kInt24 = 9,
    kDate = 10,
    kTime = 11,
    kDateTime = 12,
    kYear = 13,
};

bool isText(std::uint8_t type) {
    // DECIMAL, VARCHAR, BIT; JSON, NEWDECIMAL, ENUM, SET, the blobs and strings, GEOMETRY.
    return type == 0 || type == 15 || type == 16 || type >= 245;
}

std::string fraction(ByteReader& reader) {
    return reader.atEnd() ? "" : fmt::format(".{:06}", reader.u32());
}

/// DATE, DATETIME, TIMESTAMP: 0, 4, 7 or 11 bytes, as much as is not zero.
std::string date(ByteView raw, bool with_time) {
    if (raw.empty()) return with_time ? "0000-00-00 00:00:00" : "0000-00-00";
    ByteReader reader(raw, "date parameter");
    const int year = reader.u16(), month = reader.u8(), day = reader.u8();
    std::string text = fmt::format("{:04}-{:02}-{:02}", year, month, day);
    if (reader.atEnd()) return with_time ? text + " 00:00:00" : text;
    const int hour = reader.u8(), minute = reader.u8(), second = reader.u8();
    return text + fmt::format(" {:02}:{:02}:{:02}", hour, minute, second) + fraction(reader);
}

/// TIME: 0, 8 or 12 bytes, days and hours apart.
std::string time(ByteView raw) {
    if (raw.empty()) return "00:00:00";
    ByteReader reader(raw, "time parameter");
    const bool negative = reader.u8() != 0;
    const std::uint64_t days = reader.u32();
    const std::uint64_t hours = days * 24 + reader.u8();
    const int minute = reader.u8(), second = reader.u8();
    return fmt::format("{}{:02}:{:02}:{:02}", negative ? "-" : "", hours, minute, second) + fraction(reader);
}

template <typename Signed, typename Unsigned>
Value integer(Unsigned raw, bool is_unsigned) {
    if (is_unsigned) return static_cast<std::uint64_t>(raw);
    return static_cast<std::int64_t>(static_cast<Signed>(raw));
}

Value decode(ByteReader& reader, ParameterType type) {
    if (isText(type.type)) return std::string(readLenencString(reader));
    switch (type.type) {
        case kTiny:
            return integer<std::int8_t>(reader.u8(), type.is_unsigned);
        case kShort:
        case kYear:
            return integer<std::int16_t>(reader.u16(), type.is_unsigned);
        case kLong:
        case kInt24:
            return integer<std::int32_t>(reader.u32(), type.is_unsigned);
        case kLongLong:
            return integer<std::int64_t>(reader.u64(), type.is_unsigned);
        case kFloat:
            return static_cast<double>(std::bit_cast<float>(reader.u32()));
        case kDouble:
            return std::bit_cast<double>(reader.u64());
        case kNull:
            return nullptr;
        case kDate:
            return date(reader.bytes(reader.u8()), false);
        case kTimestamp:
        case kDateTime:
            return date(reader.bytes(reader.u8()), true);
        case kTime:
            return time(reader.bytes(reader.u8()));
        default:
            throw Error(ErrorCode::InvalidRequest, fmt::format("parameter type {} is not supported", type.type));
    }
}

void readTypes(ByteReader& reader, ParameterState& state) {
    state.types.clear();
    for (int i = 0; i < state.count; ++i) {
        const std::uint8_t type = reader.u8();
        state.types.push_back({.type = type, .is_unsigned = (reader.u8() & 0x80) != 0});
    }
}

}  // namespace

std::vector<Value> decodeParameters(ByteView payload, ParameterState& state) {
    std::vector<Value> values;
    if (state.count == 0) return values;
    ByteReader reader(payload, "COM_STMT_EXECUTE");
    reader.skip(1 + 4 + 1 + 4);  // command, statement id, cursor flags, iteration count
    const ByteView nulls = reader.bytes((state.count + 7U) / 8);
    if (reader.u8() != 0) readTypes(reader, state);
    if (state.types.size() != state.count) {
        throw Error(ErrorCode::Corrupt, "COM_STMT_EXECUTE: the first execution names no parameter types");
    }
    for (std::uint16_t i = 0; i < state.count; ++i) {
        if (const auto sent = state.long_data.find(i); sent != state.long_data.end()) {
            values.emplace_back(sent->second);
        } else if ((nulls[i / 8] >> (i % 8) & 1) != 0) {
            values.emplace_back(nullptr);
        } else {
            values.push_back(decode(reader, state.types[i]));
        }
    }
    return values;
}

}  // namespace tidemark::mysql
