#pragma once

#include "base/bytes.h"
#include "block/page.h"

namespace tidemark::block {

/// XXH3 of the bytes of a page.
PageHash hashOfPage(ByteView page);

/// Its first `size` bytes, 8 or 16.
void putHash(ByteWriter& out, const PageHash& hash, std::size_t size);
/// Throws Corrupt, as readers do.
PageHash takeHash(ByteReader& in, std::size_t size);

}  // namespace tidemark::block
