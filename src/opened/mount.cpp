#define FUSE_USE_VERSION 314

#include "opened/mount.h"

#include <fcntl.h>
#include <fuse.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <array>

#include "base/error.h"
#include "base/open_files.h"

namespace tidemark::opened {

namespace fs = std::filesystem;

namespace {

/// In one request: what the kernel sends at most.
constexpr unsigned kMostBytes = 1 << 20;
/// Each file that a database has open is open here too: as many as the kernel lets a process have (fs.nr_open).
constexpr std::uint64_t kMostFiles = 1 << 20;
/// Nobody changes names or sizes past the mount.
constexpr double kForever = 24 * 3600;

struct Context {
    OpenedSet& set;
    Logger log;
};

Context& context() {
    return *static_cast<Context*>(fuse_get_context()->private_data);
}

using File = std::shared_ptr<OpenedFile>;

File& fileOf(fuse_file_info* info) {
    return *reinterpret_cast<File*>(info->fh);
}

/// Where a name of the mount is: "/d/t.ibd".
fs::path localPath(const char* path) {
    return context().set.data() / fs::path(path).relative_path();
}

/// Of the name of a file.
int errnoOfName(const Error& error) {
    switch (error.code()) {
        case ErrorCode::NotFound:
            return -ENOENT;
        case ErrorCode::AlreadyExists:
            return -EEXIST;
        case ErrorCode::Denied:
            return -EACCES;
        default:
            return 0;
    }
}

/// Of its content: whatever the set does not give is an error of the disk for who reads it.
int errnoOf(const Error& error) {
    switch (error.code()) {
        case ErrorCode::NoSpace:
            return -ENOSPC;
        case ErrorCode::InvalidRequest:
            return -EOPNOTSUPP;
        default:
            return -EIO;
    }
}

template <typename Work>
int orErrno(const char* what, Work work) {
    try {
        return work();
    } catch (const Error& error) {
        const int number = errnoOf(error);
        if (number != -EOPNOTSUPP) context().log->error("{}: {}", what, error.what());
        return number;
    } catch (const std::exception& error) {
        context().log->error("{}: {}", what, error.what());
        return -EIO;
    }
}

int result(int returned) {
    return returned == 0 ? 0 : -errno;
}

void* init(fuse_conn_info* connection, fuse_config* config) {
    config->kernel_cache = 1;
    config->entry_timeout = kForever;
    config->attr_timeout = kForever;
    config->nullpath_ok = 1;
    // Writes are gathered by the kernel, which makes reads of what was just written as fast as on plain files.
    if ((connection->capable & FUSE_CAP_WRITEBACK_CACHE) != 0) connection->want |= FUSE_CAP_WRITEBACK_CACHE;
    connection->max_write = kMostBytes;
    connection->max_readahead = kMostBytes;
    return fuse_get_context()->private_data;
}

int getattr(const char* path, struct stat* info, fuse_file_info* file) {
    if (path == nullptr) return result(::fstat(fileOf(file)->descriptor(), info));
    return result(::lstat(localPath(path).c_str(), info));
}

int openAs(const char* path, int flags, mode_t mode, fuse_file_info* info) {
    return orErrno(path, [&] {
        try {
            info->fh = reinterpret_cast<std::uint64_t>(
                new File(context().set.open(fs::path(path).relative_path(), flags & ~O_TRUNC, mode)));
        } catch (const Error& error) {
            if (const int number = errnoOfName(error); number != 0) return number;
            throw;
        }
        info->keep_cache = 1;
        if ((flags & O_TRUNC) != 0) fileOf(info)->truncate(0);
        return 0;
    });
}

int open(const char* path, fuse_file_info* info) {
    return openAs(path, info->flags & O_TRUNC, 0, info);
}

int create(const char* path, mode_t mode, fuse_file_info* info) {
    return openAs(path, O_CREAT | (info->flags & (O_EXCL | O_TRUNC)), mode, info);
}

int release(const char*, fuse_file_info* info) {
    delete &fileOf(info);
    return 0;
}

int read(const char* path, char* into, std::size_t size, off_t offset, fuse_file_info* info) {
    return orErrno(path != nullptr ? path : "reading", [&] {
        const std::span<std::uint8_t> bytes(reinterpret_cast<std::uint8_t*>(into), size);
        return static_cast<int>(fileOf(info)->read(static_cast<std::uint64_t>(offset), bytes));
    });
}

int write(const char* path, const char* from, std::size_t size, off_t offset, fuse_file_info* info) {
    return orErrno(path != nullptr ? path : "writing", [&] {
        fileOf(info)->write(static_cast<std::uint64_t>(offset), viewOf(std::string_view(from, size)));
        return static_cast<int>(size);
    });
}

int fsync(const char* path, int, fuse_file_info* info) {
    return orErrno(path != nullptr ? path : "syncing", [&] {
        fileOf(info)->sync();
        return 0;
    });
}

// A directory that is open is known by its local path: what is open has no name for libfuse.
fs::path& directoryOf(fuse_file_info* info) {
    return *reinterpret_cast<fs::path*>(info->fh);
}

int openDirectory(const char* path, fuse_file_info* info) {
    info->fh = reinterpret_cast<std::uint64_t>(new fs::path(localPath(path)));
    return 0;
}

int releaseDirectory(const char*, fuse_file_info* info) {
    delete &directoryOf(info);
    return 0;
}

int fsyncDirectory(const char*, int, fuse_file_info* info) {
    return orErrno("syncing a directory", [&] {
        const bool top = directoryOf(info) == localPath("/");
        top ? context().set.sync() : syncDirectory(directoryOf(info));
        return 0;
    });
}

int truncate(const char* path, off_t size, fuse_file_info* info) {
    return orErrno("truncating", [&] {
        const File file = info != nullptr ? fileOf(info) : context().set.open(fs::path(path).relative_path(), O_RDWR);
        file->truncate(static_cast<std::uint64_t>(size));
        return 0;
    });
}

int allocate(const char* path, int mode, off_t offset, off_t size, fuse_file_info* info) {
    return orErrno(path != nullptr ? path : "allocating", [&] {
        fileOf(info)->allocate(mode, static_cast<std::uint64_t>(offset), static_cast<std::uint64_t>(size));
        return 0;
    });
}

int readDirectory(const char*, void* buffer, fuse_fill_dir_t fill, off_t, fuse_file_info* info, fuse_readdir_flags) {
    std::error_code problem;
    fill(buffer, ".", nullptr, 0, {});
    fill(buffer, "..", nullptr, 0, {});
    for (fs::directory_iterator at(directoryOf(info), problem); !problem && at != fs::directory_iterator();
         at.increment(problem))
        fill(buffer, at->path().filename().c_str(), nullptr, 0, {});
    return -problem.value();
}

int makeDirectory(const char* path, mode_t mode) {
    return result(::mkdir(localPath(path).c_str(), mode));
}
int removeDirectory(const char* path) {
    return result(::rmdir(localPath(path).c_str()));
}
int unlink(const char* path) {
    return -context().set.remove(fs::path(path).relative_path());
}
int rename(const char* from, const char* to, unsigned flags) {
    return -context().set.rename(fs::path(from).relative_path(), fs::path(to).relative_path(), flags);
}
int changeMode(const char* path, mode_t mode, fuse_file_info* info) {
    if (info != nullptr) return result(::fchmod(fileOf(info)->descriptor(), mode));
    return result(::chmod(localPath(path).c_str(), mode));
}
int changeOwner(const char* path, uid_t user, gid_t group, fuse_file_info* info) {
    if (info != nullptr) return result(::fchown(fileOf(info)->descriptor(), user, group));
    return result(::lchown(localPath(path).c_str(), user, group));
}
int setTimes(const char* path, const timespec times[2], fuse_file_info* info) {
    if (info != nullptr) return result(::futimens(fileOf(info)->descriptor(), times));
    return result(::utimensat(AT_FDCWD, localPath(path).c_str(), times, AT_SYMLINK_NOFOLLOW));
}
int statFileSystem(const char* path, struct statvfs* info) {
    return result(::statvfs(localPath(path).c_str(), info));
}

fuse_operations operations() {
    fuse_operations all{};
    all.init = init;
    all.getattr = getattr;
    all.open = open;
    all.create = create;
    all.release = release;
    all.read = read;
    all.write = write;
    all.fsync = fsync;
    all.fsyncdir = fsyncDirectory;
    all.truncate = truncate;
    all.fallocate = allocate;
    all.opendir = openDirectory;
    all.readdir = readDirectory;
    all.releasedir = releaseDirectory;
    all.mkdir = makeDirectory;
    all.rmdir = removeDirectory;
    all.unlink = unlink;
    all.rename = rename;
    all.chmod = changeMode;
    all.chown = changeOwner;
    all.utimens = setTimes;
    all.statfs = statFileSystem;
    return all;
}

/// As a command line has them; they stay where they are.
class Arguments {
public:
    explicit Arguments(std::vector<std::string> words) : words_(std::move(words)) {
        for (std::string& word : words_)
            pointers_.push_back(word.data());
        arguments_ = FUSE_ARGS_INIT(static_cast<int>(pointers_.size()), pointers_.data());
    }
    ~Arguments() { fuse_opt_free_args(&arguments_); }
    Arguments(const Arguments&) = delete;
    Arguments& operator=(const Arguments&) = delete;
    fuse_args* get() { return &arguments_; }

private:
    std::vector<std::string> words_;
    std::vector<char*> pointers_;
    fuse_args arguments_{};
};

}  // namespace

struct Mount::Served {
    Context context;
};

Mount::Mount(OpenedSet& set, const fs::path& at, Logger log) : served_(new Served{{set, std::move(log)}}) {
    openFilesLimit(kMostFiles);
    // default_permissions: the kernel checks rights by what getattr says.
    Arguments arguments({"tidemark", "-o", "fsname=tidemark,subtype=backup_set,default_permissions,noatime"});
    const fuse_operations all = operations();
    fuse_ = fuse_new(arguments.get(), &all, sizeof(all), &served_->context);
    if (fuse_ == nullptr) throw Error(ErrorCode::Unavailable, "libfuse cannot be used");
    if (fuse_mount(fuse_, at.c_str()) == 0) return;
    fuse_destroy(fuse_);
    throw Error(ErrorCode::Unavailable, "a backup set cannot be mounted at " + at.string(),
                "check that /dev/fuse is there, and for others than root fusermount3 (package fuse3)");
}

Mount::~Mount() {
    fuse_unmount(fuse_);
    fuse_destroy(fuse_);
}

void Mount::serve() {
    fuse_loop_config* config = fuse_loop_cfg_create();
    fuse_loop_cfg_set_clone_fd(config, 1);
    fuse_loop_cfg_set_max_threads(config, 16);
    const int problem = fuse_loop_mt(fuse_, config);
    fuse_loop_cfg_destroy(config);
    if (problem < 0) throwErrno(-problem, "serving a mounted backup set");
}

}  // namespace tidemark::opened
