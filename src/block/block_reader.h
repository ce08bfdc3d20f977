#pragma once

#include "base/hash.h"
#include "block/block_index.h"
#include "block/codec.h"
#include "storage/storage.h"

namespace tidemark::block {

/// Reads what BlockWriter stored. Thread-safe.
class BlockReader {
public:
    /// Loads the index. Throws NotFound or Corrupt, naming the object.
    BlockReader(storage::Storage& storage, storage::Key directory, std::uint32_t set_id);

    const BlockIndex& index() const { return index_; }
    /// The object that the index is, for errors.
    std::string indexName() const;
    /// XXH3 of each 16 KiB of a block (its last page may be shorter), as they were when it was stored.
    std::vector<std::uint64_t> pageHashes(const BlockEntry& block) const;
    /// Throws NotFound or Corrupt, naming the object, if one is missing or has another size than the index says.
    void checkObjects() const;

    /// Reads a block as it is stored. Throws NotFound or Corrupt.
    void read(const BlockEntry& block, const Buffer& into) const;
    /// The file's bytes of a block that was read, at the beginning of the buffer. Throws Corrupt, naming the object,
    /// the offset in it and the file. Waits for nothing.
    ByteView decode(const BlockEntry& block, const Buffer& buffer, Codec& codec) const;

private:
    storage::Storage& storage_;
    const storage::Key directory_;
    const std::uint32_t set_id_;
    const BlockIndex index_;
};

}  // namespace tidemark::block
