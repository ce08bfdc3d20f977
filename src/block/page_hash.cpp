#include "block/page_hash.h"

#include "base/hash.h"

namespace tidemark::block {

PageHash hashOfPage(ByteView page) {
    return {.low = xxh3(page), .high = 0};
}

void putHash(ByteWriter& out, const PageHash& hash, std::size_t size) {
    out.u64(hash.low);
    if (size > sizeof hash.low) out.u64(hash.high);
}

PageHash takeHash(ByteReader& in, std::size_t size) {
    PageHash hash{.low = in.u64()};
    if (size > sizeof hash.low) hash.high = in.u64();
    return hash;
}

}  // namespace tidemark::block
