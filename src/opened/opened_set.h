#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>

#include "opened/opened_file.h"

namespace tidemark::opened {

/// A set, opened in place: a local directory has every file of it by name and size, and of each what was written to it.
///
///     <directory>/data/      the data directory, its files sparse; once nothing is missing, all there is
///     <directory>/pages/<n>  which pages of the set's file n are local (local_pages.h)
///     <directory>/ready      the two above were made to the end
///
/// Names are those of `data`: files are made, renamed and removed there, and what they are of the set goes with them,
/// in an extended attribute. Thread-safe. One at a time for a directory.
class OpenedSet {
public:
    static constexpr std::size_t kMapBytes = 64 << 20;

    /// Makes what is not there yet. `frame_bytes` and `map_bytes` bound the memory for decoded frames and for what the
    /// index tells. The reader outlives it. Throws Conflict if another process has the directory, or if it is of
    /// another set, or of something else.
    OpenedSet(const block::BlockReader& reader, std::filesystem::path directory, std::size_t frame_bytes,
              std::size_t map_bytes = kMapBytes);

    std::filesystem::path data() const { return directory_ / "data"; }

    /// A file of `data`, as open(2) with `flags` gives it (made with O_CREAT, for which `mode` is; emptied with
    /// O_TRUNC). Throws NotFound, AlreadyExists, InvalidRequest for what is no file.
    std::shared_ptr<OpenedFile> open(const std::filesystem::path& path, int flags, unsigned mode = 0600);

    /// As rename(2) with `flags` of renameat2(2), and unlink(2), of names of `data`. Return an errno, 0 if it is done.
    int rename(const std::filesystem::path& from, const std::filesystem::path& to, unsigned flags);
    int remove(const std::filesystem::path& path);

    /// How many files the set has; they have numbers from 0 on, in order of their paths.
    std::size_t files() const { return files_.size(); }
    /// The set's file of this number, whatever its name is by now; null if it was removed.
    std::shared_ptr<OpenedFile> file(std::size_t number);

    /// What was written before to any file is durable. Throws as LocalPages::sync() does.
    void sync();
    /// Pages that are not local, of all files that are still there; and of all files, all pages.
    std::uint64_t missing();
    std::uint64_t pages() const;

    /// Frames decoded so far.
    std::uint64_t decoded() const { return caches_.frames.decoded(); }

private:
    void make();
    bool isMade() const;
    void requireOwn() const;
    void findFiles();
    std::shared_ptr<OpenedFile> openLocked(const std::filesystem::path& path, int flags, unsigned mode)
        REQUIRES(mutex_);
    void syncData() const;
    /// Of what the file is; none if the set has no such file.
    std::optional<std::size_t> numberOf(const Fd& file, const std::filesystem::path& path) const;
    std::unique_ptr<OpenedFile::Stored> storedOf(const Fd& file, const std::filesystem::path& path) REQUIRES(mutex_);
    LocalPages& localOf(std::size_t number) REQUIRES(mutex_);

    const block::BlockReader& reader_;
    const std::filesystem::path directory_;
    const Fd lock_;
    SetCaches caches_;
    struct Known {
        std::string path;
        std::uint64_t size = 0;
        std::uint32_t pages() const { return static_cast<std::uint32_t>(block::partsOf(size, block::kPageSize)); }
    };
    std::vector<Known> files_;  ///< of the set, by number
    Mutex mutex_;
    /// Where the files of the set are by now: by number; none if it was removed.
    std::vector<std::optional<std::filesystem::path>> paths_ GUARDED_BY(mutex_);
    /// By number, of files that were opened. They stay: a file may be closed before its bits are durable.
    std::map<std::size_t, std::shared_ptr<LocalPages>> local_ GUARDED_BY(mutex_);
    /// Open ones, by the inode of the local file, which nobody else has while it is open.
    std::map<std::uint64_t, std::weak_ptr<OpenedFile>> open_ GUARDED_BY(mutex_);
};

}  // namespace tidemark::opened
