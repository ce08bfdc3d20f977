#include "storage/file_storage.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <functional>

#include "base/error.h"
#include "base/file.h"
#include "storage/file_writer.h"

namespace tidemark::storage {
namespace {

namespace fs = std::filesystem;

struct Entry {
    std::string name;  ///< of a directory: with '/' at its end, so that sorting names sorts keys
    std::uint64_t size = 0;
    bool isDirectory() const { return name.back() == '/'; }
};

/// Files and directories of one directory, in order of keys; nothing if it is not there. What cannot be looked at is an
/// error and never "not there": whoever misses the end of a backup set takes the set for unfinished, and removes it.
std::vector<Entry> entriesOf(const fs::path& directory) {
    std::vector<Entry> entries;
    const std::unique_ptr<DIR, int (*)(DIR*)> open(::opendir(directory.c_str()), ::closedir);
    if (!open && (errno == ENOENT || errno == ENOTDIR)) return entries;
    if (!open) throwErrno(errno, "listing " + directory.string());
    for (;;) {
        errno = 0;
        const dirent* found = ::readdir(open.get());
        if (found == nullptr) break;
        const std::string_view name = found->d_name;
        if (name == "." || name == "..") continue;
        struct stat info {};
        if (::lstat((directory / name).c_str(), &info) != 0) {
            if (errno == ENOENT) continue;  // gone since
            throwErrno(errno, "looking at " + (directory / name).string());
        }
        if (S_ISDIR(info.st_mode)) entries.push_back({std::string(name) + "/"});
        if (S_ISREG(info.st_mode)) entries.push_back({std::string(name), static_cast<std::uint64_t>(info.st_size)});
    }
    if (errno != 0) throwErrno(errno, "listing " + directory.string());
    std::sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) { return a.name < b.name; });
    return entries;
}

/// Calls `visit` for key and size of every file (unfinished ones too) whose key begins with `prefix`, in order of keys,
/// until it returns false. `directory` is empty or ends in '/'. Returns whether to go on.
bool walk(const fs::path& root, const Key& directory, const Key& prefix,
          const std::function<bool(const ObjectInfo&)>& visit) {
    for (const Entry& entry : entriesOf(root / directory)) {
        const Key key = directory + entry.name;
        const std::size_t common = std::min(key.size(), prefix.size());
        if (key.compare(0, common, prefix, 0, common) != 0) continue;
        if (key == "lost+found/") continue;
        if (entry.isDirectory() ? !walk(root, key, prefix, visit)
                                : key.size() >= prefix.size() && !visit({key, entry.size})) {
            return false;
        }
    }
    return true;
}

/// Removes directories below and including `directory` that hold nothing, which is what a writer that gave up leaves.
void removeEmptyDirectories(const fs::path& directory) {
    for (const Entry& entry : entriesOf(directory)) {
        if (entry.isDirectory() && entry.name != "lost+found/") removeEmptyDirectories(directory / entry.name);
    }
    ::rmdir(directory.c_str());
}

bool isUnfinished(const Key& key) {
    const auto slash = key.rfind('/');
    return key.compare(slash == Key::npos ? 0 : slash + 1, kUnfinishedPrefix.size(), kUnfinishedPrefix) == 0;
}

/// The deepest directory that holds every key with that prefix. Throws for a prefix that no valid key can have.
Key directoryOf(const Key& prefix) {
    const auto slash = prefix.rfind('/');
    if (slash == Key::npos) return {};
    requireValidKey(prefix.substr(0, slash));
    return prefix.substr(0, slash + 1);
}

}  // namespace

FileStorage::FileStorage(fs::path root) : root_(std::move(root)) {}

std::string FileStorage::url() const {
    return "file://" + root_.string();
}

fs::path FileStorage::pathOf(const Key& key) const {
    requireValidKey(key);
    refuseLinks(key);
    return root_ / key;
}

/// Whoever can write to the root could otherwise have us write, remove and read elsewhere, with our rights.
void FileStorage::refuseLinks(const Key& key) const {
    for (auto slash = key.find('/'); slash != Key::npos; slash = key.find('/', slash + 1)) {
        const Key directory = key.substr(0, slash);
        struct stat info {};
        if (::lstat((root_ / directory).c_str(), &info) != 0) return;  // who goes on meets it
        if (!S_ISLNK(info.st_mode)) continue;
        throw Error(ErrorCode::Corrupt, url() + "/" + directory + " is a link to another place, and is not followed",
                    "a destination holds no links below its own directory; find out who made it, and remove it");
    }
}

