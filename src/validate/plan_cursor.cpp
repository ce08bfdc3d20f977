#include "validate/plan_cursor.h"

#include <algorithm>
#include <map>

namespace tidemark::validate {
namespace {

/// The hashes of a frame's pages, by where they begin in it.
std::map<std::uint32_t, block::PageHash> hashesOf(const block::FrameRecord& frame) {
    std::map<std::uint32_t, block::PageHash> hashes;
    std::uint32_t run_begin = 0;
    auto hash = frame.hashes.begin();
    for (const block::FrameRun& run : frame.runs) {
        for (std::uint32_t at = 0; at < run.bytes; at += block::kPageSize)
            hashes.emplace(run_begin + at, *hash++);
        run_begin += run.bytes;
    }
    return hashes;
}

}  // namespace

std::string contradiction(const block::WantedFrame& wanted, const block::FrameRecord& frame) {
    const block::FramePlace& told = wanted.place;
    if (told.number != frame.place.number || told.stored != frame.place.stored || told.plain != frame.place.plain)
        return "its number or size";
    const auto hashes = hashesOf(frame);
    for (const block::WantedRun& run : wanted.runs) {
        for (std::size_t i = 0; i < run.hashes.size(); ++i) {
            const auto found = hashes.find(static_cast<std::uint32_t>(run.offset + i * block::kPageSize));
            if (found == hashes.end() || found->second != run.hashes[i])
                return "page " + std::to_string(run.first_page + i) + " in it";
        }
    }
    return "";
}

}  // namespace tidemark::validate
