#include "base/hash.h"

#include <libdeflate.h>
#include <xxhash.h>

#include <new>

namespace tidemark {

std::uint64_t xxh3(ByteView bytes, std::uint64_t seed) {
    return XXH3_64bits_withSeed(bytes.data(), bytes.size(), seed);
}

RunningXxh3::RunningXxh3() : state_(XXH3_createState()) {
    if (state_ == nullptr) throw std::bad_alloc();
    XXH3_64bits_reset(state_);
}

RunningXxh3::~RunningXxh3() {
    XXH3_freeState(state_);
}

void RunningXxh3::add(ByteView bytes) {
    XXH3_64bits_update(state_, bytes.data(), bytes.size());
}

std::uint64_t RunningXxh3::value() const {
    return XXH3_64bits_digest(state_);
}

std::uint32_t crc32(ByteView bytes, std::uint32_t seed) {
    // Several times faster than zlib's, and a backup runs it over every byte.
    return libdeflate_crc32(seed, bytes.data(), bytes.size());
}

}  // namespace tidemark
