#pragma once

#include "base/bytes.h"
#include "block/page.h"

namespace tidemark::block {

/// Bytes of a hash in stored objects.
constexpr std::size_t kPageHashSize = 8;

/// XXH3 of the bytes of a page.
PageHash hashOfPage(ByteView page);

void putHash(ByteWriter& out, const PageHash& hash, std::size_t size = kPageHashSize);
/// Throws Corrupt, as readers do.
PageHash takeHash(ByteReader& in, std::size_t size = kPageHashSize);

}  // namespace tidemark::block
