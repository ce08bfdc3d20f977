#include "opened/opened_set.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <array>
#include <charconv>

#include "base/error.h"

namespace tidemark::opened {

namespace fs = std::filesystem;

namespace {

constexpr const char* kNumber = "user.tidemark.file";

struct stat statOf(const Fd& file, const fs::path& path) {
    struct stat info {};
    if (::fstat(file.get(), &info) != 0) throwErrno(errno, "looking at " + path.string());
    return info;
}

/// Two processes would write each other's bits away.
Fd lockOf(const fs::path& directory) {
    fs::create_directories(directory);
    Fd lock = openFile(directory / "lock", O_RDWR | O_CREAT, 0600);
    if (::flock(lock.get(), LOCK_EX | LOCK_NB) == 0) return lock;
    throw Error(ErrorCode::Conflict, directory.string() + " is in use by another process");
}

}  // namespace

OpenedSet::OpenedSet(const block::BlockReader& reader, fs::path directory, std::size_t frame_bytes,
                     std::size_t map_bytes)
    : reader_(reader),
      directory_(std::move(directory)),
      lock_(lockOf(directory_)),
      caches_(reader, frame_bytes, map_bytes) {
    reader_.index().eachMap([&](const block::FileMap& map) {
        if (map.first_page == 0) files_.push_back({map.path, map.size});
    });
    if (!isMade()) make();
    findFiles();
}

void OpenedSet::findFiles() {
    const MutexLock lock(mutex_);
    paths_.resize(files_.size());
    for (const fs::directory_entry& entry : fs::recursive_directory_iterator(data())) {
        if (!entry.is_regular_file()) continue;
        const fs::path path = entry.path().lexically_relative(data());
        // libfuse's name for what is removed while it is open; whoever had it open is no more.
        if (path.filename().string().starts_with(".fuse_hidden")) {
            fs::remove(entry.path());
            continue;
        }
        const auto number = numberOf(openFile(entry.path(), O_RDONLY | O_NOFOLLOW), path);
        if (number) paths_[*number] = path;
    }
}

bool OpenedSet::isMade() const {
    const auto of = readFile(directory_ / "ready");
    if (!of) return false;
    if (*of == std::to_string(reader_.index().checksum()) + "\n") return true;
    throw Error(ErrorCode::Conflict, directory_.string() + " is of another backup set than " + reader_.index().name());
}

/// Before anything is removed: what is there was made by make().
void OpenedSet::requireOwn() const {
    for (const fs::directory_entry& entry : fs::directory_iterator(directory_)) {
        const std::string name = entry.path().filename().string();
        if (name != "pages" && name != "data" && name != "lock" && !name.starts_with("ready"))
            throw Error(ErrorCode::Conflict, directory_.string() + " is not empty", "name an empty directory");
    }
    if (fs::exists(data()) && !fs::exists(directory_ / "pages"))
        throw Error(ErrorCode::Conflict, directory_.string() + " has a data directory of something else",
                    "name an empty directory");
}

void OpenedSet::make() {
    requireOwn();
    fs::create_directories(directory_ / "pages");
    fs::remove_all(data());
    for (const fs::directory_entry& bits : fs::directory_iterator(directory_ / "pages"))
        fs::remove(bits.path());
    for (std::size_t number = 0; number < files_.size(); ++number) {
        const fs::path path = data() / files_[number].path;
        if (fs::create_directories(path.parent_path()))
            fs::permissions(path.parent_path(), fs::perms::owner_all);
        const Fd file = openFile(path, O_WRONLY | O_CREAT | O_EXCL, 0600);
        const std::string text = std::to_string(number);
        if (::ftruncate(file.get(), static_cast<off_t>(files_[number].size)) != 0 ||
            ::fsetxattr(file.get(), kNumber, text.data(), text.size(), XATTR_CREATE) != 0)
            throwErrno(errno, "making " + path.string());
    }
    syncData();
    replaceFile(directory_ / "ready", std::to_string(reader_.index().checksum()) + "\n");
}

std::optional<std::size_t> OpenedSet::numberOf(const Fd& file, const fs::path& path) const {
    std::array<char, 32> text{};
    const ssize_t size = ::fgetxattr(file.get(), kNumber, text.data(), text.size());
    if (size < 0 && errno == ENODATA) return std::nullopt;
    if (size < 0) throwErrno(errno, "asking what " + path.string() + " is");
    std::size_t number = 0;
    const auto [end, problem] = std::from_chars(text.data(), text.data() + size, number);
    if (problem != std::errc() || end != text.data() + size || number >= files_.size())
        throw Error(ErrorCode::Corrupt, path.string() + " is marked as a file that the set does not have");
    return number;
}

std::unique_ptr<OpenedFile::Stored> OpenedSet::storedOf(const Fd& file, const fs::path& path) {
    const auto number = numberOf(file, path);
    if (!number) return nullptr;
    const Known& known = files_[*number];
    return std::unique_ptr<OpenedFile::Stored>(
        new OpenedFile::Stored{{caches_, known.path, known.size}, localOf(*number)});
}

LocalPages& OpenedSet::localOf(std::size_t number) {
    std::shared_ptr<LocalPages>& local = local_[number];
    if (!local)
        local = std::make_shared<LocalPages>(directory_ / "pages" / std::to_string(number), files_[number].pages());
    return *local;
}

std::uint64_t OpenedSet::missing() {
    std::uint64_t missing = 0;
    for (std::size_t number = 0; number < files_.size(); ++number) {
        const MutexLock lock(mutex_);
        if (!paths_[number]) continue;
        const LocalPages& local = localOf(number);
        missing += local.pages() - local.count();
    }
    return missing;
}

std::uint64_t OpenedSet::pages() const {
    std::uint64_t pages = 0;
    for (const Known& file : files_)
        pages += file.pages();
    return pages;
}

std::shared_ptr<OpenedFile> OpenedSet::open(const fs::path& path, int flags, unsigned mode) {
    std::shared_ptr<OpenedFile> file;
    {
        const MutexLock lock(mutex_);
        file = openLocked(path, flags, mode);
    }
    // OpenedFile empties it: it knows what that does to the pages of the set.
    if ((flags & O_TRUNC) != 0) file->truncate(0);
    return file;
}

std::shared_ptr<OpenedFile> OpenedSet::openLocked(const fs::path& path, int flags, unsigned mode) {
    Fd local = openFile(data() / path, (flags & (O_CREAT | O_EXCL)) | O_RDWR | O_NOFOLLOW, mode);
    const struct stat info = statOf(local, path);
    if (!S_ISREG(info.st_mode)) throw Error(ErrorCode::InvalidRequest, path.string() + " is no file");
    std::shared_ptr<OpenedFile> file = open_[info.st_ino].lock();
    if (!file) {
        std::erase_if(open_, [](const auto& entry) { return entry.second.expired(); });
        auto stored = storedOf(local, path);
        file = std::make_shared<OpenedFile>(path, std::move(local), std::move(stored));
        open_[info.st_ino] = file;
    }
    return file;
}

std::shared_ptr<OpenedFile> OpenedSet::file(std::size_t number) {
    const MutexLock lock(mutex_);
    return paths_[number] ? openLocked(*paths_[number], 0, 0) : nullptr;
}

int OpenedSet::rename(const fs::path& from, const fs::path& to, unsigned flags) {
    const MutexLock lock(mutex_);
    if (::renameat2(AT_FDCWD, (data() / from).c_str(), AT_FDCWD, (data() / to).c_str(), flags) != 0) return errno;
    const auto moved = [](const fs::path& path, const fs::path& before, const fs::path& after) {
        const fs::path rest = path.lexically_relative(before);
        if (rest == ".") return std::optional(after);
        return rest.empty() || *rest.begin() == ".." ? std::nullopt : std::optional(after / rest);
    };
    for (auto& path : paths_) {
        if (!path) continue;
        if (const auto now = moved(*path, from, to)) {
            path = now;
        } else if (const auto other = moved(*path, to, from)) {
            // Both names were exchanged, or what had the new one is gone.
            path = (flags & RENAME_EXCHANGE) != 0 ? other : std::nullopt;
        }
    }
    return 0;
}

int OpenedSet::remove(const fs::path& path) {
    const MutexLock lock(mutex_);
    if (::unlink((data() / path).c_str()) != 0) return errno;
    for (auto& one : paths_) {
        if (one == path) one.reset();
    }
    return 0;
}

void OpenedSet::syncData() const {
    const Fd whole = openFile(directory_, O_RDONLY | O_DIRECTORY);
    if (::syncfs(whole.get()) != 0) throwErrno(errno, "syncing " + directory_.string());
}

void OpenedSet::sync() {
    syncData();
    std::vector<std::pair<std::shared_ptr<LocalPages>, fs::path>> dirty;
    {
        const MutexLock lock(mutex_);
        for (const auto& [number, local] : local_)
            if (paths_[number] && local->isDirty()) dirty.emplace_back(local, data() / *paths_[number]);
    }
    for (const auto& [local, path] : dirty) {
        // It is durable mostly, but for what was written in between.
        local->sync([&, &path = path] {
            const Fd file(::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
            if (file.valid()) return syncFile(file.get(), path);
            syncData();  // it has got another name meanwhile
        });
    }
}

}  // namespace tidemark::opened
