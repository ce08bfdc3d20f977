#include "restore/data_restore.h"

#include <fcntl.h>
#include <pthread.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <deque>
#include <exception>
#include <set>
#include <thread>
#include <unordered_map>
#include <vector>

#include "base/crash_point.h"
#include "base/error.h"
#include "base/file.h"
#include "base/mutex.h"
#include "restore/set_files.h"
#include "source/source.h"

namespace tidemark::restore {
namespace {

namespace fs = std::filesystem;

constexpr unsigned kMostThreads = 16;
// The set interleaves as many files as mariadb-backup copied at once.
constexpr std::size_t kOpenFilesPerThread = 4;
// What writing with O_DIRECT asks for; buffers begin at such addresses.
constexpr std::size_t kAlignment = 4096;

/// A thread waits for its direct write half of the time (docs/decisions/data_path.md).
unsigned threadsFor(const block::Lane& lane) {
    return std::min(2 * lane.workers(), kMostThreads);
}

void requireEmptyDirectory(const fs::path& directory) {
    if (::mkdir(directory.c_str(), 0700) == 0) return;
    if (errno != EEXIST) throwErrno(errno, "making directory " + directory.string());
    if (!fs::is_directory(directory) || !fs::is_empty(directory)) {
        throw Error(ErrorCode::Conflict, directory.string() + " is not an empty directory");
    }
}

void requireSpace(const fs::path& directory, std::uint64_t bytes) {
    struct statvfs info {};
    if (::statvfs(directory.c_str(), &info) != 0) throwErrno(errno, "looking at " + directory.string());
    const std::uint64_t free = std::uint64_t{info.f_bavail} * info.f_frsize;
    if (free >= bytes) return;
    throw Error(ErrorCode::NoSpace,
                directory.string() + " has " + std::to_string(free >> 20) +
                    " MiB of free space; the backup set needs " + std::to_string(bytes >> 20) + " MiB",
                "make room and restore again");
}

/// Every file with its final size, so that workers can write anywhere.
void makeFiles(const block::BlockIndex& index, const fs::path& directory) {
    std::set<fs::path> made;
    for (const block::StoredFile& file : index.files()) {
        const fs::path path = directory / file.path;
        if (made.insert(path.parent_path()).second) {
            fs::create_directories(path.parent_path());
            fs::permissions(path.parent_path(), fs::perms::owner_all);
        }
        const Fd fd = openFile(path, O_WRONLY | O_CREAT | O_EXCL, 0600);
        if (::ftruncate(fd.get(), static_cast<off_t>(file.size)) != 0) throwErrno(errno, "sizing " + path.string());
    }
}

/// Whether files there can be written past the page cache. That halves the CPU time of a restore, keeps the tenants'
/// pages in the cache, and leaves nothing for a sync at the end to wait for.
bool canWriteDirectly(const fs::path& directory) {
    const fs::path path = directory / "direct-write-test";
    const Fd fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_DIRECT | O_CLOEXEC, 0600));
    if (!fd.valid()) return false;
    alignas(kAlignment) static constexpr std::uint8_t kZeros[kAlignment] = {};
    const bool written = ::pwrite(fd.get(), kZeros, sizeof kZeros, 0) == sizeof kZeros;
    ::unlink(path.c_str());
    return written;
}

bool isZero(ByteView bytes) {
    return bytes.front() == 0 && std::equal(bytes.begin() + 1, bytes.end(), bytes.begin());
}

/// Writes a block's frames. The disk keeps room for one of zeros (a tablespace's reserve) but need not write it.
void writeFrames(int fd, ByteView content, std::uint64_t offset, const fs::path& path) {
    std::size_t written = 0;
    for (std::size_t at = 0; at < content.size(); at += block::kFrameSize) {
        const ByteView frame = content.subspan(at, std::min(block::kFrameSize, content.size() - at));
        if (!isZero(frame)) continue;
        if (::fallocate(fd, 0, static_cast<off_t>(offset + at), static_cast<off_t>(frame.size())) != 0) continue;
        writeAt(fd, content.subspan(written, at - written), offset + written, path);
        written = at + frame.size();
    }
    writeAt(fd, content.subspan(written), offset + written, path);
}

/// The threads that read blocks, have them decoded, and write them into the files.
class Restorers {
public:
    Restorers(const block::BlockReader& reader, block::Lane& lane, const fs::path& directory,
              DataRestoreProgress& progress, std::stop_token stop)
        : reader_(reader),
          lane_(lane),
          memory_(lane.memory(), {.minimum = 2, .most = threadsFor(lane)}, stop),
          directory_(directory),
          progress_(progress),
          stop_(std::move(stop)),
          direct_(canWriteDirectly(directory)) {
        for (const block::BlockEntry& entry : reader.index().blocks())
            ++blocks_left_[entry.id.file];
        for (const block::StoredFile& file : reader.index().files()) {
            if (!blocks_left_.contains(file.number)) finished(file.path);
        }
    }

