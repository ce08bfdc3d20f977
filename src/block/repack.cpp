#include "block/repack.h"

namespace tidemark::block {
namespace {

/// A little below what is promised, for shares of frames are told in steps, and bytes of pages are estimated.
constexpr double kMostInVain = 0.095;

/// Calls `visit` with each page that lies in an earlier set: position of its file, number, bytes, entry.
template <typename Visit>
void eachKeptPage(const PageTable& pages, const std::vector<StoredFile>& files, Visit visit) {
    std::vector<PageEntry> entries;
    for (std::uint32_t file = 0; file < files.size(); ++file) {
        const std::uint64_t count = partsOf(files[file].size, kPageSize);
        for (std::uint64_t first = 0; first < count; first += entries.size()) {
            entries.resize(std::min<std::uint64_t>(count - first, kPagesPerMap));
            pages.read(files[file].number, static_cast<std::uint32_t>(first), entries);
            for (std::size_t i = 0; i < entries.size(); ++i) {
                const std::uint16_t layer = entries[i].place.layer;
                if (layer == 0 || layer == Place::kZeros || layer == Place::kNowhere) continue;
                const std::uint64_t bytes = std::min<std::uint64_t>(files[file].size - (first + i) * kPageSize, kPageSize);
                visit(file, static_cast<std::uint32_t>(first + i), static_cast<std::uint32_t>(bytes), entries[i]);
            }
        }
    }
}

}  // namespace

ReadPlan planRepack(const KnownPages& known, const PageTable& pages, const std::vector<StoredFile>& files,
                    std::uint64_t own, const std::filesystem::path& scratch) {
    FrameUse use(scratch);
    eachKeptPage(pages, files, [&](std::uint32_t, std::uint32_t, std::uint32_t bytes, const PageEntry& entry) {
        use.add(known.frame(entry.place.layer, entry.place.frame), bytes);
    });
    ReadPlan plan("the set that a backup leans on", files, scratch);
    const FrameSet least = use.leastUsed(kMostInVain, own);
    if (least.empty()) return plan;
    eachKeptPage(pages, files,
                 [&](std::uint32_t file, std::uint32_t page, std::uint32_t bytes, const PageEntry& entry) {
                     if (!least.has(entry.place.layer, entry.place.frame)) return;
                     plan.add(use.place(entry.place.layer, entry.place.frame), {.file = file,
                                                                                .first_page = page,
                                                                                .bytes = bytes,
                                                                                .offset = entry.place.offset,
                                                                                .hashes = {entry.hash}});
                 });
    return plan;
}

}  // namespace tidemark::block
