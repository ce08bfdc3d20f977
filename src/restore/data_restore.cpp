#include "restore/data_restore.h"

#include <fcntl.h>
#include <pthread.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <exception>
#include <set>
#include <thread>
#include <vector>

#include "base/crash_point.h"
#include "base/error.h"
#include "base/file.h"
#include "base/mutex.h"
#include "base/require_going.h"
#include "block/page_holes.h"
#include "restore/disk_room.h"
#include "restore/restored_files.h"
#include "restore/set_files.h"
#include "source/source.h"

namespace tidemark::restore {
namespace {

namespace fs = std::filesystem;

constexpr unsigned kMostThreads = 16;
/// As many as the workers keep busy, and those that wait for direct writes.
unsigned threadsFor(const block::Lane& lane) {
    return std::min(3 * lane.workers(), kMostThreads);
}

CacheUse cacheUse(const block::Lane& lane, WriteBack* write_back) {
    return {.direct_at_once = threadsFor(lane) - std::min(lane.workers(), threadsFor(lane) - 1),
            .cache_bytes = restoreCacheBytes(),
            .write_back = write_back};
}

void requireEmptyDirectory(const fs::path& directory) {
    if (::mkdir(directory.c_str(), 0700) == 0) return;
    if (errno != EEXIST) throwErrno(errno, "making directory " + directory.string());
    if (!fs::is_directory(directory) || !fs::is_empty(directory)) {
        throw Error(ErrorCode::Conflict, directory.string() + " is not an empty directory");
    }
}

/// Every file with its final size, so that workers can write anywhere.
class FileMaker {
public:
    explicit FileMaker(const fs::path& directory) : directory_(directory) {}

    /// Returns how many bytes of it are zeros, and so are there already.
    std::uint64_t make(const block::FileMap& map) {
        if (map.first_page == 0) begin(map);
        std::uint64_t zeros = 0;
        for (const block::PageRun& run : map.runs)
            zeros += run.frame ? 0 : map.bytesOf(run);
        return zeros;
    }

private:
    void begin(const block::FileMap& map) {
        const fs::path path = directory_ / map.path;
        if (made_.insert(path.parent_path()).second) {
            fs::create_directories(path.parent_path());
            fs::permissions(path.parent_path(), fs::perms::owner_all);
        }
        const Fd file = openFile(path, O_WRONLY | O_CREAT | O_EXCL, 0600);
        if (map.size > 0) reserve(file, map.size, path);
    }

    /// Room for pages of zeros (a tablespace's reserve) too, which need not be written. And with the room there before,
    /// no journal of a file system has to wait for the pages that go there: others' syncs do not either. Where it
    /// cannot be, the zeros are a hole.
    static void reserve(const Fd& file, std::uint64_t size, const fs::path& path) {
        const auto bytes = static_cast<off_t>(size);
        if (::fallocate(file.get(), 0, 0, bytes) == 0) return;
        if (errno != EOPNOTSUPP && errno != ENOSYS) throwErrno(errno, "keeping room for " + path.string());
        if (::ftruncate(file.get(), bytes) != 0) throwErrno(errno, "sizing " + path.string());
    }

    const fs::path& directory_;
    std::set<fs::path> made_;
};

/// Pages of a file that follow each other, in a buffer too.
struct Extent {
    std::uint32_t file = 0;
    std::uint64_t offset = 0;
    ByteView bytes;
};

/// What decoded frames are for, in as few extents as they allow.
std::vector<Extent> extentsOf(const block::WantedFrames& frames, ByteView plain) {
    std::vector<Extent> extents;
    for (const block::WantedFrame& frame : frames) {
        for (const block::WantedRun& run : frame.runs) {
            const Extent next{run.file, std::uint64_t{run.first_page} * block::kPageSize,
                              plain.subspan(run.offset, run.bytes)};
            Extent* last = extents.empty() ? nullptr : &extents.back();
            const bool goes_on = last != nullptr && last->file == next.file &&
                                 last->offset + last->bytes.size() == next.offset &&
                                 last->bytes.data() + last->bytes.size() == next.bytes.data();
            if (goes_on)
                last->bytes = {last->bytes.data(), last->bytes.size() + next.bytes.size()};
            else
                extents.push_back(next);
        }
        plain = plain.subspan(frame.place.plain);
    }
    return extents;
}

/// The threads that read frames, have them decoded, and write their pages into the files.
class Restorers {
public:
    Restorers(const block::BlockReader& reader, block::ReadPlan& plan, block::Lane& lane,
              const DataRestoreOptions& options, DataRestoreProgress& progress, std::stop_token stop)
        : reader_(reader),
          lane_(lane),
          memory_(lane.memory(), {.minimum = 2, .most = threadsFor(lane)}, stop),
          directory_(options.directory),
          progress_(progress),
          stop_(std::move(stop)),
          files_(plan.files()),
          written_(directory_, files_, cacheUse(lane, options.write_back)),
          bytes_left_(files_.size()),
          has_holes_(files_.size()),
          plan_(plan) {
        for (const block::StoredFile& file : files_)
            bytes_left_[file.number] = file.size;
    }