std::unique_ptr<ObjectWriter> FileStorage::create(const Key& key) {
    const fs::path path = pathOf(key);
    requireRoot(root_);
    return std::make_unique<FileWriter>(root_, path, url() + "/" + key);
}

Bytes FileStorage::get(const Key& key, std::uint64_t offset, std::uint64_t size) {
    const auto info = stat(key);
    // Checked first, so that a size out of a damaged index allocates nothing.
    if (info && (offset > info->size || size > info->size - offset)) {
        throw Error(ErrorCode::Corrupt, url() + "/" + key + " has " + std::to_string(info->size) + " bytes; " +
                                            std::to_string(size) + " at " + std::to_string(offset) + " are wanted");
    }
    Bytes bytes(info ? size : 0);
    read(key, offset, bytes);
    return bytes;
}

void FileStorage::read(const Key& key, std::uint64_t offset, std::span<std::uint8_t> into) {
    const fs::path path = pathOf(key);
    const Fd fd(::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
    if (!fd.valid() && (errno == ENOENT || errno == ENOTDIR)) {
        requireRoot(root_);
        throw Error(ErrorCode::NotFound, url() + "/" + key + " does not exist");
    }
    if (!fd.valid()) throwErrno(errno, "opening " + url() + "/" + key);
    // Has the disk fetch all of it at once, not piece by piece as the kernel's readahead would.
    posix_fadvise(fd.get(), static_cast<off_t>(offset), static_cast<off_t>(into.size()), POSIX_FADV_WILLNEED);
    const std::size_t got = readAt(fd.get(), into, offset, url() + "/" + key);
    if (got == into.size()) return;
    throw Error(ErrorCode::Corrupt, url() + "/" + key + " ends at " + std::to_string(offset + got) + "; " +
                                        std::to_string(into.size()) + " bytes at " + std::to_string(offset) +
                                        " are wanted");
}

std::optional<ObjectInfo> FileStorage::stat(const Key& key) {
    struct stat info {};
    if (::lstat(pathOf(key).c_str(), &info) == 0) {
        if (!S_ISREG(info.st_mode)) return std::nullopt;
        return ObjectInfo{key, static_cast<std::uint64_t>(info.st_size)};
    }
    if (errno != ENOENT && errno != ENOTDIR) throwErrno(errno, "looking for " + url() + "/" + key);
    requireRoot(root_);
    return std::nullopt;
}

std::vector<ObjectInfo> FileStorage::list(const Key& prefix) {
    requireRoot(root_);
    refuseLinks(prefix);
    std::vector<ObjectInfo> found;
    walk(root_, directoryOf(prefix), prefix, [&](const ObjectInfo& object) {
        if (!isUnfinished(object.key)) found.push_back(object);
        return true;
    });
    requireRoot(root_);  // where nothing was found if it has gone meanwhile
    return found;
}

bool FileStorage::any(const Key& prefix) {
    requireRoot(root_);
    refuseLinks(prefix);
    const bool found =
        !walk(root_, directoryOf(prefix), prefix, [](const ObjectInfo& object) { return isUnfinished(object.key); });
    requireRoot(root_);
    return found;
}

void FileStorage::remove(const Key& key) {
    const fs::path path = pathOf(key);
    if (::unlink(path.c_str()) != 0) {
        if (errno != ENOENT && errno != ENOTDIR) throwErrno(errno, "removing " + url() + "/" + key);
        return requireRoot(root_);
    }
    // The directories came with the object and go with the last one in them.
    fs::path directory = path.parent_path();
    while (directory != root_ && ::rmdir(directory.c_str()) == 0)
        directory = directory.parent_path();
    const Fd fd(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (fd.valid()) syncFile(fd.get(), directory);  // else somebody removed its last object meanwhile
}

std::size_t FileStorage::removeUnfinished(const Key& prefix) {
    requireRoot(root_);
    refuseLinks(prefix);
    std::size_t removed = 0;
    const auto visit = [&](const ObjectInfo& object) {
        if (isUnfinished(object.key) && removeIfAbandoned(root_ / object.key)) ++removed;
        return true;
    };
    walk(root_, directoryOf(prefix), prefix, visit);
    const fs::path directory = root_ / directoryOf(prefix);
    for (const Entry& entry : entriesOf(directory)) {
        if (entry.isDirectory() && (directoryOf(prefix) + entry.name).starts_with(prefix)) {
            removeEmptyDirectories(directory / entry.name);
        }
    }
    if (!directoryOf(prefix).empty()) ::rmdir(directory.c_str());
    return removed;
}

}  // namespace tidemark::storage
