#pragma once

#include <array>
#include <cstdint>

#include "base/bytes.h"

namespace tidemark {

using Hash128 = std::array<std::uint8_t, 16>;

/// XXH3, 64 bits: the checksum of everything Tidemark stores.
std::uint64_t xxh3(ByteView bytes);

/// XXH3, 128 bits, canonical (big-endian) form: names the content of a page.
Hash128 xxh3Wide(ByteView bytes);

/// CRC-32 with zlib's polynomial, as binlog events and mariadb-backup's stream carry it.
std::uint32_t crc32(ByteView bytes, std::uint32_t seed = 0);

}  // namespace tidemark
