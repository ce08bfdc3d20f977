#pragma once

#include <cstdint>

#include "base/bytes.h"

struct XXH3_state_s;

namespace tidemark {

/// XXH3, 64 bits: the checksum of everything Tidemark stores, and the name of a page's content.
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

/// CRC-32 with zlib's polynomial, as binlog events and mariadb-backup's stream carry it.
std::uint32_t crc32(ByteView bytes, std::uint32_t seed = 0);

}  // namespace tidemark
