#pragma once

#include <atomic>
#include <deque>
#include <filesystem>
#include <vector>

#include "base/bytes.h"
#include "base/file.h"
#include "block/page.h"
#include "restore/write_back.h"

namespace tidemark::restore {

/// Which bytes of restored files go straight to the disk (O_DIRECT), and which into the page cache.
struct CacheUse {
    unsigned direct_at_once = 1;      ///< when one more would wait for the disk, the disk does not keep up
    std::uint64_t cache_bytes = 0;    ///< never more than so many into the cache, those of others included
    WriteBack* write_back = nullptr;  ///< is told of them; without one, nothing goes into the cache that need not
};

/// A share of the memory that is available: less than what the kernel lets be dirty before it holds up who writes
/// (vm.dirty_background_ratio and half way to vm.dirty_ratio: 10 to 15 % of it), so that no tenant is held up either.
std::uint64_t restoreCacheBytes();

/// The files of a restore, which exist with their sizes. Writing past the page cache costs a third of the CPU time and
/// leaves the tenants their cache, but waits for the disk. So it is done as long as the disk keeps up; when it does
/// not, what comes next of the file goes into the cache: docs/decisions/data_path.md. Thread-safe.
class RestoredFiles {
public:
    /// `files`, in order of their numbers, outlive it.
    RestoredFiles(std::filesystem::path directory, const std::vector<block::StoredFile>& files, const CacheUse& use);

    /// Writes for one thread. It keeps some files open.
    class Writer {
    public:
        explicit Writer(RestoredFiles& files) : files_(files) {}
        /// `bytes` of file number `file`. Throws NoSpace, or what writing gave.
        void write(std::uint32_t file, ByteView bytes, std::uint64_t offset);
        /// Makes a hole, which reads as zeros, of whole blocks of the file system; where there are none, nothing happens.
        void freeRoom(std::uint32_t file, std::uint64_t offset, std::uint64_t bytes);

    private:
        struct OpenFile {
            std::uint32_t number;
            bool direct;
            std::filesystem::path path;
            Fd fd;
        };
        const OpenFile& open(std::uint32_t number, bool direct);

        RestoredFiles& files_;
        std::deque<OpenFile> open_;
    };

    std::uint64_t cachedBytes() const { return cached_bytes_; }

private:
    bool takeDirectTurn(std::uint32_t file, std::uint64_t bytes);
    bool takeCache(std::uint64_t bytes);

    const std::filesystem::path directory_;
    const std::vector<block::StoredFile>& files_;
    const CacheUse use_;
    const bool direct_;  ///< the file system can
    std::atomic<unsigned> direct_now_{0};
    std::atomic<std::uint64_t> cached_bytes_{0};
    std::vector<std::atomic<std::int64_t>> cached_for_;  ///< bytes of each file that are yet to go into the cache
};

}  // namespace tidemark::restore
