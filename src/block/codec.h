#pragma once

#include <optional>
#include <string>
#include <vector>

#include "block/frame.h"
#include "block/memory_budget.h"

namespace tidemark::block {

/// A frame in a buffer.
struct BufferedFrame {
    PartId id;
    std::uint32_t stored = 0;  ///< bytes, with the seal
    std::uint32_t plain = 0;   ///< bytes
};

/// Turns the frames in a buffer into their stored form and back, in place: two buffers would cost twice the memory, and
/// the cache. One per worker: zstd's tables are what it keeps between frames.
///
/// Going on frame by frame, what is written never overtakes what is still to be read: a frame grows by no more than
/// Buffer::kHeadroom / kMostFrames.
class Codec {
public:
    /// In one buffer.
    static constexpr std::size_t kMostFrames = kMacroBlockSize / kFrameSize;

    Codec();

    /// Where the plain bytes are filled in that are to be encoded: kMacroBlockSize of them.
    static std::span<std::uint8_t> plain(const Buffer& buffer) { return buffer.all().subspan(Buffer::kHeadroom); }
    /// Encodes frames of a layer that lie there one after another; their stored form begins where the buffer begins.
    /// Fills `stored` of each.
    void encode(const Buffer& buffer, std::span<BufferedFrame> frames, const LayerKey& key);

    /// Where the stored form is filled in of frames that are to be decoded, one after another.
    static std::span<std::uint8_t> stored(const Buffer& buffer, std::size_t bytes) { return buffer.all().last(bytes); }
    struct Damage {
        std::size_t frame;
        std::string what;
    };
    /// Decodes them; their plain bytes begin where the buffer begins. Returns what is wrong, if anything is.
    std::optional<Damage> decode(const Buffer& buffer, std::span<const BufferedFrame> frames, const LayerKey& key);

private:
    FrameEncoder encoder_;
    FrameDecoder decoder_;
    Bytes frame_;  ///< one that does not fit yet where it is to lie
};

}  // namespace tidemark::block
