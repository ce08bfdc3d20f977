#pragma once

#include <unordered_map>

#include "block/page.h"
#include "block/scratch_table.h"

namespace tidemark::block {

/// Frames, by layer and number. Takes memory for those alone that it has, for numbers may come from outside.
class FrameSet {
public:
    bool empty() const { return words_.empty(); }
    bool has(std::uint16_t layer, std::uint32_t number) const;
    /// Whether it is new.
    bool add(std::uint16_t layer, std::uint32_t number);

private:
    std::unordered_map<std::uint64_t, std::uint64_t> words_;  ///< 64 numbers of a layer in each
};

/// How much of each frame a set uses, in a scratch file: 40 bytes per frame. Used by one thread, but for place().
class FrameUse {
public:
    explicit FrameUse(const std::filesystem::path& scratch) : frames_(scratch) {}

    /// The set uses `bytes` of its plain bytes, besides those told of before. Throws Corrupt if it lies elsewhere than
    /// it was told before.
    void add(const FramePlace& frame, std::uint64_t bytes);
    /// Any thread, when nothing is added any more.
    FramePlace place(std::uint16_t layer, std::uint32_t number) const;

    /// Those of which least is used: so many, that of what is read of the others for the sake of what is used, no more
    /// than this part is read in vain. `besides`: bytes that are read and used anyway.
    FrameSet leastUsed(double in_vain, std::uint64_t besides = 0) const;

private:
    static constexpr std::size_t kTogether = 128;
    struct UsedFrame {
        FramePlace place;
        std::uint32_t used = 0;  ///< bytes
    };

    /// Calls `visit` with every frame that is used.
    template <typename Visit>
    void each(Visit visit) const;

    ScratchTable<UsedFrame, kTogether> frames_;
};

}  // namespace tidemark::block
