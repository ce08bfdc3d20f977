#include "base/bytes.h"

#include <algorithm>

#include "base/error.h"

namespace tidemark {

std::uint64_t ByteReader::integer(std::size_t size) {
    const ByteView raw = bytes(size);
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < size; ++i)
        value |= static_cast<std::uint64_t>(raw[i]) << (8 * i);
    return value;
}

std::uint64_t ByteReader::varint() {
    std::uint64_t value = 0;
    for (int shift = 0; shift < 64; shift += 7) {
        const std::uint8_t byte = u8();
        if (shift == 63 && byte > 1) break;
        value |= static_cast<std::uint64_t>(byte & 0x7f) << shift;
        if ((byte & 0x80) == 0) return value;
    }
    throw Error(ErrorCode::Corrupt, std::string(what_) + ": a number does not end within 64 bits");
}

std::uint32_t ByteReader::varint32() {
    const std::uint64_t value = varint();
    if (value <= UINT32_MAX) return static_cast<std::uint32_t>(value);
    throw Error(ErrorCode::Corrupt, std::string(what_) + ": a number is too large");
}

std::int64_t ByteReader::movedFrom(std::int64_t from) {
    const std::uint64_t value = varint();
    const std::int64_t difference = static_cast<std::int64_t>(value >> 1) ^ -static_cast<std::int64_t>(value & 1);
    std::int64_t to = 0;
    if (!__builtin_add_overflow(from, difference, &to)) return to;
    throw Error(ErrorCode::Corrupt, std::string(what_) + ": a number is too large");
}

ByteView ByteReader::bytes(std::size_t size) {
    if (size > rest_.size()) {
        throw Error(ErrorCode::Corrupt, std::string(what_) + ": " + std::to_string(size) + " bytes expected, only " +
                                            std::to_string(rest_.size()) + " left");
    }
    const ByteView taken = rest_.first(size);
    rest_ = rest_.subspan(size);
    return taken;
}

std::string_view ByteReader::nulTerminated() {
    const auto end = std::find(rest_.begin(), rest_.end(), 0);
    if (end == rest_.end()) throw Error(ErrorCode::Corrupt, std::string(what_) + ": a text has no end");
    const std::string_view text = textOf(bytes(static_cast<std::size_t>(end - rest_.begin())));
    skip(1);
    return text;
}

ByteWriter& ByteWriter::integer(std::uint64_t value, std::size_t size) {
    for (std::size_t i = 0; i < size; ++i)
        data_.push_back(static_cast<std::uint8_t>(value >> (8 * i)));
    return *this;
}

ByteWriter& ByteWriter::varint(std::uint64_t v) {
    while (v >= 0x80) {
        data_.push_back(static_cast<std::uint8_t>(v | 0x80));
        v >>= 7;
    }
    data_.push_back(static_cast<std::uint8_t>(v));
    return *this;
}

ByteWriter& ByteWriter::bytes(ByteView v) {
    data_.insert(data_.end(), v.begin(), v.end());
    return *this;
}

}  // namespace tidemark
