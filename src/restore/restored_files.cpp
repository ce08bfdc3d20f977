#include "restore/restored_files.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/available_memory.h"
#include "base/error.h"

namespace tidemark::restore {
namespace {

// A data file interleaves as many files as mariadb-backup copied at once, but for the small ones that share frames.
constexpr std::size_t kOpenFilesPerThread = 4;
// What writing with O_DIRECT asks for; buffers begin at such addresses.
constexpr std::size_t kAlignment = 4096;
constexpr std::uint64_t kCacheShare = 8;
// So much of a file goes into the cache once its disk was found busy, before that is tried again: a write into the cache
// has to wait for the direct ones of the same file, so that it costs something to find the disk busy once more.
constexpr std::int64_t kBusyFor = 256 << 20;

bool canWriteDirectly(const std::filesystem::path& directory) {
    const std::filesystem::path path = directory / "direct-write-test";
    const Fd fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_DIRECT | O_CLOEXEC, 0600));
    if (!fd.valid()) return false;
    alignas(kAlignment) static constexpr std::uint8_t kZeros[kAlignment] = {};
    const bool written = ::pwrite(fd.get(), kZeros, sizeof kZeros, 0) == sizeof kZeros;
    ::unlink(path.c_str());
    return written;
}

/// What a server reads at its start, with O_DIRECT, which would wait for each page that is on its way to the disk.
bool isReadAtStart(const std::string& path) {
    return path.find('/') == std::string::npos || path.starts_with("mysql/");
}

/// Ends a turn however the write ends.
class DirectTurn {
public:
    explicit DirectTurn(std::atomic<unsigned>& now) : now_(now) {}
    ~DirectTurn() { --now_; }
    DirectTurn(const DirectTurn&) = delete;
    DirectTurn& operator=(const DirectTurn&) = delete;

private:
    std::atomic<unsigned>& now_;
};

}  // namespace

std::uint64_t restoreCacheBytes() {
    return availableMemory() / kCacheShare;
}

RestoredFiles::RestoredFiles(std::filesystem::path directory, const std::vector<block::StoredFile>& files,
                             const CacheUse& use)
    : directory_(std::move(directory)),
      files_(files),
      use_(use),
      direct_(canWriteDirectly(directory_)),
      cached_for_(files.size()) {}

/// Whether a write is to go past the cache. If so, it counts as one until its DirectTurn ends.
bool RestoredFiles::takeDirectTurn(std::uint32_t file, std::uint64_t bytes) {
    const bool at_once = isReadAtStart(files_[file].path);
    if (cached_for_[file] > 0 && takeCache(bytes)) {
        cached_for_[file] -= static_cast<std::int64_t>(bytes);
        return false;
    }
    if (direct_now_.fetch_add(1) < use_.direct_at_once || at_once) return true;
    if (!takeCache(bytes)) return true;  // and waits longer
    cached_for_[file] = kBusyFor;
    --direct_now_;
    return false;
}

bool RestoredFiles::takeCache(std::uint64_t bytes) {
    if (use_.write_back == nullptr || !use_.write_back->take(bytes, use_.cache_bytes)) return false;
    cached_bytes_ += bytes;
    return true;
}

void RestoredFiles::Writer::write(std::uint32_t file, ByteView bytes, std::uint64_t offset) {
    // Only the end of a file can have an odd size; it takes the usual way, as do pages behind one in a frame.
    const bool aligned =
        bytes.size() % kAlignment == 0 && reinterpret_cast<std::uintptr_t>(bytes.data()) % kAlignment == 0;
    if (files_.direct_ && aligned && files_.takeDirectTurn(file, bytes.size())) {
        const DirectTurn turn(files_.direct_now_);
        const OpenFile& opened = open(file, true);
        writeAt(opened.fd.get(), bytes, offset, opened.path);
        return;
    }
    const OpenFile& opened = open(file, false);
    writeAt(opened.fd.get(), bytes, offset, opened.path);
    // Ends of files are left to the sync at the end.
    if (aligned && files_.use_.write_back != nullptr) files_.use_.write_back->add(opened.path, offset, bytes.size());
}

void RestoredFiles::Writer::freeRoom(std::uint32_t file, std::uint64_t offset, std::uint64_t bytes) {
    const OpenFile& opened = open(file, false);
    const int how = FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE;
    if (::fallocate(opened.fd.get(), how, static_cast<off_t>(offset), static_cast<off_t>(bytes)) == 0) return;
    if (errno != EOPNOTSUPP && errno != ENOSYS) throwErrno(errno, "freeing room of " + opened.path.string());
}

const RestoredFiles::Writer::OpenFile& RestoredFiles::Writer::open(std::uint32_t number, bool direct) {
    const auto found = std::find_if(open_.begin(), open_.end(),
                                    [&](const OpenFile& one) { return one.number == number && one.direct == direct; });
    if (found != open_.end()) return *found;
    if (open_.size() == kOpenFilesPerThread) open_.pop_front();
    const std::filesystem::path path = files_.directory_ / files_.files_[number].path;
    open_.push_back({number, direct, path, openFile(path, O_WRONLY | O_NOFOLLOW | (direct ? O_DIRECT : 0))});
    return open_.back();
}

}  // namespace tidemark::restore
