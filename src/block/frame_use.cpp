#include "block/frame_use.h"

#include <array>

#include "base/error.h"

namespace tidemark::block {
namespace {

/// Frames are told apart by how much of them is used in so many steps.
constexpr std::size_t kSteps = 256;

std::size_t stepOf(std::uint32_t used, std::uint32_t plain) {
    return std::min<std::size_t>(std::uint64_t{used} * kSteps / std::max<std::uint32_t>(plain, 1), kSteps - 1);
}

std::uint64_t wordOf(std::uint16_t layer, std::uint32_t number) {
    return (std::uint64_t{layer} << 32 | number) / 64;
}

std::uint64_t bitOf(std::uint32_t number) {
    return std::uint64_t{1} << number % 64;
}

}  // namespace

bool FrameSet::has(std::uint16_t layer, std::uint32_t number) const {
    const auto word = words_.find(wordOf(layer, number));
    return word != words_.end() && (word->second & bitOf(number)) != 0;
}

bool FrameSet::add(std::uint16_t layer, std::uint32_t number) {
    std::uint64_t& word = words_[wordOf(layer, number)];
    const bool is_new = (word & bitOf(number)) == 0;
    word |= bitOf(number);
    return is_new;
}

void FrameUse::add(const FramePlace& frame, std::uint64_t bytes) {
    UsedFrame used;
    frames_.read(frame.layer, frame.number, std::span(&used, 1));
    const bool is_new = used.used == 0;
    const bool contradicts = !is_new && (used.place.object != frame.object || used.place.offset != frame.offset ||
                                         used.place.stored != frame.stored || used.place.plain != frame.plain);
    if (contradicts) {
        throw Error(ErrorCode::Corrupt, "an index contradicts itself about frame " + std::to_string(frame.number) +
                                            " of data file " + std::to_string(frame.object));
    }
    used.place = frame;
    used.used += static_cast<std::uint32_t>(bytes);
    frames_.write(frame.layer, frame.number, std::span<const UsedFrame>(&used, 1));
}

FramePlace FrameUse::place(std::uint16_t layer, std::uint32_t number) const {
    UsedFrame used;
    frames_.read(layer, number, std::span(&used, 1));
    return used.place;
}

template <typename Visit>
void FrameUse::each(Visit visit) const {
    std::array<UsedFrame, kTogether> together;
    for (std::uint32_t layer = 0; layer < frames_.rows(); ++layer) {
        for (std::uint32_t first = 0; first < frames_.end(layer); first += kTogether) {
            frames_.read(layer, first, together);
            for (const UsedFrame& frame : together) {
                if (frame.used > 0) visit(frame);
            }
        }
    }
}

FrameSet FrameUse::leastUsed(double in_vain, std::uint64_t besides) const {
    std::array<double, kSteps> vain{};  // stored bytes
    double all_vain = 0;
    auto all_used = static_cast<double>(besides);
    each([&](const UsedFrame& frame) {
        const double used = static_cast<double>(frame.place.stored) * frame.used / frame.place.plain;
        vain[stepOf(frame.used, frame.place.plain)] += frame.place.stored - used;
        all_vain += frame.place.stored - used;
        all_used += used;
    });
    std::size_t given_up = 0;  // steps below this
    for (; given_up < kSteps && all_vain > in_vain * all_used; ++given_up)
        all_vain -= vain[given_up];
    FrameSet least;
    if (given_up == 0) return least;
    each([&](const UsedFrame& frame) {
        if (stepOf(frame.used, frame.place.plain) < given_up) least.add(frame.place.layer, frame.place.number);
    });
    return least;
}

}  // namespace tidemark::block
