#include "block/codec.h"

#include <algorithm>

#include "base/error.h"

namespace tidemark::block {

Codec::Codec() : frame_(FrameEncoder::largestFrame()) {
    if (kMostFrames * (FrameEncoder::largestFrame() - kFrameSize) > Buffer::kHeadroom) {
        throw Error(ErrorCode::Internal, "zstd may make a frame larger than there is room for");
    }
}

void Codec::encode(const Buffer& buffer, std::span<BufferedFrame> frames, const LayerKey& key) {
    const std::span<std::uint8_t> all = buffer.all();
    std::size_t stored = 0;
    std::size_t at = Buffer::kHeadroom;
    for (BufferedFrame& frame : frames) {
        const auto plain = all.subspan(at, frame.plain);
        const std::size_t room = at - stored;
        if (room >= frame_.size()) {
            frame.stored = encoder_.encode(plain, frame.id, key, all.subspan(stored, room));
        } else {
            frame.stored = encoder_.encode(plain, frame.id, key, frame_);
            std::copy_n(frame_.begin(), frame.stored, all.begin() + static_cast<std::ptrdiff_t>(stored));
        }
        stored += frame.stored;
        at += frame.plain;
    }
}

std::optional<Codec::Damage> Codec::decode(const Buffer& buffer, std::span<const BufferedFrame> frames,
                                           const LayerKey& key) {
    const std::span<std::uint8_t> all = buffer.all();
    std::size_t at = Buffer::kSize;
    for (const BufferedFrame& frame : frames)
        at -= frame.stored;
    std::size_t begin = 0;
    for (std::size_t i = 0; i < frames.size(); ++i) {
        const auto plain = all.subspan(begin, frames[i].plain);
        const bool direct = begin + plain.size() <= at;
        const auto into = direct ? plain : std::span(frame_).first(plain.size());
        std::string problem = decoder_.decode(all.subspan(at, frames[i].stored), frames[i].id, key, into);
        if (!problem.empty()) return Damage{i, std::move(problem)};
        // A frame grows by little: what is behind this one is not reached.
        at += frames[i].stored;
        if (!direct) std::copy(into.begin(), into.end(), plain.begin());
        begin += plain.size();
    }
    return std::nullopt;
}

}  // namespace tidemark::block
