#pragma once

#include <filesystem>

#include "storage/storage.h"

namespace tidemark::storage {

/// Objects as files below a directory, e.g. an NFS mount: keys are relative paths.
///
/// An object is written under a name of its own (".unfinished-…", beside its place), synced, and then renamed without
/// replacing anything; the directory is synced before finish() returns. So a crash leaves the object whole or not at
/// all, and what was reported done survives a power failure. Directories come (0700) and go with the objects in them;
/// files are 0600, since they hold all of a tenant's data.
///
/// A directory below the root that is a symbolic link is Corrupt in every call: what is reached through it is not ours.
///
/// The root itself is never made nor removed here: a root that is gone (a file system that is not mounted) is
/// Unavailable in every call, never "no such object".
///
/// Thread-safe; several processes may use the same root.
class FileStorage : public Storage {
public:
    /// Does not look at the directory. `root` is absolute.
    explicit FileStorage(std::filesystem::path root);

    std::unique_ptr<ObjectWriter> create(const Key& key) override;
    Bytes get(const Key& key, std::uint64_t offset, std::uint64_t size) override;
    void read(const Key& key, std::uint64_t offset, std::span<std::uint8_t> into) override;
    std::optional<ObjectInfo> stat(const Key& key) override;
    /// Symbolic links and special files are no objects. A directory lost+found in the root is passed over, so that a
    /// freshly made file system counts as empty.
    std::vector<ObjectInfo> list(const Key& prefix) override;
    bool any(const Key& prefix) override;
    void remove(const Key& key) override;
    /// A writer at work holds a lock (flock) on its file, which the kernel frees when the process dies.
    std::size_t removeUnfinished(const Key& prefix) override;

    Features features() const override { return {.durable = true}; }
    std::string url() const override;

private:
    std::filesystem::path pathOf(const Key& key) const;
    /// Throws Corrupt if a directory of a key, or of a prefix of keys, is a link.
    void refuseLinks(const Key& key) const;

    const std::filesystem::path root_;
};

}  // namespace tidemark::storage
