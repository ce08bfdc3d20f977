#include "block/frame.h"

#include <fmt/format.h>
#include <zstd.h>

#include "base/error.h"
#include "base/hash.h"
#include "block/page_filter.h"

namespace tidemark::block {
namespace {

constexpr std::size_t kChecksum = 8;
// Level 1 is the knee on real and on synthetic tables: level 3 costs 1.9 times the CPU for 4 % of the size.
constexpr int kLevel = 1;

/// XXH3 of each page, in the order of the file.
Bytes pageHashes(ByteView plain) {
    ByteWriter hashes;
    for (std::size_t at = 0; at < plain.size(); at += kPageSize)
        hashes.u64(xxh3(plain.subspan(at, std::min(kPageSize, plain.size() - at))));
    return hashes.take();
}

std::uint64_t checksumOf(ByteView compressed, const FrameId& id, ByteView hashes) {
    ByteWriter seed;
    seed.u32(id.set_id).u32(id.block.file).u32(id.block.number).u32(id.number).bytes(hashes);
    return xxh3(compressed, xxh3(seed.data()));
}

template <typename Context>
std::unique_ptr<Context, void (*)(Context*)> require(Context* context, void (*free)(Context*)) {
    if (context == nullptr) throw std::bad_alloc();
    return {context, free};
}

}  // namespace

FrameEncoder::FrameEncoder()
    : context_(require<ZSTD_CCtx>(ZSTD_createCCtx(), [](ZSTD_CCtx* context) { ZSTD_freeCCtx(context); })) {
    ZSTD_CCtx_setParameter(context_.get(), ZSTD_c_compressionLevel, kLevel);
    // For inputs of 256 KiB zstd would choose 6: slower, and 2 % larger on tables (1 % smaller on text).
    ZSTD_CCtx_setParameter(context_.get(), ZSTD_c_minMatch, 7);
    // And 14: a frame begins with an empty table, and a smaller one is full sooner: 16 to 20 % more speed at 0.1 to 0.4
    // % more bytes of tables (1.7 % of text).
    ZSTD_CCtx_setParameter(context_.get(), ZSTD_c_hashLog, 12);
}

FrameEncoder::~FrameEncoder() = default;

std::size_t FrameEncoder::largestFrame() {
    return ZSTD_compressBound(kFrameSize) + kChecksum;
}

std::uint32_t FrameEncoder::encode(std::span<std::uint8_t> plain, const FrameId& id, std::span<std::uint8_t> stored,
                                   Bytes& hashes) {
    // Hashed first: that brings the frame into the cache that compressing then reads it from.
    const Bytes own = pageHashes(plain);
    hashes.insert(hashes.end(), own.begin(), own.end());
    subtractHeapNumbers(plain);
    const std::size_t size =
        ZSTD_compress2(context_.get(), stored.data(), stored.size() - kChecksum, plain.data(), plain.size());
    if (ZSTD_isError(size)) {
        throw Error(ErrorCode::Internal, std::string("compressing a frame: ") + ZSTD_getErrorName(size));
    }
    ByteWriter checksum;
    checksum.u64(checksumOf(stored.first(size), id, own));
    std::copy(checksum.data().begin(), checksum.data().end(), stored.begin() + static_cast<std::ptrdiff_t>(size));
    return static_cast<std::uint32_t>(size + kChecksum);
}

FrameDecoder::FrameDecoder()
    : context_(require<ZSTD_DCtx>(ZSTD_createDCtx(), [](ZSTD_DCtx* context) { ZSTD_freeDCtx(context); })) {}

FrameDecoder::~FrameDecoder() = default;

std::string FrameDecoder::decode(ByteView stored, const FrameId& id, std::span<std::uint8_t> plain) {
    if (stored.size() < kChecksum) return "it is too short";
    const ByteView compressed = stored.first(stored.size() - kChecksum);
    const std::size_t size =
        ZSTD_decompressDCtx(context_.get(), plain.data(), plain.size(), compressed.data(), compressed.size());
    if (ZSTD_isError(size)) return std::string("it cannot be decompressed: ") + ZSTD_getErrorName(size);
    if (size != plain.size()) return fmt::format("it holds {} bytes instead of {}", size, plain.size());
    addHeapNumbers(plain);
    const std::uint64_t checksum = ByteReader(stored.last(kChecksum), "frame").u64();
    return checksum == checksumOf(compressed, id, pageHashes(plain)) ? "" : "its checksum does not fit";
}

}  // namespace tidemark::block
