#pragma once

#include <atomic>
#include <filesystem>
#include <memory>
#include <span>
#include <stop_token>
#include <vector>

#include "block/layer_key.h"
#include "storage/storage.h"

namespace tidemark::block {

class BlockReader;
class Lane;

/// What is stored so far; any thread may read it while it grows.
struct BlockProgress {
    std::atomic<std::uint64_t> plain_bytes{0};
    std::atomic<std::uint64_t> stored_bytes{0};
    std::atomic<std::uint64_t> blocks{0};
};

/// One object that a set consists of.
struct StoredObject {
    storage::Key key;
    std::uint64_t size = 0;
};

/// A data object that an earlier turn of the set has stored.
struct EarlierObject {
    storage::Key directory;  ///< of that turn; ends in '/'
    std::uint32_t number = 0;
    std::uint64_t size = 0;
};

struct BlockWriterOptions {
    storage::Key directory;  ///< of the objects, ends in '/'
    std::uint32_t set_id = 0;
    std::uint32_t turn = 1;
    std::uint64_t data_file_size = 4ULL << 30;  ///< the frames of a data object are no longer
    std::filesystem::path scratch;              ///< where a node keeps scratch files; empty: the system's place
    ChainKeyPtr key;                            ///< what is stored is encrypted with it
    bool incremental = false;                   ///< the set is called so
    /// The set that it leans on: pages that are there as they are now are not stored again.
    std::shared_ptr<const BlockReader> parent;
    std::vector<EarlierObject> earlier;  ///< likewise; in order of turns and numbers
    /// Looked at by what takes long without the caller: reading what is stored already, and storing the index. Set by
    /// BlockWriter.
    std::stop_token stop = {};
};

struct BlockWriterResult {
    std::vector<StoredObject> objects;
    std::uint64_t files = 0;
    std::uint64_t blocks = 0;
    std::uint64_t plain_bytes = 0;     ///< of the files, as they are at the end
    std::uint64_t stored_bytes = 0;    ///< of all objects
    std::uint64_t index_checksum = 0;  ///< SetIndex::checksum()
};

/// Turns files that come in pieces into frames of pages and an index: docs/format/macro_block.md.
///
/// The caller fills buffers (reserve, commit); the lane's workers hash and compress; one writer thread stores. Memory
/// is bounded whatever comes: a few buffers per worker, and kMostOpenBlocks that are being filled. A failure of any
/// thread makes the next call here throw it, and asks `abort` to stop so that a caller waiting elsewhere (for its
/// source) wakes up.
///
/// Used by one thread, and alone on its lane. Nothing counts before finish() has returned; destroying it earlier
/// abandons everything that is not a whole object yet and leaves the others as rubbish.
class BlockWriter {
public:
    /// One for a file that has not ended and is at most a macro block long, two for a longer one. mariadb-backup needs
    /// six to eight: two tablespaces, the redo log and Aria's log at once.
    static constexpr std::size_t kMostOpenBlocks = 10;
    /// Buffers that it is promised. Beyond those that are being filled, two in which pages of several files are packed,
    /// and two that are encoded and stored, and come back (memory_budget.h).
    static constexpr std::size_t kPromisedBuffers = kMostOpenBlocks + 2 + 2;

    /// Waits, unless `abort` is asked to stop, until memory can be promised: see MemoryShare.
    BlockWriter(storage::Storage& storage, Lane& lane, BlockWriterOptions options, BlockProgress& progress,
                std::stop_source abort = {});
    ~BlockWriter();
    BlockWriter(const BlockWriter&) = delete;
    BlockWriter& operator=(const BlockWriter&) = delete;

    /// Begins a file. Throws Corrupt if there is one of that name, unless `replaces`, which drops it, or if the path
    /// leads out of the data directory.
    FileNumber beginFile(const std::string& path, bool replaces = false);
    /// Room for bytes of the file from `offset` on: at least one byte, at most up to the end of a macro block. Throws
    /// Corrupt if the offset leaves a gap, or goes back behind the first macro block (which is kept until endFile), or
    /// if more than kMostOpenBlocks would be open.
    std::span<std::uint8_t> reserve(FileNumber file, std::uint64_t offset);
    /// The first `size` bytes of what reserve() gave are filled.
    void commit(FileNumber file, std::uint64_t offset, std::size_t size);
    /// reserve and commit for bytes that are already somewhere.
    void add(FileNumber file, std::uint64_t offset, ByteView bytes);
    void endFile(FileNumber file);

    /// For files that have ended (Corrupt otherwise). Nothing happens if there is none of that name: mariadb-backup
    /// tells of every table that was renamed or dropped, also of those it never sent.
    void renameFile(const std::string& path, const std::string& new_path);
    /// As renameFile. A path may also be a directory, or end in '*': everything that begins so.
    void removeFile(const std::string& path);

    /// The files as they are now, all of which must have ended (Internal otherwise).
    std::vector<StoredFile> files() const;

    /// Waits until everything is stored and durable, the index last. Throws Internal if a file has not ended.
    BlockWriterResult finish();

    /// Throws what made a thread fail, if one has; the cause, when the caller's own failure is but a consequence.
    void rethrowFailure();

private:
    std::unique_ptr<class BlockPipeline> pipeline_;
    std::unique_ptr<class FileTable> files_;
};

}  // namespace tidemark::block
