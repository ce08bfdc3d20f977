#include "opened/stored_file.h"

#include <algorithm>

#include "base/error.h"

namespace tidemark::opened {

using block::kPageSize;

std::size_t StoredFile::bytesOf(std::uint32_t page) const {
    const std::uint64_t begin = std::uint64_t{page} * kPageSize;
    return std::min<std::uint64_t>(kPageSize, size_ - begin);
}

void StoredFile::fail(const std::string& what) const {
    throw Error(ErrorCode::Corrupt, reader_.index().name() + ": " + what);
}

std::shared_ptr<const StoredFile::Maps> StoredFile::maps() {
    const MutexLock lock(mutex_);
    if (maps_) return maps_;
    auto maps = std::make_shared<Maps>();
    std::uint32_t next = 0;
    for (block::FileMap& file : reader_.index().find(path_)) {
        if (file.size != size_ || file.first_page != next) fail(path_ + " is not told whole");
        next += file.pages;
        Map map{.file = std::move(file)};
        std::uint32_t hashes = 0;
        for (const block::PageRun& run : map.file.runs) {
            map.first_hashes.push_back(hashes);
            hashes += run.frame ? run.pages : 0;
        }
        maps->push_back(std::move(map));
    }
    if (next != pages()) fail(path_ + " is not told whole");
    maps_ = std::move(maps);
    return maps_;
}

void StoredFile::read(std::uint32_t page, std::span<std::uint8_t> into) {
    const auto maps = this->maps();
    const auto map =
        std::upper_bound(maps->begin(), maps->end(), page,
                         [](std::uint32_t wanted, const Map& one) { return wanted < one.file.first_page; }) -
        1;
    const auto& runs = map->file.runs;
    const auto run = std::upper_bound(runs.begin(), runs.end(), page,
                                      [](std::uint32_t wanted, const auto& one) { return wanted < one.first_page; }) -
                     1;
    if (!run->frame) {
        std::fill(into.begin(), into.end(), 0);
        return;
    }
    const block::FramePlace& place = map->file.frames[*run->frame];
    const PlainFrame frame = cache_.get(place);
    const std::size_t in_run = page - run->first_page;
    const ByteView bytes = ByteView(*frame).subspan(run->offset + in_run * kPageSize, into.size());
    const std::uint32_t hash = map->first_hashes[static_cast<std::size_t>(run - runs.begin())];
    if (!reader_.frames().isPage(place.layer, bytes, map->file.hashes[hash + in_run])) {
        throw Error(ErrorCode::Corrupt, reader_.frames().nameOf(place) + " is damaged: page " + std::to_string(page) +
                                            " of " + path_ + " is not what the index tells");
    }
    std::copy(bytes.begin(), bytes.end(), into.begin());
}

}  // namespace tidemark::opened
