#include "block/block_pages.h"

#include <algorithm>
#include <cstring>
#include <map>

namespace tidemark::block {
namespace {

bool isZero(ByteView bytes) {
    return bytes.front() == 0 && std::equal(bytes.begin() + 1, bytes.end(), bytes.begin());
}

/// Whether a page is as it was before.
bool isKept(const PlainBlock& block, const PackedPage& page) {
    const PageEntry& entry = block.before[page.number % kPagesPerBlock];
    return entry.place.layer != Place::kNowhere && entry.hash == page.hash && entry.size == page.size;
}

/// Of frames that lie in this block for the most part, and of which no more than half is left, the rest is stored again
/// while it is at hand: a restore would have to read all of such a frame for it.
class WornFrames {
public:
    explicit WornFrames(const PlainBlock& block) {
        for (const PageEntry& entry : block.before) {
            if (entry.place.layer != Place::kNowhere) ++pages_[{entry.place.layer, entry.place.frame}].before;
        }
    }
    void addKept(const PageEntry& entry) { ++pages_[{entry.place.layer, entry.place.frame}].kept; }
    bool has(const PageEntry& entry) const {
        const Pages& pages = pages_.at({entry.place.layer, entry.place.frame});
        return pages.before > kPagesPerFrame / 2 && 2 * pages.kept <= pages.before;
    }

private:
    struct Pages {
        std::size_t before = 0;
        std::size_t kept = 0;
    };
    std::map<std::pair<std::uint16_t, std::uint32_t>, Pages> pages_;
};

/// The pages that are no zeros, in order; the numbers of the others go to `zeros`.
std::vector<PackedPage> hashPages(const PlainBlock& block, const LayerKey& key, std::vector<std::uint32_t>& zeros) {
    const ByteView plain = Codec::plain(block.buffer).first(block.size);
    std::vector<PackedPage> pages;
    for (std::size_t at = 0; at < plain.size(); at += kPageSize) {
        const auto page = plain.subspan(at, std::min(kPageSize, plain.size() - at));
        const auto number = static_cast<std::uint32_t>(block.number * kPagesPerBlock + at / kPageSize);
        if (isZero(page))
            zeros.push_back(number);
        else
            pages.push_back({block.file, number, static_cast<std::uint32_t>(page.size()), key.hashOf(page)});
    }
    return pages;
}

void moveTogether(const PlainBlock& block, const std::vector<PackedPage>& pages) {
    std::uint8_t* const plain = Codec::plain(block.buffer).data();
    std::size_t end = 0;
    for (const PackedPage& page : pages) {
        const std::size_t at = page.number % kPagesPerBlock * kPageSize;
        if (end != at) std::memmove(plain + end, plain + at, page.size);
        end += page.size;
    }
}

}  // namespace

BlockPages dividePages(const PlainBlock& block, const LayerKey& key) {
    BlockPages divided;
    std::vector<PackedPage> pages = hashPages(block, key, divided.zeros);
    if (block.before.empty()) {
        divided.stored = std::move(pages);
    } else {
        const auto entryOf = [&](const PackedPage& page) -> const PageEntry& {
            return block.before[page.number % kPagesPerBlock];
        };
        WornFrames worn(block);
        for (const PackedPage& page : pages) {
            if (isKept(block, page)) worn.addKept(entryOf(page));
        }
        for (const PackedPage& page : pages) {
            if (isKept(block, page) && !worn.has(entryOf(page)))
                divided.kept.push_back({page.number, entryOf(page)});
            else
                divided.stored.push_back(page);
        }
    }
    moveTogether(block, divided.stored);
    return divided;
}

}  // namespace tidemark::block