    void run() {
        makeFiles();
        std::vector<std::jthread> threads;
        for (unsigned i = 0; i < threadsFor(lane_); ++i)
            threads.emplace_back([this] { work(); });
        threads.clear();
        progress_.cached_bytes = written_.cachedBytes();
        {
            const MutexLock lock(mutex_);
            if (failure_) std::rethrow_exception(failure_);
        }
        freeReserves();
    }

private:
    void makeFiles() {
        FileMaker maker(directory_);
        std::uint32_t begun = 0;
        reader_.index().eachMap([&](const block::FileMap& map) {
            requireGoing(stop_, "the restore was cancelled");
            if (map.first_page == 0) ++begun;
            // It is read again since it was planned and checked by: a stranger may have changed it meanwhile.
            if (begun > files_.size() || map.path != files_[begun - 1].path || map.size != files_[begun - 1].size) {
                throw Error(ErrorCode::Corrupt, reader_.index().name() + " has changed while it was read");
            }
            const std::uint64_t zeros = maker.make(map);
            progress_.finished_bytes += zeros;
            finished(begun - 1, zeros);
        });
    }

    /// InnoDB keeps no room for the reserve of a table whose pages it compresses: it is a hole as they have them.
    void freeReserves() {
        if (std::none_of(has_holes_.begin(), has_holes_.end(), [](const auto& has) { return has.load(); })) return;
        RestoredFiles::Writer writer(written_);
        std::uint32_t begun = 0;
        reader_.index().eachMap([&](const block::FileMap& map) {
            if (map.first_page == 0) ++begun;
            if (begun > files_.size() || !has_holes_[begun - 1]) return;
            for (const block::PageRun& run : map.runs) {
                if (!run.frame)
                    writer.freeRoom(begun - 1, std::uint64_t{run.first_page} * block::kPageSize, map.bytesOf(run));
            }
        });
    }

    void work() {
        pthread_setname_np(pthread_self(), "restore-files");
        try {
            restoreFrames();
        } catch (...) {
            const MutexLock lock(mutex_);
            if (!failure_) failure_ = std::current_exception();
        }
    }

    /// Empty when there is nothing left to do.
    block::WantedFrames next() {
        const MutexLock lock(mutex_);
        return failure_ ? block::WantedFrames{} : plan_.next();
    }

    void restoreFrames() {
        RestoredFiles::Writer writer(written_);
        for (auto frames = next(); !frames.empty(); frames = next()) {
            requireGoing(stop_, "the restore was cancelled");
            const block::Buffer buffer = memory_.take(stop_);
            reader_.frames().read(frames, buffer);
            ByteView plain;
            lane_.run([&](block::Codec& codec) { plain = reader_.frames().decode(frames, buffer, codec, files_); });
            for (const Extent& extent : extentsOf(frames, plain))
                write(extent, writer);
            ++progress_.finished_macro_blocks;
        }
    }

    /// Every file has all of its room already: what is a hole gives it back.
    void write(const Extent& extent, RestoredFiles::Writer& writer) {
        std::size_t end = 0;
        const auto free = [&](std::size_t to) {
            if (end < to) writer.freeRoom(extent.file, extent.offset + end, to - end);
        };
        const bool holes = block::eachPartOutsideHoles(extent.bytes, [&](std::size_t offset, ByteView part) {
            free(offset);
            writer.write(extent.file, part, extent.offset + offset);
            end = offset + part.size();
        });
        free(extent.bytes.size());
        if (holes) has_holes_[extent.file] = true;
        progress_.finished_bytes += extent.bytes.size();
        finished(extent.file, extent.bytes.size());
    }

    void finished(std::uint32_t file, std::uint64_t bytes) {
        if ((bytes_left_[file] -= bytes) > 0) return;
        progress_.finished_tablets += source::isTablet(files_[file].path) ? 1 : 0;
        if (bytes > 0) crashPoint("restore.file-written");
    }

    const block::BlockReader& reader_;
    block::Lane& lane_;
    block::MemoryShare memory_;
    const fs::path& directory_;
    DataRestoreProgress& progress_;
    const std::stop_token stop_;
    const std::vector<block::StoredFile>& files_;
    RestoredFiles written_;
    std::vector<std::atomic<std::uint64_t>> bytes_left_;  ///< of each file, to be written
    std::vector<std::atomic<bool>> has_holes_;            ///< whether pages of it have
    Mutex mutex_;
    block::ReadPlan& plan_ GUARDED_BY(mutex_);
    std::exception_ptr failure_ GUARDED_BY(mutex_);
};

}  // namespace

void restoreFiles(const block::BlockReader& reader, block::Lane& lane, const DataRestoreOptions& options,
                  DataRestoreProgress& progress, std::stop_token stop) {
    const block::IndexTotals& totals = reader.index().totals();
    progress.total_bytes = totals.bytes;
    progress.total_files = totals.files;
    reader.checkObjects();
    block::ReadPlan plan(reader.index(), options.directory.parent_path());
    progress.total_macro_blocks = plan.reads();
    requireOrdinaryFiles(plan.files(), reader.index().name());
    requireEmptyDirectory(options.directory);
    requireRoom(options.directory, totals.bytes, options.kept_free, "the backup set");
    Restorers(reader, plan, lane, options, progress, std::move(stop)).run();
}

}  // namespace tidemark::restore
