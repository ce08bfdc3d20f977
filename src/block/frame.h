#pragma once

#include <memory>
#include <span>
#include <string>

#include "base/bytes.h"
#include "block/layer_key.h"
#include "block/page.h"

struct ZSTD_CCtx_s;
struct ZSTD_DCtx_s;

namespace tidemark::block {

/// A frame is what decodes alone: up to 256 KiB of pages, filtered (page_filter.h) as one zstd frame, encrypted if its
/// layer is, and followed by its seal.
///
/// Compresses frames. One per thread.
class FrameEncoder {
public:
    FrameEncoder();
    ~FrameEncoder();
    FrameEncoder(const FrameEncoder&) = delete;
    FrameEncoder& operator=(const FrameEncoder&) = delete;

    /// Writes the stored form of `plain` (at most 256 KiB, changed by this) to the beginning of `stored`, which has
    /// room for largestFrame() bytes, and returns its size.
    std::uint32_t encode(std::span<std::uint8_t> plain, const PartId& id, const LayerKey& key,
                         std::span<std::uint8_t> stored);

    /// No frame is stored larger than this.
    static std::size_t largestFrame();

private:
    std::unique_ptr<ZSTD_CCtx_s, void (*)(ZSTD_CCtx_s*)> context_;
};

/// Decodes frames. One per thread.
class FrameDecoder {
public:
    FrameDecoder();
    ~FrameDecoder();
    FrameDecoder(const FrameDecoder&) = delete;
    FrameDecoder& operator=(const FrameDecoder&) = delete;

    /// Fills `plain` exactly; changes `stored`. Returns an empty string, or what is wrong with the frame.
    std::string decode(std::span<std::uint8_t> stored, const PartId& id, const LayerKey& key,
                       std::span<std::uint8_t> plain);

private:
    std::unique_ptr<ZSTD_DCtx_s, void (*)(ZSTD_DCtx_s*)> context_;
};

}  // namespace tidemark::block
