#include "storage/file_writer.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <set>

#include "base/crash_point.h"
#include "base/error.h"
#include "base/random.h"

namespace tidemark::storage {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kFileWriteSize = 1 << 20;
// Large enough for the disk to stream, small enough that others' syncs do not wait behind a burst.
constexpr std::uint64_t kStartEvery = 1 << 20;
constexpr std::uint64_t kMostUnwritten = 32 << 20;

// How often a place in a directory is tried for, when others keep removing the directory with its last object.
constexpr int kAttempts = 100;

constexpr const char* kMountHint = "check that the directory exists and that its file system is mounted";

/// mkdir -p below `root`, which itself must be there; adds the parents of what it made to `changed`. Returns 0, or
/// ENOENT if somebody removed a directory meanwhile.
int makeDirectories(const fs::path& root, const fs::path& directory, std::set<fs::path>& changed) {
    std::error_code unknown;  // mkdir meets it again
    if (directory == root || fs::is_directory(directory, unknown)) return 0;
    if (const int error_number = makeDirectories(root, directory.parent_path(), changed)) return error_number;
    if (::mkdir(directory.c_str(), 0700) == 0) {
        changed.insert(directory.parent_path());
        return 0;
    }
    if (errno == EEXIST) return 0;
    if (errno == ENOENT) return ENOENT;
    throwErrno(errno, "making directory " + directory.string());
}

/// Marks a file just made as being written. False if a cleaner saw it before, took it for abandoned and removed it.
bool lockNew(const Fd& fd) {
    flock(fd.get(), LOCK_EX);
    struct stat info {};
    return ::fstat(fd.get(), &info) == 0 && info.st_nlink > 0;
}

bool unsupported(int error_number) {
    return error_number == EINVAL || error_number == ENOSYS || error_number == EOPNOTSUPP || error_number == ESPIPE;
}

/// rename(2) that never replaces. Network file systems lack RENAME_NOREPLACE; there link(2) refuses a taken name. Where
/// no name may go away link(2) works, too; then the old name stays, of the same file. Returns 0 or an errno.
int renameNew(const fs::path& from, const fs::path& to) {
    if (::renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_NOREPLACE) == 0) return 0;
    const bool refused = errno == EPERM || errno == EACCES;
    if (!unsupported(errno) && !refused) return errno;
    if (::link(from.c_str(), to.c_str()) != 0) return errno;
    ::unlink(from.c_str());
    return 0;
}

}  // namespace

void requireRoot(const fs::path& root) {
    struct stat info {};
    const bool there = ::stat(root.c_str(), &info) == 0;
    if (there && S_ISDIR(info.st_mode)) return;
    throw Error(ErrorCode::Unavailable, "file://" + root.string() + (there ? " is not a directory" : " is not there"),
                kMountHint);
}

FileWriter::FileWriter(const fs::path& root, fs::path path, std::string url)
    : root_(root), path_(std::move(path)), url_(std::move(url)) {
    if (::access(path_.c_str(), F_OK) == 0) throw Error(ErrorCode::AlreadyExists, url_ + " exists already");
    inItsPlace([&] { openUnfinished(); });
}

FileWriter::~FileWriter() {
    if (fd_.valid()) ::unlink(unfinished_.c_str());
}

/// A writer makes the directories that it misses, and its file keeps them. When it misses one all the same, the root is
/// away, or was for a moment.
template <typename Work>
void FileWriter::inItsPlace(Work work) {
    try {
        work();
    } catch (const Error& error) {
        if (error.code() != ErrorCode::NotFound) throw;
        requireRoot(root_);
        throw Error(ErrorCode::Unavailable, error.what(), kMountHint);
    }
}

void FileWriter::openUnfinished() {
    const fs::path directory = path_.parent_path();
    // New names are made durable only when our file keeps the directories from being removed: a cleaner that runs
    // all the time would win every race against a disk's sync.
    std::set<fs::path> changed;
    for (int attempt = 1; !fd_.valid(); ++attempt) {
        int error_number = makeDirectories(root_, directory, changed);
        if (error_number == 0) {
            unfinished_ = directory / fmt::format("{}{:08x}{:08x}", kUnfinishedPrefix, randomU32(), randomU32());
            Fd fd(::open(unfinished_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
            error_number = fd.valid() ? 0 : errno;
            if (fd.valid() && lockNew(fd)) fd_ = std::move(fd);
        }
        const bool removed_by_others = error_number == 0 || error_number == ENOENT;
        if (!removed_by_others || (attempt == kAttempts && !fd_.valid())) throwErrno(error_number, "creating " + url_);
    }
    for (const fs::path& parent : changed)
        syncDirectory(parent);
}

void FileWriter::append(ByteView bytes) {
    // Large pieces are written as they are; only small ones are gathered.
    if (bytes.size() < kFileWriteSize / 4) {
        buffer_.insert(buffer_.end(), bytes.begin(), bytes.end());
        bytes = {};
        if (buffer_.size() < kFileWriteSize) return;
    }
    flush(buffer_);
    buffer_.clear();
    flush(bytes);
}

void FileWriter::flush(ByteView bytes) {
    if (bytes.empty()) return;
    writeAll(fd_.get(), bytes, url_);
    written_ += bytes.size();
    if (written_ - started_ >= kStartEvery) keepDiskBusy();
}

void FileWriter::keepDiskBusy() {
    const auto range = [&](std::uint64_t from, std::uint64_t to, unsigned flags) {
        const int result =
            ::sync_file_range(fd_.get(), static_cast<off64_t>(from), static_cast<off64_t>(to - from), flags);
        // A failed write is told once per descriptor, here or by fsync, so it must not be passed over.
        if (result != 0 && !unsupported(errno)) throwErrno(errno, "writing " + url_);
    };
    range(started_, written_, SYNC_FILE_RANGE_WRITE);
    started_ = written_;
    if (written_ - settled_ > kMostUnwritten) {
        const std::uint64_t until = written_ - kMostUnwritten;
        range(settled_, until, SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER);
        leaveCache(until);
    }
}

void FileWriter::leaveCache(std::uint64_t until) {
    ::posix_fadvise(fd_.get(), static_cast<off_t>(settled_), static_cast<off_t>(until - settled_), POSIX_FADV_DONTNEED);
    settled_ = until;
}

void FileWriter::finish() {
    flush(buffer_);
    buffer_ = {};
    syncFile(fd_.get(), url_);
    // What is small may be read soon, a log segment for instance.
    if (settled_ > 0) leaveCache(written_);
    inItsPlace([&] { publish(); });
}

void FileWriter::publish() {
    crashPoint("storage.object-written");
    // Opened while our file keeps it: once it has its name, others may remove it, and the directory with it.
    const fs::path directory = path_.parent_path();
    const Fd place = openFile(directory, O_RDONLY | O_DIRECTORY);
    const int error_number = renameNew(unfinished_, path_);
    if (error_number == EEXIST) throw Error(ErrorCode::AlreadyExists, url_ + " exists already");
    if (error_number != 0) throwErrno(error_number, "giving " + url_ + " its name");
    fd_ = Fd();
    syncFile(place.get(), directory);
    crashPoint("storage.object-published");
}

bool removeIfAbandoned(const fs::path& unfinished) {
    const Fd fd(::open(unfinished.c_str(), O_WRONLY | O_CLOEXEC));
    if (!fd.valid() || flock(fd.get(), LOCK_EX | LOCK_NB) != 0) return false;
    return ::unlink(unfinished.c_str()) == 0;
}

}  // namespace tidemark::storage
