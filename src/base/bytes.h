#pragma once

#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tidemark {

using Bytes = std::vector<std::uint8_t>;
using ByteView = std::span<const std::uint8_t>;

inline ByteView viewOf(std::string_view text) {
    return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}
inline std::string_view textOf(ByteView bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// Reads little-endian fields from bytes that may come from outside: every read is checked against the end and throws
/// Corrupt, naming `what`, when there is not enough. Does not own the bytes.
class ByteReader {
public:
    ByteReader(ByteView bytes, const char* what) : rest_(bytes), what_(what) {}

    std::uint8_t u8() { return static_cast<std::uint8_t>(integer(1)); }
    std::uint16_t u16() { return static_cast<std::uint16_t>(integer(2)); }
    std::uint32_t u24() { return static_cast<std::uint32_t>(integer(3)); }
    std::uint32_t u32() { return static_cast<std::uint32_t>(integer(4)); }
    std::uint64_t u48() { return integer(6); }
    std::uint64_t u64() { return integer(8); }
    /// An unsigned LEB128 number of up to 64 bits.
    std::uint64_t varint();
    /// The same of up to 32 bits; Corrupt for a larger one.
    std::uint32_t varint32();
    /// `from` and a difference to it, a varint that also may be negative: 2v, or -2v - 1. Corrupt if that is too much.
    std::int64_t movedFrom(std::int64_t from);
    ByteView bytes(std::size_t size);
    /// varint length, then that many bytes.
    std::string_view string() { return textOf(bytes(varint())); }
    /// Bytes up to the next NUL, which is consumed too.
    std::string_view nulTerminated();
    void skip(std::size_t size) { bytes(size); }

    ByteView rest() const { return rest_; }
    std::size_t remaining() const { return rest_.size(); }
    bool atEnd() const { return rest_.empty(); }

private:
    std::uint64_t integer(std::size_t size);

    ByteView rest_;
    const char* what_;
};

/// Appends little-endian fields to a buffer; the counterpart of ByteReader.
class ByteWriter {
public:
    ByteWriter& u8(std::uint8_t v) { return integer(v, 1); }
    ByteWriter& u16(std::uint16_t v) { return integer(v, 2); }
    ByteWriter& u24(std::uint32_t v) { return integer(v, 3); }
    ByteWriter& u32(std::uint32_t v) { return integer(v, 4); }
    ByteWriter& u64(std::uint64_t v) { return integer(v, 8); }
    ByteWriter& varint(std::uint64_t v);
    ByteWriter& difference(std::int64_t v) {
        return varint(static_cast<std::uint64_t>(v) << 1 ^ static_cast<std::uint64_t>(v >> 63));
    }
    ByteWriter& bytes(ByteView v);
    ByteWriter& text(std::string_view v) { return bytes(viewOf(v)); }
    /// varint length, then the bytes.
    ByteWriter& string(std::string_view v) { return varint(v.size()).text(v); }
    ByteWriter& nulTerminated(std::string_view v) { return text(v).u8(0); }

    const Bytes& data() const { return data_; }
    std::size_t size() const { return data_.size(); }
    /// What was written; the writer is empty then.
    Bytes take() { return std::exchange(data_, {}); }

private:
    ByteWriter& integer(std::uint64_t value, std::size_t size);

    Bytes data_;
};

}  // namespace tidemark
