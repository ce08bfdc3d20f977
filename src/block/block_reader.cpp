#include "block/block_reader.h"

#include <algorithm>
#include <cstdlib>
#include <new>
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

BlockDecoder::BlockDecoder(const BlockReader& reader)
    : reader_(reader), plain_(static_cast<std::uint8_t*>(std::aligned_alloc(kAlignment, kMacroBlockSize)), std::free) {
    if (plain_ == nullptr) throw std::bad_alloc();
}

ByteView BlockDecoder::block(const BlockEntry& block) {
    stored_.resize(block.storedSize());
    reader_.storage_.read(reader_.directory_ + dataFileName(block.data_file), block.offset, stored_);
    std::size_t at = 0;
    for (std::size_t frame = 0; frame < block.frameCount(); ++frame) {
        const std::size_t begin = frame * kFrameSize;
        decodeFrame(block, frame, ByteView(stored_).subspan(at, block.frames[frame]), block.offset + at,
                    plain().subspan(begin, std::min(kFrameSize, block.plain_size - begin)));
        at += block.frames[frame];
    }
    return plain().first(block.plain_size);
}

ByteView BlockDecoder::page(const BlockEntry& block, std::size_t page) {
    if (page >= block.pageCount()) throw Error(ErrorCode::NotFound, "a block has no page " + std::to_string(page));
    const std::size_t frame = page * kPageSize / kFrameSize;
    const std::size_t begin = frame * kFrameSize;
    const std::uint64_t offset =
        std::accumulate(block.frames.begin(), block.frames.begin() + static_cast<std::ptrdiff_t>(frame), block.offset);
    stored_.resize(block.frames[frame]);
    reader_.storage_.read(reader_.directory_ + dataFileName(block.data_file), offset, stored_);
    const auto part = plain().first(std::min(kFrameSize, block.plain_size - begin));
    decodeFrame(block, frame, stored_, offset, part);
    const std::size_t inside = page * kPageSize - begin;
    return part.subspan(inside, std::min(kPageSize, part.size() - inside));
}

void BlockDecoder::decodeFrame(const BlockEntry& block, std::size_t number, ByteView stored, std::uint64_t offset,
                               std::span<std::uint8_t> into) {
    const FrameId id{reader_.set_id_, block.id, static_cast<std::uint32_t>(number)};
    const std::string problem = decoder_.decode(stored, id, into);
    if (problem.empty()) return;
    const StoredFile* file = reader_.index_.file(block.id.file);
    const std::uint64_t in_file = block.id.number * std::uint64_t{kMacroBlockSize} + number * kFrameSize;
    throw Error(ErrorCode::Corrupt,
                reader_.storage_.url() + "/" + reader_.directory_ + dataFileName(block.data_file) +
                    " is damaged at byte " + std::to_string(offset) + ": the frame of " +
                    (file != nullptr ? file->path : "an unknown file") + " from byte " + std::to_string(in_file) +
                    " on: " + problem,
                "restore from another backup set, or from a copy of this object");
}

}  // namespace tidemark::block
