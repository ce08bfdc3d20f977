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

/// What lies side by side, from the first frame that is wanted to the last one.
void dropUnwanted(block::WantedFrames& frames, OpenFiles& files) {
    while (!frames.empty() && !isWanted(frames.back(), files))
        frames.pop_back();
    const auto first =
        std::find_if(frames.begin(), frames.end(), [&](const auto& one) { return isWanted(one, files); });
    frames.erase(frames.begin(), first);
}

class Hydration {
public:
    Hydration(OpenedSet& set, const block::BlockReader& reader, block::MemoryShare& memory,
              const HydrationOptions& options, HydrationProgress& progress, const std::stop_token& stop)
        : reader_(reader),
          options_(options),
          progress_(progress),
          set_(set),
          files_(set),
          buffer_(memory.take(stop)),
          plan_(reader.index(), options.scratch) {}

    void run(const std::stop_token& stop) {
        for (auto frames = plan_.next(); !frames.empty(); frames = plan_.next()) {
            if (stop.stop_requested()) throw Error(ErrorCode::Cancelled, "cancelled");
            dropUnwanted(frames, files_);
            if (!frames.empty()) fetchOrNote(frames);
            if (progress_.read_bytes - synced_ < kSyncEach) continue;
            set_.sync();
            synced_ = progress_.read_bytes;
        }
        fetchZeros(set_, reader_, progress_);
        if (damage_) std::rethrow_exception(damage_);
    }

private:
    static constexpr std::uint64_t kSyncEach = 1 << 30;

    void fetchOrNote(const block::WantedFrames& frames) {
        try {
            fetch(frames);
        } catch (const Error& error) {
            if (error.code() != ErrorCode::Corrupt && error.code() != ErrorCode::NotFound) throw;
            if (frames.size() > 1) {
                for (const block::WantedFrame& frame : frames)
                    fetchOrNote({frame});
            } else if (!damage_) {
                damage_ = std::current_exception();
            }
        }
    }

    void fetch(const block::WantedFrames& frames) {
        const auto& last = frames.back().place;
        const std::uint64_t bytes = last.offset + last.stored - frames.front().place.offset;
        options_.throttle(bytes);
        reader_.frames().read(frames, buffer_);
        progress_.read_bytes += bytes;
        ByteView plain = reader_.frames().decode(frames, buffer_, codec_, plan_.files());
        for (const block::WantedFrame& frame : frames) {
            for (const block::WantedRun& run : frame.runs)
                progress_.pages += offerRun(run, plain, files_);
            plain = plain.subspan(frame.place.plain);
        }
    }

    const block::BlockReader& reader_;
    const HydrationOptions& options_;
    HydrationProgress& progress_;
    OpenedSet& set_;
    OpenFiles files_;
    const block::Buffer buffer_;
    block::ReadPlan plan_;
    block::Codec codec_;
    std::uint64_t synced_ = progress_.read_bytes;
    std::exception_ptr damage_;  ///< the first one
};

}  // namespace

void hydrate(OpenedSet& set, const block::BlockReader& reader, block::MemoryShare& memory,
             const HydrationOptions& options, HydrationProgress& progress, const std::stop_token& stop) {
    Hydration hydration(set, reader, memory, options, progress, stop);
    try {
        hydration.run(stop);
    } catch (const Error&) {
        set.sync();
        throw;
    }
    set.sync();
}

}  // namespace tidemark::opened
