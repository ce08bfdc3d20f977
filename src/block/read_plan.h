#pragma once

#include <map>
#include <vector>

#include "block/codec.h"
#include "block/scratch_logs.h"
#include "block/set_index.h"

namespace tidemark::block {

/// Pages of a file that follow each other in a frame.
struct WantedRun {
    std::uint32_t file = 0;  ///< in ReadPlan::files()
    std::uint32_t first_page = 0;
    std::uint32_t bytes = 0;
    std::uint32_t offset = 0;      ///< in the plain frame
    std::vector<PageHash> hashes;  ///< of its pages
};

/// A frame of which pages are wanted.
struct WantedFrame {
    FramePlace place;
    std::vector<WantedRun> runs;
};

/// Frames that lie one after another in an object: what is read at a time, into one buffer.
using WantedFrames = std::vector<WantedFrame>;

/// What is to be read of a set's layers, in the order in which it lies: each frame once, whatever files and sets
/// need it. Keeps that in a scratch file. Not thread-safe.
class ReadPlan {
public:
    /// All that the files of a set need. Reads the whole index. Throws Corrupt.
    ReadPlan(const SetIndex& index, const std::filesystem::path& scratch);
    /// Nothing yet. `name` is in errors; `files` are those that the runs are of.
    ReadPlan(std::string name, std::vector<StoredFile> files, const std::filesystem::path& scratch);
    /// Before next() is called.
    void add(const FramePlace& frame, const WantedRun& run);

    /// Runs name them by their position here. Those of a set's index are in order of paths.
    const std::vector<StoredFile>& files() const { return files_; }
    /// How many times next() will give frames.
    std::uint64_t reads() const { return reads_; }
    /// Empty at the end.
    WantedFrames next();

private:
    void add(const FileMap& map);
    std::size_t logOf(const FramePlace& frame);
    std::vector<WantedFrames> readsOf(std::size_t log) const;

    const std::string name_;
    ScratchLogs logs_;
    std::map<std::pair<std::uint16_t, std::uint32_t>, std::size_t> log_of_;  ///< by layer and object
    std::vector<std::pair<std::uint16_t, std::uint32_t>> objects_;           ///< by log
    std::vector<StoredFile> files_;
    std::uint64_t reads_ = 0;

    std::size_t next_log_ = 0;
    std::vector<WantedFrames> ready_;  ///< the next one last
};

}  // namespace tidemark::block
