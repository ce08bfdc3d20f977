#include "block/repack.h"

#include "block/page_map.h"

namespace tidemark::block {
namespace {

/// A little below what is promised, for shares of frames are told in steps, and bytes of pages are estimated.
constexpr double kMostInVain = 0.095;

/// Pages that follow each other in a file and in a frame of an earlier set.
struct KeptRun {
    WantedRun run;
    std::uint16_t layer = 0;
    std::uint32_t frame = 0;
};

/// Calls `visit` with all there are.
template <typename Visit>
class KeptRuns {
public:
    explicit KeptRuns(Visit visit) : visit_(std::move(visit)) {}

    void add(std::uint32_t file, std::uint32_t page, const PageEntry& entry) {
        const WantedRun& run = kept_.run;
        const bool goes_on = !run.hashes.empty() && run.file == file && run.first_page + run.hashes.size() == page &&
                             kept_.layer == entry.place.layer && kept_.frame == entry.place.frame &&
                             run.offset + run.bytes == entry.place.offset;
        if (!goes_on) {
            finish();
            kept_ = {{.file = file, .first_page = page, .bytes = 0, .offset = entry.place.offset, .hashes = {}},
                     entry.place.layer,
                     entry.place.frame};
        }
        kept_.run.bytes += entry.size;
        kept_.run.hashes.push_back(entry.hash);
    }
    void finish() {
        if (!kept_.run.hashes.empty()) visit_(kept_);
        kept_ = {};
    }

private:
    Visit visit_;
    KeptRun kept_;
};

template <typename Visit>
void eachKeptRun(const PageTable& pages, const std::vector<StoredFile>& files, const std::stop_token& stop,
                 Visit visit) {
    KeptRuns runs(visit);
    eachPart(pages, files, stop, [&](std::uint32_t file, std::uint32_t first, std::span<const PageEntry> entries) {
        for (std::size_t i = 0; i < entries.size(); ++i) {
            const std::uint16_t layer = entries[i].place.layer;
            if (layer == 0 || layer == Place::kZeros || layer == Place::kNowhere) continue;
            runs.add(file, first + static_cast<std::uint32_t>(i), entries[i]);
        }
    });
    runs.finish();
}

}  // namespace

ReadPlan planRepack(const KnownPages& known, const PageTable& pages, const std::vector<StoredFile>& files,
                    std::uint64_t own, const std::filesystem::path& scratch, const std::stop_token& stop) {
    FrameUse use(scratch);
    eachKeptRun(pages, files, stop,
                [&](const KeptRun& kept) { use.add(known.frame(kept.layer, kept.frame), kept.run.bytes); });
    ReadPlan plan("the set that a backup leans on", files, scratch);
    const FrameSet least = use.leastUsed(kMostInVain, own);
    if (least.empty()) return plan;
    eachKeptRun(pages, files, stop, [&](const KeptRun& kept) {
        if (least.has(kept.layer, kept.frame)) plan.add(use.place(kept.layer, kept.frame), kept.run);
    });
    return plan;
}

}  // namespace tidemark::block
