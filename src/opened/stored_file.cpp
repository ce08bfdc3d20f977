#include "opened/stored_file.h"

#include <algorithm>

#include "base/error.h"

namespace tidemark::opened {

using block::kPageSize;

std::size_t StoredFile::bytesOf(std::uint32_t page) const {
    const std::uint64_t begin = std::uint64_t{page} * kPageSize;
    return std::min<std::uint64_t>(kPageSize, size_ - begin);
}

void StoredFile::read(std::uint32_t page, std::span<std::uint8_t> into) {
    const auto map = caches_.maps.get(path_, size_, page);
    const block::PageRun& run = map->runOf(page);
    if (!run.frame) {
        std::fill(into.begin(), into.end(), 0);
        return;
    }
    const block::FramePlace& place = map->file.frames[*run.frame];
    const PlainFrame frame = caches_.frames.get(place);
    const ByteView bytes = ByteView(*frame).subspan(run.offset + (page - run.first_page) * kPageSize, into.size());
    const block::FrameReader& frames = caches_.reader.frames();
    if (!frames.isPage(place.layer, bytes, map->hashOf(run, page))) {
        throw Error(ErrorCode::Corrupt, frames.nameOf(place) + " is damaged: page " + std::to_string(page) + " of " +
                                            path_ + " is not what the index tells");
    }
    std::copy(bytes.begin(), bytes.end(), into.begin());
}

}  // namespace tidemark::opened
