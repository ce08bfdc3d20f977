#pragma once

#include <optional>
#include <string>

#include "block/frame.h"
#include "block/macro_block.h"
#include "block/memory_budget.h"

namespace tidemark::block {

/// Turns whole macro blocks into their stored form and back, in the buffer they lie in: two buffers per block would
/// cost twice the memory, and the cache. One per worker: zstd's tables are what it keeps between blocks.
///
/// Going on frame by frame, what is written never overtakes what is still to be read: a frame grows by no more than
/// Buffer::kHeadroom / kFramesPerBlock.
class Codec {
public:
    Codec();

    /// Where the plain bytes of a block are filled in that is to be encoded: kMacroBlockSize of them.
    static std::span<std::uint8_t> plain(const Buffer& buffer) { return buffer.all().subspan(Buffer::kHeadroom); }
    /// Encodes entry.plain_size bytes; the stored form begins where the buffer begins, entry.storedSize() bytes. Fills
    /// entry.frames; appends the hashes of all pages.
    void encode(const Buffer& buffer, std::uint32_t set_id, BlockEntry& entry, Bytes& hashes);

    /// Where the stored form of a block is filled in that is to be decoded.
    static std::span<std::uint8_t> stored(const Buffer& buffer, const BlockEntry& entry) {
        return buffer.all().last(entry.storedSize());
    }
    struct Damage {
        std::size_t frame;
        std::string what;
    };
    /// Decodes and verifies; the plain bytes begin where the buffer begins. Returns what is wrong, if anything is.
    std::optional<Damage> decode(const Buffer& buffer, std::uint32_t set_id, const BlockEntry& entry);

private:
    FrameEncoder encoder_;
    FrameDecoder decoder_;
    Bytes frame_;  ///< one that does not fit yet where it is to lie
};

}  // namespace tidemark::block
