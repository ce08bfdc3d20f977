#include "opened/hydration.h"

#include "base/error.h"

namespace tidemark::opened {
namespace {

using block::kPageSize;

/// Files of the set while they are needed: what is read at a time is mostly of one file.
class OpenFiles {
public:
    explicit OpenFiles(OpenedSet& set) : set_(set) {}
    /// Null if the file was removed.
    OpenedFile* get(std::size_t number) {
        if (number != number_ || !file_) {
            file_ = set_.file(number);
            number_ = number;
        }
        return file_.get();
    }

private:
    OpenedSet& set_;
    std::size_t number_ = 0;
    std::shared_ptr<OpenedFile> file_;
};

bool isWanted(const block::WantedFrame& frame, OpenFiles& files) {
    for (const block::WantedRun& run : frame.runs) {
        const OpenedFile* file = files.get(run.file);
        for (std::uint32_t i = 0; file != nullptr && i < block::partsOf(run.bytes, kPageSize); ++i) {
            if (file->isMissing(run.first_page + i)) return true;
        }
    }
    return false;
}

std::uint32_t offerRun(const block::WantedRun& run, ByteView frame, OpenFiles& files) {
    OpenedFile* file = files.get(run.file);
    if (file == nullptr) return 0;
    const ByteView bytes = frame.subspan(run.offset, run.bytes);
    std::uint32_t made = 0;
    for (std::uint32_t i = 0; i < block::partsOf(run.bytes, kPageSize); ++i) {
        const std::size_t at = i * kPageSize;
        made += file->offer(run.first_page + i, bytes.subspan(at, std::min(kPageSize, bytes.size() - at)));
    }
    return made;
}

void fetchZeros(OpenedSet& set, const block::BlockReader& reader, HydrationProgress& progress) {
    OpenFiles files(set);
    std::size_t begun = 0;
    reader.index().eachMap([&](const block::FileMap& map) {
        begun += map.first_page == 0 ? 1 : 0;
        OpenedFile* file = files.get(begun - 1);
        for (const block::PageRun& run : map.runs) {
            if (file != nullptr && !run.frame) progress.pages += file->offerZeros(run.first_page, run.pages);
        }
    });
}

}  // namespace

void hydrate(OpenedSet& set, const block::BlockReader& reader, block::MemoryShare& memory,
             const HydrationOptions& options, HydrationProgress& progress, const std::stop_token& stop) {
    block::ReadPlan plan(reader.index(), options.scratch);
    const block::Buffer buffer = memory.take(stop);
    block::Codec codec;
    OpenFiles files(set);
    for (auto frames = plan.next(); !frames.empty(); frames = plan.next()) {
        if (stop.stop_requested()) throw Error(ErrorCode::Cancelled, "cancelled");
        // What is read at a time lies side by side: from the first frame that is wanted to the last one.
        while (!frames.empty() && !isWanted(frames.back(), files))
            frames.pop_back();
        const auto first = std::find_if(frames.begin(), frames.end(), [&](const auto& one) { return isWanted(one, files); });
        frames.erase(frames.begin(), first);
        if (frames.empty()) continue;
        const std::uint64_t bytes =
            frames.back().place.offset + frames.back().place.stored - frames.front().place.offset;
        options.throttle(bytes);
        reader.frames().read(frames, buffer);
        progress.read_bytes += bytes;
        ByteView plain = reader.frames().decode(frames, buffer, codec, plan.files());
        for (const block::WantedFrame& frame : frames) {
            for (const block::WantedRun& run : frame.runs)
                progress.pages += offerRun(run, plain, files);
            plain = plain.subspan(frame.place.plain);
        }
    }
    fetchZeros(set, reader, progress);
    set.sync();
}

}  // namespace tidemark::opened
