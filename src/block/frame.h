#pragma once

#include <memory>
#include <span>
#include <string>

#include "base/bytes.h"
#include "block/macro_block.h"

struct ZSTD_CCtx_s;
struct ZSTD_DCtx_s;

namespace tidemark::block {

/// A frame is what decodes alone: up to 256 KiB of a file, filtered (page_filter.h) as one zstd frame, followed by the
/// XXH3 of the stored bytes. The checksum is seeded with where the frame belongs and with the hashes of its pages, so
/// that neither a frame found in another's place passes for it, nor one that decodes to other bytes than were read.
struct FrameId {
    std::uint32_t set_id = 0;
    BlockId block;
    std::uint32_t number = 0;  ///< within the block
};

/// Compresses frames. One per thread.
class FrameEncoder {
public:
    FrameEncoder();
    ~FrameEncoder();
    FrameEncoder(const FrameEncoder&) = delete;
    FrameEncoder& operator=(const FrameEncoder&) = delete;

    /// Writes the stored form of `plain` (at most 256 KiB, changed by this) to the beginning of `stored`, which has
    /// room for largestFrame() bytes, and returns its size. Appends the hashes of its pages, kPageHashSize bytes each.
    std::uint32_t encode(std::span<std::uint8_t> plain, const FrameId& id, std::span<std::uint8_t> stored,
                         Bytes& hashes);

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

    /// Fills `plain` exactly. Returns an empty string, or what is wrong with the frame.
    std::string decode(ByteView stored, const FrameId& id, std::span<std::uint8_t> plain);

private:
    std::unique_ptr<ZSTD_DCtx_s, void (*)(ZSTD_DCtx_s*)> context_;
};

}  // namespace tidemark::block
