#pragma once

#include <memory>
#include <tuple>

#include "block/frame_reader.h"
#include "opened/shared_cache.h"

namespace tidemark::opened {

/// The plain bytes of a frame. Stays as long as somebody has it.
using PlainFrame = std::shared_ptr<const Bytes>;

/// Decoded frames of a set, those that were asked for last. Thread-safe.
class FrameCache {
public:
    /// Holds `bytes` at most, apart from frames that somebody still has. The reader outlives it.
    FrameCache(const block::FrameReader& reader, std::size_t bytes) : reader_(reader), frames_(bytes) {}

    /// Throws what reading it throws (NotFound or Corrupt, naming the object; Unavailable); the next one who asks for
    /// it tries again.
    PlainFrame get(const block::FramePlace& place) {
        return frames_.get(
            {place.layer, place.object, place.offset}, [&] { return reader_.readOne(place); },
            [](const Bytes& frame) { return frame.size(); });
    }

    /// Frames that were read and decoded so far.
    std::uint64_t decoded() const { return frames_.reads(); }

private:
    using FrameKey = std::tuple<std::uint16_t, std::uint32_t, std::uint64_t>;  ///< layer, object, offset

    const block::FrameReader& reader_;
    SharedCache<FrameKey, Bytes> frames_;
};

}  // namespace tidemark::opened
