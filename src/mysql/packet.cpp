#include "mysql/packet.h"

#include <algorithm>

#include "base/error.h"

namespace tidemark::mysql {

PacketHeader parseHeader(const std::uint8_t* bytes) {
    return {.length = static_cast<std::uint32_t>(bytes[0] | bytes[1] << 8 | bytes[2] << 16), .sequence = bytes[3]};
}

void PacketWriter::addPart(ByteView part) {
    const std::size_t length = part.size();
    const std::uint8_t header[kHeaderSize] = {static_cast<std::uint8_t>(length), static_cast<std::uint8_t>(length >> 8),
                                              static_cast<std::uint8_t>(length >> 16), sequence_++};
    data_.insert(data_.end(), std::begin(header), std::end(header));
    data_.insert(data_.end(), part.begin(), part.end());
}

void PacketWriter::add(ByteView payload) {
    for (;;) {
        const ByteView part = payload.first(std::min<std::size_t>(payload.size(), kMaxPayload));
        addPart(part);
        payload = payload.subspan(part.size());
        // A payload that fills its last packet exactly is ended by an empty one.
        if (part.size() < kMaxPayload) return;
    }
}

Bytes packet(std::uint8_t sequence, ByteView payload) {
    PacketWriter writer(sequence);
    writer.add(payload);
    return writer.take();
}

std::optional<std::uint64_t> readMaybeLenenc(ByteReader& reader) {
    switch (const std::uint8_t first = reader.u8()) {
        case 0xfb:
            return std::nullopt;
        case 0xfc:
            return reader.u16();
        case 0xfd:
            return reader.u24();
        case 0xfe:
            return reader.u64();
        case 0xff:
            throw Error(ErrorCode::Corrupt, "a length in a MySQL packet starts with 0xff");
        default:
            return first;
    }
}

std::uint64_t readLenenc(ByteReader& reader) {
    const auto value = readMaybeLenenc(reader);
    if (!value) throw Error(ErrorCode::Corrupt, "a length in a MySQL packet is NULL");
    return *value;
}

std::string_view readLenencString(ByteReader& reader) {
    return textOf(reader.bytes(readLenenc(reader)));
}

void writeLenenc(ByteWriter& writer, std::uint64_t value) {
    if (value < 0xfb) {
        writer.u8(static_cast<std::uint8_t>(value));
    } else if (value <= 0xffff) {
        writer.u8(0xfc).u16(static_cast<std::uint16_t>(value));
    } else if (value <= 0xffffff) {
        writer.u8(0xfd).u24(static_cast<std::uint32_t>(value));
    } else {
        writer.u8(0xfe).u64(value);
    }
}

void writeLenencString(ByteWriter& writer, std::string_view text) {
    writeLenenc(writer, text.size());
    writer.text(text);
}

}  // namespace tidemark::mysql
