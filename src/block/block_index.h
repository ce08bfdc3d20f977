#pragma once

#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "base/hash.h"
#include "block/macro_block.h"
#include "storage/storage.h"

namespace tidemark::block {

/// One object that a set consists of.
struct StoredObject {
    storage::Key key;
    std::uint64_t size = 0;
};

/// What became of an index.
struct StoredIndex {
    std::uint64_t size = 0;      ///< bytes
    std::uint64_t checksum = 0;  ///< XXH3 of all of them
};

/// What an index may list, by whoever writes or reads it: 32 TiB of files, which are 1.2 GB in memory.
struct IndexLimits {
    std::uint64_t blocks = 16 << 20;
    std::uint64_t files = 4 << 20;
    std::uint64_t data_files = 64 << 10;  ///< of 512 MiB at least
};

/// Writes macro_range_index.obbak while the blocks come, so that nothing per block stays in memory. Not thread-safe.
class IndexWriter {
public:
    IndexWriter(storage::Storage& storage, const storage::Key& directory, std::uint32_t set_id,
                const IndexLimits& limits = {});
    ~IndexWriter();

    /// Blocks in the order in which they (and their page hashes) are stored. `entry.hashes` is not recorded: it follows
    /// from the order. Throws Conflict, as finish() does, when the index would be larger than its limits.
    void add(const BlockEntry& entry);
    /// Blocks of files that are not among `files` belong to files that went away again; they stay unused.
    StoredIndex finish(const std::vector<StoredFile>& files, const std::vector<std::uint64_t>& data_file_sizes,
                       std::uint64_t meta_index_size);

private:
    class Section;
    void addFiles(const std::vector<StoredFile>& files);
    void write(Section& section);

    const IndexLimits limits_;
    std::unique_ptr<storage::ObjectWriter> object_;
    std::unique_ptr<Section> blocks_;
    RunningXxh3 checksum_;
    std::uint64_t size_ = 0;
    std::uint64_t block_count_ = 0;
};

/// A whole index in memory: 68 bytes per block. What it says was checked against itself: every live file has all its
/// blocks, every block lies inside its data file, every path stays below the data directory. Immutable.
class BlockIndex {
public:
    /// Throws NotFound or Corrupt, naming the object; InvalidRequest if a newer version wrote it.
    static BlockIndex load(storage::Storage& storage, const storage::Key& directory, std::uint32_t set_id,
                           const IndexLimits& limits = {});

    const std::vector<StoredFile>& files() const { return files_; }
    /// Blocks of live files, in the order in which they are stored.
    const std::vector<BlockEntry>& blocks() const { return blocks_; }
    const std::vector<std::uint64_t>& dataFileSizes() const { return data_file_sizes_; }
    std::uint64_t metaIndexSize() const { return meta_index_size_; }
    /// XXH3 of the object.
    std::uint64_t checksum() const { return checksum_; }

    /// nullptr if there is no such file.
    const StoredFile* file(FileNumber number) const;
    const StoredFile* file(std::string_view path) const;
    /// nullptr if the file has no such block.
    const BlockEntry* block(BlockId id) const;

private:
    friend class IndexLoader;

    std::vector<StoredFile> files_;  // in order of numbers
    std::vector<BlockEntry> blocks_;
    std::vector<std::uint32_t> by_id_;  // positions in blocks_, in order of file and number
    std::vector<std::uint64_t> data_file_sizes_;
    std::uint64_t meta_index_size_ = 0;
    std::uint64_t checksum_ = 0;
};

}  // namespace tidemark::block
