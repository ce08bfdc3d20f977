#pragma once

#include <cstdint>
#include <functional>

#include "base/bytes.h"

namespace tidemark::block {

/// Holes are made of whole blocks of a file system.
constexpr std::size_t kHoleBlock = 4096;

/// How much of a page is not the hole behind it. InnoDB compresses the pages of a table with PAGE_COMPRESSED=1 each by
/// itself, leaves it at its place, and frees what is behind it in 16 KiB; there a copy reads zeros. Such pages have the
/// highest bit of FIL_PAGE_TYPE (bytes 24 and 25) set, in all forms: 34354, 37401 (encrypted), and 0x8000 with their
/// size under innodb_checksum_algorithm=full_crc32. Of all other pages it is all.
std::size_t sizeBeforeHole(ByteView page);

/// Calls `write` for the parts of `bytes`, whole pages of a file and maybe a short one at its end, that lie in no hole,
/// with where they begin in it. Returns whether there are holes.
bool eachPartOutsideHoles(ByteView bytes, const std::function<void(std::size_t offset, ByteView part)>& write);

}  // namespace tidemark::block
