#pragma once

#include <memory>

#include "base/hash.h"
#include "block/block_index.h"
#include "block/frame.h"
#include "storage/storage.h"

namespace tidemark::block {

/// Reads what BlockWriter stored. Thread-safe; each thread decodes with a BlockDecoder of its own.
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

private:
    friend class BlockDecoder;

    storage::Storage& storage_;
    const storage::Key directory_;
    const std::uint32_t set_id_;
    const BlockIndex index_;
};

/// Decodes and verifies blocks of one reader; keeps its buffers. One per thread.
class BlockDecoder {
public:
    /// What writing with O_DIRECT asks for.
    static constexpr std::size_t kAlignment = 4096;

    explicit BlockDecoder(const BlockReader& reader);

    /// The file's bytes of a block, at an address divisible by kAlignment; valid until the next call. Throws Corrupt
    /// (naming the object, the offset in it and the file) or NotFound.
    ByteView block(const BlockEntry& block);
    /// The same for one 16 KiB page; reads and decodes only the frame that holds it.
    ByteView page(const BlockEntry& block, std::size_t page);

private:
    /// Decodes frame `number`, whose stored form begins at `stored` and at `offset` of the data file, to `into`.
    void decodeFrame(const BlockEntry& block, std::size_t number, ByteView stored, std::uint64_t offset,
                     std::span<std::uint8_t> into);
    std::span<std::uint8_t> plain() const { return {plain_.get(), kMacroBlockSize}; }

    const BlockReader& reader_;
    FrameDecoder decoder_;
    Bytes stored_;
    std::unique_ptr<std::uint8_t, void (*)(void*)> plain_;
};

}  // namespace tidemark::block
