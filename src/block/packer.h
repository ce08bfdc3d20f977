#pragma once

#include <cstring>
#include <vector>

#include "block/codec.h"

namespace tidemark::block {

/// A page on its way into a frame.
struct PackedPage {
    FileNumber file = 0;
    std::uint32_t number = 0;
    std::uint32_t size = 0;  ///< kPageSize, or less for the last one of a file
    PageHash hash;
};

/// Pages that lie in a buffer one after another (Codec::plain), parted into frames.
struct PackedPages {
    Buffer buffer;
    std::vector<PackedPage> pages;
    std::vector<std::uint32_t> frames;  ///< how many of the pages each has
};

/// Collects pages that are too few for a frame of their own, of whatever files, in a buffer of its own. Used by one
/// thread.
class Packer {
public:
    /// So many small pages may share a frame.
    static constexpr std::uint32_t kMostPages = 4096;

    explicit Packer(Buffer buffer) { packed_.buffer = std::move(buffer); }

    /// False if there is no room for it.
    bool add(const PackedPage& page, ByteView bytes) {
        if (!makeRoom(page.size)) return false;
        std::memcpy(Codec::plain(packed_.buffer).data() + used_, bytes.data(), page.size);
        used_ += page.size;
        frame_used_ += page.size;
        packed_.pages.push_back(page);
        ++packed_.frames.back();
        return true;
    }
    const PackedPages& packed() const { return packed_; }
    void clear() {
        packed_.pages.clear();
        packed_.frames.clear();
        used_ = frame_used_ = 0;
    }

private:
    bool makeRoom(std::uint32_t size) {
        const bool fits =
            !packed_.frames.empty() && frame_used_ + size <= kFrameSize && packed_.frames.back() < kMostPages;
        if (fits) return true;
        if (packed_.frames.size() == Codec::kMostFrames) return false;
        packed_.frames.push_back(0);
        frame_used_ = 0;
        return true;
    }

    PackedPages packed_;
    std::size_t used_ = 0;
    std::size_t frame_used_ = 0;  ///< of its last frame
};

}  // namespace tidemark::block
