#include "block/page_holes.h"

#include <algorithm>

#include "block/page.h"

namespace tidemark::block {
namespace {

constexpr std::size_t kTypeOffset = 24;
constexpr std::uint8_t kCompressed = 0x80;

bool isZeros(ByteView bytes) {
    return std::all_of(bytes.begin(), bytes.end(), [](std::uint8_t byte) { return byte == 0; });
}

}  // namespace

std::size_t sizeBeforeHole(ByteView page) {
    if (page.size() != kPageSize || (page[kTypeOffset] & kCompressed) == 0) return page.size();
    std::size_t size = page.size();
    while (size > kHoleBlock && isZeros(page.subspan(size - kHoleBlock, kHoleBlock)))
        size -= kHoleBlock;
    return size;
}

bool eachPartOutsideHoles(ByteView bytes, const std::function<void(std::size_t offset, ByteView part)>& write) {
    std::size_t begin = 0;
    bool holes = false;
    for (std::size_t at = 0; at < bytes.size(); at += kPageSize) {
        const ByteView page = bytes.subspan(at, std::min(kPageSize, bytes.size() - at));
        const std::size_t size = sizeBeforeHole(page);
        if (size == page.size()) continue;
        write(begin, bytes.subspan(begin, at + size - begin));
        begin = at + page.size();
        holes = true;
    }
    if (begin < bytes.size()) write(begin, bytes.subspan(begin));
    return holes;
}

}  // namespace tidemark::block
