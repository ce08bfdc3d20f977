#include "block/block_reader.h"

#include <numeric>

#include "base/error.h"
#include "block/index_format.h"

namespace tidemark::block {

BlockReader::BlockReader(storage::Storage& storage, storage::Key directory, std::uint32_t set_id)
    : storage_(storage),
      directory_(std::move(directory)),
      set_id_(set_id),
      index_(BlockIndex::load(storage, directory_, set_id)) {}

std::string BlockReader::indexName() const {
    return storage_.url() + "/" + directory_ + kRangeIndexName;
}

std::vector<std::uint64_t> BlockReader::pageHashes(const BlockEntry& block) const {
    const storage::Key key = directory_ + kMetaIndexName;
    const std::size_t size = block.pageCount() * kPageHashSize;
    const Bytes bytes = storage_.get(key, block.hashes, size + kMetaChecksum);
    const ByteView hashes = ByteView(bytes).first(size);
    if (ByteReader(ByteView(bytes).subspan(size), "page hashes").u64() != xxh3(hashes, block.hashes)) {
        throw Error(ErrorCode::Corrupt, storage_.url() + "/" + key + ": the page hashes at " +
                                            std::to_string(block.hashes) + " are damaged");
    }
    std::vector<std::uint64_t> result(block.pageCount());
    ByteReader reader(hashes, "page hashes");
    for (std::uint64_t& hash : result)
        hash = reader.u64();
    return result;
}

void BlockReader::checkObjects() const {
    const auto check = [&](const storage::Key& key, std::uint64_t size) {
        const auto info = storage_.stat(key);
        if (!info) throw Error(ErrorCode::NotFound, storage_.url() + "/" + key + " does not exist");
        if (info->size == size) return;
        throw Error(ErrorCode::Corrupt, storage_.url() + "/" + key + " has " + std::to_string(info->size) +
                                            " bytes instead of " + std::to_string(size));
    };
    for (std::uint32_t i = 0; i < index_.dataFileSizes().size(); ++i) {
        check(directory_ + dataFileName(i), index_.dataFileSizes()[i]);
    }
    check(directory_ + kMetaIndexName, index_.metaIndexSize());
}

void BlockReader::read(const BlockEntry& block, const Buffer& into) const {
    storage_.read(directory_ + dataFileName(block.data_file), block.offset, Codec::stored(into, block));
}

ByteView BlockReader::decode(const BlockEntry& block, const Buffer& buffer, Codec& codec) const {
    const auto damage = codec.decode(buffer, set_id_, block);
    if (!damage) return buffer.all().first(block.plain_size);
    const auto first = block.frames.begin();
    const std::uint64_t at = std::accumulate(first, first + static_cast<std::ptrdiff_t>(damage->frame), block.offset);
    const StoredFile* file = index_.file(block.id.file);
    const std::uint64_t in_file = block.id.number * std::uint64_t{kMacroBlockSize} + damage->frame * kFrameSize;
    throw Error(ErrorCode::Corrupt,
                storage_.url() + "/" + directory_ + dataFileName(block.data_file) + " is damaged at byte " +
                    std::to_string(at) + ": the frame of " + (file != nullptr ? file->path : "an unknown file") +
                    " from byte " + std::to_string(in_file) + " on: " + damage->what,
                "restore from another backup set, or from a copy of this object");
}

}  // namespace tidemark::block
