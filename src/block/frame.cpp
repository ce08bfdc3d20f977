#include "block/frame.h"

#include <fmt/format.h>
#include <zstd.h>

#include "base/error.h"
#include "block/page_filter.h"

namespace tidemark::block {
namespace {

// Level 1 is the knee on real and on synthetic tables: level 3 costs 1.9 times the CPU for 4 % of the size.
constexpr int kLevel = 1;

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
    return ZSTD_compressBound(kFrameSize) + kLargestSeal;
}

std::uint32_t FrameEncoder::encode(std::span<std::uint8_t> plain, const PartId& id, const LayerKey& key,
                                   std::span<std::uint8_t> stored) {
    subtractHeapNumbers(plain);
    const std::size_t size =
        ZSTD_compress2(context_.get(), stored.data(), stored.size() - key.sealSize(), plain.data(), plain.size());
    if (ZSTD_isError(size)) {
        throw Error(ErrorCode::Internal, std::string("compressing a frame: ") + ZSTD_getErrorName(size));
    }
    key.seal(id, stored.first(size), stored.subspan(size, key.sealSize()));
    return static_cast<std::uint32_t>(size + key.sealSize());
}

FrameDecoder::FrameDecoder()
    : context_(require<ZSTD_DCtx>(ZSTD_createDCtx(), [](ZSTD_DCtx* context) { ZSTD_freeDCtx(context); })) {}

FrameDecoder::~FrameDecoder() = default;

std::string FrameDecoder::decode(std::span<std::uint8_t> stored, const PartId& id, const LayerKey& key,
                                 std::span<std::uint8_t> plain) {
    const auto compressed = key.open(id, stored);
    if (!compressed) return "its checksum does not fit";
    const std::size_t size =
        ZSTD_decompressDCtx(context_.get(), plain.data(), plain.size(), compressed->data(), compressed->size());
    if (ZSTD_isError(size)) return std::string("it cannot be decompressed: ") + ZSTD_getErrorName(size);
    if (size != plain.size()) return fmt::format("it holds {} bytes instead of {}", size, plain.size());
    addHeapNumbers(plain);
    return "";
}

}  // namespace tidemark::block
