#include "mysql/reply.h"

#include <algorithm>

namespace tidemark::mysql {
namespace {

constexpr std::uint16_t kCharsetUtf8mb4 = 45;
constexpr std::uint16_t kCharsetBinary = 63;
constexpr std::uint8_t kTypeVarString = 253;
constexpr std::size_t kMaxMessage = 64UL * 1024;

Bytes okPayload(const ReplyStyle& style, std::uint8_t first, std::uint64_t affected_rows) {
    ByteWriter writer;
    writer.u8(first);
    writeLenenc(writer, affected_rows);
    writeLenenc(writer, 0);           // last insert id
    writer.u16(style.status).u16(0);  // warnings
    // The info text, empty: a length in one case, the rest of the packet in the other.
    if (style.agreed.has(capability::kSessionTrack) && first == 0) writer.u8(0);
    return writer.take();
}

Bytes eofPayload(const ReplyStyle& style) {
    if (style.agreed.has(capability::kDeprecateEof)) return okPayload(style, 0xfe, 0);
    return ByteWriter().u8(0xfe).u16(0).u16(style.status).take();
}

Bytes definition(const ReplyStyle& style, std::string_view name, std::uint32_t length, std::uint16_t charset) {
    ByteWriter writer;
    writeLenencString(writer, "def");
    for (int i = 0; i < 3; ++i)
        writeLenencString(writer, "");  // schema, table, original table
    writeLenencString(writer, name);
    writeLenencString(writer, "");  // original name
    if (style.agreed.hasExtended(extended::kMetadata)) writeLenencString(writer, "");
    writer.u8(0x0c).u16(charset).u32(length).u8(kTypeVarString).u16(0).u8(0).u16(0);
    return writer.take();
}

/// The longest value of each column in bytes, at least that of its name: clients size their display by it.
std::vector<std::uint32_t> widths(const std::vector<std::string>& columns, const std::vector<TextRow>& rows) {
    std::vector<std::uint32_t> widest;
    widest.reserve(columns.size());
    for (const std::string& column : columns)
        widest.push_back(static_cast<std::uint32_t>(4 * column.size()));
    for (const TextRow& row : rows) {
        for (std::size_t i = 0; i < row.size() && i < widest.size(); ++i) {
            if (row[i]) widest[i] = std::max(widest[i], static_cast<std::uint32_t>(4 * row[i]->size()));
        }
    }
    return widest;
}

Bytes textRow(const TextRow& row) {
    ByteWriter writer;
    for (const auto& value : row) {
        if (value) {
            writeLenencString(writer, *value);
        } else {
            writer.u8(0xfb);
        }
    }
    return writer.take();
}

Bytes binaryRow(const TextRow& row) {
    // The bitmap of NULLs is shifted by two bits in result rows.
    Bytes nulls((row.size() + 2 + 7) / 8, 0);
    ByteWriter values;
    for (std::size_t i = 0; i < row.size(); ++i) {
        if (row[i]) {
            writeLenencString(values, *row[i]);
        } else {
            nulls[(i + 2) / 8] |= static_cast<std::uint8_t>(1U << ((i + 2) % 8));
        }
    }
    return ByteWriter().u8(0).bytes(nulls).bytes(values.data()).take();
}

/// The payloads of a response, one after the other, put together where they were split.
class PayloadReader {
public:
    explicit PayloadReader(ByteView bytes) : reader_(bytes, "response") {}

    Bytes next() {
        Bytes payload;
        for (;;) {
            const std::uint32_t length = reader_.u24();
            reader_.skip(1);
            const ByteView part = reader_.bytes(length);
            payload.insert(payload.end(), part.begin(), part.end());
            if (length < kMaxPayload) return payload;
        }
    }

private:
    ByteReader reader_;
};

}  // namespace

Bytes okReply(const ReplyStyle& style, std::uint64_t affected_rows) {
    return packet(style.sequence, okPayload(style, 0x00, affected_rows));
}

Bytes errorReply(std::uint8_t sequence, SqlCode code, std::string_view message) {
    ByteWriter writer;
    writer.u8(0xff).u16(static_cast<std::uint16_t>(code.number)).text("#").text(code.sqlstate);
    writer.text(message.substr(0, kMaxMessage));
    return packet(sequence, writer.data());
}

Bytes resultReply(const ReplyStyle& style, const std::vector<std::string>& columns, const std::vector<TextRow>& rows,
                  RowFormat format) {
    PacketWriter packets(style.sequence);
    ByteWriter count;
    writeLenenc(count, columns.size());
    if (style.agreed.hasExtended(extended::kCacheMetadata)) count.u8(1);  // definitions follow
    packets.add(count.data());
    const auto widest = widths(columns, rows);
    for (std::size_t i = 0; i < columns.size(); ++i) {
        packets.add(definition(style, columns[i], widest[i], kCharsetUtf8mb4));
    }
    if (!style.agreed.has(capability::kDeprecateEof)) packets.add(eofPayload(style));
    for (const TextRow& row : rows)
        packets.add(format == RowFormat::Text ? textRow(row) : binaryRow(row));
    packets.add(eofPayload(style));
    return packets.take();
}

Bytes preparedReply(const ReplyStyle& style, std::uint32_t statement_id, std::uint16_t parameters) {
    PacketWriter packets(style.sequence);
    packets.add(ByteWriter().u8(0).u32(statement_id).u16(0).u16(parameters).u8(0).u16(0).data());
    if (parameters == 0) return packets.take();
    const Bytes parameter = definition(style, "?", 0, kCharsetBinary);
    for (int i = 0; i < parameters; ++i)
        packets.add(parameter);
    if (!style.agreed.has(capability::kDeprecateEof)) packets.add(eofPayload(style));
    return packets.take();
}

Error parseError(ByteView payload) {
    ByteReader reader(payload, "ERR packet");
    reader.skip(1);
    const int number = reader.u16();
    std::string_view message = textOf(reader.rest());
    SqlState state = "HY000";
    if (message.size() >= 6 && message.front() == '#') {
        state = message.substr(1, 5);
        message.remove_prefix(6);
    }
    return {ErrorCode::Internal, SqlCode{number, state}, std::string(message)};
}

std::vector<TextRow> parseTextResponse(ByteView response, const Capabilities& agreed) {
    PayloadReader payloads(response);
    const Bytes first = payloads.next();
    if (first.empty()) throw Error(ErrorCode::Corrupt, "response: the first packet is empty");
    if (first[0] == 0xff) throw parseError(first);
    if (first[0] == 0x00) return {};
    ByteReader count_reader(first, "column count");
    const std::uint64_t columns = readLenenc(count_reader);
    const bool definitions_follow = !agreed.hasExtended(extended::kCacheMetadata) || count_reader.u8() != 0;
    for (std::uint64_t i = 0; definitions_follow && i < columns; ++i)
        payloads.next();
    if (!agreed.has(capability::kDeprecateEof)) payloads.next();
    std::vector<TextRow> rows;
    for (;;) {
        const Bytes payload = payloads.next();
        if (!payload.empty() && payload[0] == 0xff) throw parseError(payload);
        if (!payload.empty() && payload[0] == 0xfe && payload.size() < kMaxPayload) return rows;
        ByteReader reader(payload, "row");
        TextRow& row = rows.emplace_back();
        for (std::uint64_t i = 0; i < columns; ++i) {
            const auto length = readMaybeLenenc(reader);
            row.push_back(length ? std::optional(std::string(textOf(reader.bytes(*length)))) : std::nullopt);
        }
    }
}

}  // namespace tidemark::mysql
