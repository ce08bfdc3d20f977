#include "base/hash.h"

#include <xxhash.h>
#include <zlib.h>

namespace tidemark {

std::uint64_t xxh3(ByteView bytes) {
    return XXH3_64bits(bytes.data(), bytes.size());
}

Hash128 xxh3Wide(ByteView bytes) {
    XXH128_canonical_t canonical;
    XXH128_canonicalFromHash(&canonical, XXH3_128bits(bytes.data(), bytes.size()));
    Hash128 hash;
    std::copy(std::begin(canonical.digest), std::end(canonical.digest), hash.begin());
    return hash;
}

std::uint32_t crc32(ByteView bytes, std::uint32_t seed) {
    return static_cast<std::uint32_t>(crc32_z(seed, bytes.data(), bytes.size()));
}

}  // namespace tidemark
