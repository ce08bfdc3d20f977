#include "opened/map_cache.h"

#include <algorithm>
#include <tuple>

#include "base/error.h"

namespace tidemark::opened {

PageLookup::PageLookup(block::FileMap map) : file(std::move(map)) {
    std::uint32_t hashes = 0;
    first_hashes.reserve(file.runs.size());
    for (const block::PageRun& run : file.runs) {
        first_hashes.push_back(hashes);
        hashes += run.frame ? run.pages : 0;
    }
}

const block::PageRun& PageLookup::runOf(std::uint32_t page) const {
    const auto behind =
        std::upper_bound(file.runs.begin(), file.runs.end(), page,
                         [](std::uint32_t wanted, const block::PageRun& one) { return wanted < one.first_page; });
    return *(behind - 1);
}

const block::PageHash& PageLookup::hashOf(const block::PageRun& run, std::uint32_t page) const {
    const auto number = static_cast<std::size_t>(&run - file.runs.data());
    return file.hashes[first_hashes[number] + (page - run.first_page)];
}

std::size_t PageLookup::bytes() const {
    return sizeof(*this) + file.path.size() + file.frames.size() * sizeof(file.frames[0]) +
           file.runs.size() * (sizeof(file.runs[0]) + sizeof(first_hashes[0])) +
           file.hashes.size() * sizeof(file.hashes[0]);
}

MapCache::Group MapCache::read(std::size_t number) const {
    Group group;
    for (block::FileMap& map : index_.group(number))
        group.emplace_back(std::move(map));
    return group;
}

std::shared_ptr<const PageLookup> MapCache::get(const std::string& path, std::uint64_t size, std::uint32_t page) {
    const std::size_t number = index_.groupOf(path, page);
    const auto bytes = [](const Group& group) {
        std::size_t sum = 0;
        for (const PageLookup& one : group)
            sum += one.bytes();
        return sum;
    };
    const auto group = groups_.get(
        number, [&] { return read(number); }, bytes);
    const auto behind = std::upper_bound(group->begin(), group->end(), std::tie(path, page),
                                         [](const auto& wanted, const PageLookup& one) {
                                             return wanted < std::tie(one.file.path, one.file.first_page);
                                         });
    const PageLookup* found = behind == group->begin() ? nullptr : &*(behind - 1);
    if (found == nullptr || found->file.path != path || found->file.size != size ||
        page - found->file.first_page >= found->file.pages) {
        throw Error(ErrorCode::Corrupt,
                    index_.name() + ": page " + std::to_string(page) + " of " + path + " is not told");
    }
    return {group, found};
}

}  // namespace tidemark::opened
