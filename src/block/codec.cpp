#include "block/codec.h"

#include <algorithm>

#include "base/error.h"

namespace tidemark::block {

Codec::Codec() : frame_(FrameEncoder::largestFrame()) {
    if (kFramesPerBlock * (FrameEncoder::largestFrame() - kFrameSize) > Buffer::kHeadroom) {
        throw Error(ErrorCode::Internal, "zstd may make a frame larger than there is room for");
    }
}

void Codec::encode(const Buffer& buffer, std::uint32_t set_id, BlockEntry& entry, Bytes& hashes) {
    const std::span<std::uint8_t> all = buffer.all();
    std::size_t stored = 0;
    for (std::uint32_t frame = 0; frame < entry.frameCount(); ++frame) {
        const std::size_t at = frame * kFrameSize;
        const auto plain = Codec::plain(buffer).subspan(at, std::min(kFrameSize, entry.plain_size - at));
        const std::size_t room = Buffer::kHeadroom + at - stored;
        const FrameId id{set_id, entry.id, frame};
        if (room >= frame_.size()) {
            entry.frames[frame] = encoder_.encode(plain, id, all.subspan(stored, room), hashes);
        } else {
            entry.frames[frame] = encoder_.encode(plain, id, frame_, hashes);
            std::copy_n(frame_.begin(), entry.frames[frame], all.begin() + static_cast<std::ptrdiff_t>(stored));
        }
        stored += entry.frames[frame];
    }
}

std::optional<Codec::Damage> Codec::decode(const Buffer& buffer, std::uint32_t set_id, const BlockEntry& entry) {
    const std::span<std::uint8_t> all = buffer.all();
    std::size_t at = Buffer::kSize - entry.storedSize();
    for (std::uint32_t frame = 0; frame < entry.frameCount(); ++frame) {
        const std::size_t begin = frame * kFrameSize;
        const auto plain = all.subspan(begin, std::min(kFrameSize, entry.plain_size - begin));
        const bool direct = begin + plain.size() <= at;
        const auto into = direct ? plain : std::span(frame_).first(plain.size());
        std::string problem = decoder_.decode(all.subspan(at, entry.frames[frame]), {set_id, entry.id, frame}, into);
        if (!problem.empty()) return Damage{frame, std::move(problem)};
        if (!direct) std::copy(into.begin(), into.end(), plain.begin());
        at += entry.frames[frame];
    }
    return std::nullopt;
}

}  // namespace tidemark::block
