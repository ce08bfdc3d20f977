#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <stop_token>

#include "block/block_reader.h"
#include "block/worker_pool.h"
#include "restore/write_back.h"

namespace tidemark::restore {

/// Any thread may read it while restoreFiles runs.
struct DataRestoreProgress {
    std::atomic<std::uint64_t> total_bytes{0};
    std::atomic<std::uint64_t> finished_bytes{0};
    std::atomic<std::uint64_t> total_files{0};
    std::atomic<std::uint64_t> finished_tablets{0};  ///< files for which source::isTablet() holds
    std::atomic<std::uint64_t> total_macro_blocks{0};
    std::atomic<std::uint64_t> finished_macro_blocks{0};
    std::atomic<std::uint64_t> cached_bytes{0};  ///< went into the page cache; known at the end
};

struct DataRestoreOptions {
    std::filesystem::path directory;  ///< absolute; must be empty, or missing in a directory that exists
    /// Given one, what the disk does not take as fast as it comes may go into the page cache (restored_files.h).
    WriteBack* write_back = nullptr;
    std::uint64_t kept_free = 0;  ///< bytes of the file system that it leaves to others
};

/// Writes every file of a set below the directory (directories 0700, files 0600), verifying every byte on the way.
/// Decoding is the lane's; threads that end with this call read and write.
///
/// Nothing is durable before a sync: see WriteBack.
///
/// Throws NotFound or Corrupt, naming the object of the set; NoSpace, before it begins if it can be known; Conflict if
/// the directory is not empty; Cancelled. After a failure, what was written is the caller's to remove.
void restoreFiles(const block::BlockReader& reader, block::Lane& lane, const DataRestoreOptions& options,
                  DataRestoreProgress& progress, std::stop_token stop);

/// Makes restored files consistent by applying the redo log copied with them, so that mariadbd can start on them. Syncs
/// nothing.
/// `memory` is what it may use for that. The program reaches the directory and no other files of ours. Throws Corrupt
/// for options in the set that cannot be, and, with what mariadb-backup said, for files that it cannot prepare;
/// Unavailable if somebody has ended it, or it lacked memory or files that it may open; NoSpace if the disk is full;
/// Cancelled.
///
/// `WrongPages::Keep`: pages were wrong when they were copied. What the redo log would change in these is left out, and
/// they stay wrong; else it refuses such files.
enum class WrongPages { Refuse, Keep };
void prepareFiles(const std::filesystem::path& directory, std::uint64_t memory, std::stop_token stop,
                  WrongPages wrong = WrongPages::Refuse);

}  // namespace tidemark::restore