    void run() {
        std::vector<std::jthread> threads;
        for (unsigned i = 0; i < threadsFor(lane_); ++i)
            threads.emplace_back([this] { work(); });
        threads.clear();
        const MutexLock lock(mutex_);
        if (failure_) std::rethrow_exception(failure_);
    }

private:
    struct OpenFile {
        block::FileNumber number;
        bool direct;
        fs::path path;
        Fd fd;
    };

    void work() {
        pthread_setname_np(pthread_self(), "restore-files");
        try {
            restoreBlocks();
        } catch (...) {
            const MutexLock lock(mutex_);
            if (!failure_) failure_ = std::current_exception();
            failed_ = true;
        }
    }

    void restoreBlocks() {
        std::deque<OpenFile> open;
        const auto& blocks = reader_.index().blocks();
        for (std::size_t i = next_++; i < blocks.size() && !failed_; i = next_++) {
            if (stop_.stop_requested()) throw Error(ErrorCode::Cancelled, "the restore was cancelled");
            const block::BlockEntry& entry = blocks[i];
            const block::Buffer buffer = memory_.take(stop_);
            reader_.read(entry, buffer);
            ByteView content;
            lane_.run([&](block::Codec& codec) { content = reader_.decode(entry, buffer, codec); });
            // Only the end of a file can have an odd size; it takes the usual way.
            const bool direct = direct_ && content.size() % kAlignment == 0;
            const OpenFile& file = fileFor(entry.id.file, direct, open);
            writeFrames(file.fd.get(), content, std::uint64_t{entry.id.number} * block::kMacroBlockSize, file.path);
            progress_.finished_bytes += content.size();
            ++progress_.finished_macro_blocks;
            if (--blocks_left_.at(entry.id.file) > 0) continue;
            finished(reader_.index().file(entry.id.file)->path);
            crashPoint("restore.file-written");
        }
    }

    void finished(const std::string& path) { progress_.finished_tablets += source::isTablet(path) ? 1 : 0; }

    const OpenFile& fileFor(block::FileNumber number, bool direct, std::deque<OpenFile>& open) const {
        const auto found = std::find_if(open.begin(), open.end(), [&](const OpenFile& one) {
            return one.number == number && one.direct == direct;
        });
        if (found != open.end()) return *found;
        if (open.size() == kOpenFilesPerThread) open.pop_front();
        const fs::path path = directory_ / reader_.index().file(number)->path;
        open.push_back({number, direct, path, openFile(path, O_WRONLY | O_NOFOLLOW | (direct ? O_DIRECT : 0))});
        return open.back();
    }

    const block::BlockReader& reader_;
    block::Lane& lane_;
    block::MemoryShare memory_;
    const fs::path& directory_;
    DataRestoreProgress& progress_;
    const std::stop_token stop_;
    const bool direct_;
    std::unordered_map<block::FileNumber, std::atomic<std::uint32_t>> blocks_left_;  ///< of each file, to be written
    std::atomic<std::size_t> next_{0};
    std::atomic<bool> failed_{false};
    Mutex mutex_;
    std::exception_ptr failure_ GUARDED_BY(mutex_);  // while threads run
};

}  // namespace

void restoreFiles(const block::BlockReader& reader, block::Lane& lane, const DataRestoreOptions& options,
                  DataRestoreProgress& progress, std::stop_token stop) {
    const block::BlockIndex& index = reader.index();
    std::uint64_t bytes = 0;
    for (const block::StoredFile& file : index.files())
        bytes += file.size;
    progress.total_bytes = bytes;
    progress.total_files = index.files().size();
    progress.total_macro_blocks = index.blocks().size();

    reader.checkObjects();
    requireOrdinaryFiles(index, reader.indexName());
    requireEmptyDirectory(options.directory);
    requireSpace(options.directory, bytes);
    makeFiles(index, options.directory);
    Restorers(reader, lane, options.directory, progress, std::move(stop)).run();
}

void syncFiles(const fs::path& directory) {
    const Fd fd = openFile(directory, O_RDONLY | O_DIRECTORY);
    if (::syncfs(fd.get()) != 0) throwErrno(errno, "syncing the file system of " + directory.string());
}

}  // namespace tidemark::restore
