#pragma once

#include <array>
#include <cstdint>

#include "base/bytes.h"

struct XXH3_state_s;

namespace tidemark {

using Hash128 = std::array<std::uint8_t, 16>;

/// XXH3, 64 bits: the checksum of everything Tidemark stores.
/// Another seed gives an unrelated checksum, so that a seed made from where bytes belong tells misplaced ones.
std::uint64_t xxh3(ByteView bytes, std::uint64_t seed = 0);

/// The same of bytes that come in pieces. Not thread-safe.
class RunningXxh3 {
public:
    RunningXxh3();
    ~RunningXxh3();
    RunningXxh3(const RunningXxh3&) = delete;
    RunningXxh3& operator=(const RunningXxh3&) = delete;

    void add(ByteView bytes);
    std::uint64_t value() const;

private:
    XXH3_state_s* state_;
};

/// XXH3, 128 bits, canonical (big-endian) form: names the content of a page.
Hash128 xxh3Wide(ByteView bytes);

/// CRC-32 with zlib's polynomial, as binlog events and mariadb-backup's stream carry it.
std::uint32_t crc32(ByteView bytes, std::uint32_t seed = 0);

}  // namespace tidemark
