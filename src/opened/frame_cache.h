#pragma once

#include <list>
#include <map>
#include <memory>
#include <tuple>

#include "base/mutex.h"
#include "block/frame_reader.h"

namespace tidemark::opened {

/// The plain bytes of a frame. Stays as long as somebody has it.
using PlainFrame = std::shared_ptr<const Bytes>;

/// Decoded frames of a set, those that were asked for last. Who asks for one that another is just reading waits for
/// that one. Thread-safe.
class FrameCache {
public:
    /// Holds `bytes` at most, apart from frames that somebody still has. The reader outlives it.
    FrameCache(const block::FrameReader& reader, std::size_t bytes) : reader_(reader), limit_(bytes) {}

    /// Throws what reading it throws (NotFound or Corrupt, naming the object; Unavailable); the next one who asks for
    /// it tries again.
    PlainFrame get(const block::FramePlace& place);

    /// Frames that were read and decoded so far.
    std::uint64_t decoded() const;

private:
    /// Layer, object, offset.
    using FrameKey = std::tuple<std::uint16_t, std::uint32_t, std::uint64_t>;
    struct Entry {
        PlainFrame frame;  ///< null: being read
        std::list<FrameKey>::iterator used;
    };

    void enter(const FrameKey& key, const PlainFrame& frame) REQUIRES(mutex_);

    const block::FrameReader& reader_;
    const std::size_t limit_;
    mutable Mutex mutex_;
    ConditionVariable arrived_;
    std::map<FrameKey, Entry> frames_ GUARDED_BY(mutex_);
    std::list<FrameKey> order_ GUARDED_BY(mutex_);  ///< those that are there, the one used last first
    std::size_t held_ GUARDED_BY(mutex_) = 0;       ///< bytes
    std::uint64_t decoded_ GUARDED_BY(mutex_) = 0;
};

}  // namespace tidemark::opened
