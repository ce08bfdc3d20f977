#include "archive/segment_file.h"

#include <fmt/format.h>

#include "base/error.h"
#include "storage/newer_version.h"

namespace tidemark::archive {

SegmentFile::SegmentFile(storage::Storage& storage, const PieceKey& piece, std::uint64_t file_id)
    : storage_(storage), key_(segmentKey(piece, file_id)) {
    const auto info = storage_.stat(key_);
    if (!info) throw Error(ErrorCode::NotFound, fmt::format("{}/{} does not exist", storage_.url(), key_));
    size_ = info->size;
    try {
        if (size_ < kHeaderPrefixSize + kFooterSize) throw damaged(fmt::format("it has only {} bytes", size_));
        const std::size_t header_size = headerSize(storage_.get(key_, 0, kHeaderPrefixSize));
        if (header_size + kFooterSize > size_) throw damaged("its header is cut off");
        header_ = decodeHeader(storage_.get(key_, 0, header_size));
        footer_ = decodeFooter(storage_.get(key_, size_ - kFooterSize, kFooterSize));
        const std::uint64_t index_end = size_ - kFooterSize;
        if (footer_.index_offset < header_size || footer_.index_offset > index_end ||
            footer_.index_size != index_end - footer_.index_offset) {
            throw damaged("its index is not where its end says");
        }
        if (header_.piece != piece || header_.file_id != file_id) {
            throw damaged(fmt::format("it is segment {} of {}", header_.file_id, nameOf(header_.piece)));
        }
    } catch (const Error& error) {
        if (error.code() == ErrorCode::Corrupt) throw damaged(error.what());
        if (error.code() == ErrorCode::InvalidRequest) throw storage::newerVersion(storage_.url() + "/" + key_);
        throw;
    }
}

Error SegmentFile::damaged(const std::string& why) const {
    const std::string object = storage_.url() + "/" + key_;
    if (why.starts_with(object)) return {ErrorCode::Corrupt, why};
    return {ErrorCode::Corrupt, fmt::format("{} is damaged: {}", object, why)};
}

SegmentIndex SegmentFile::readIndex() const {
    try {
        if (footer_.index_size > maxStoredIndexSize()) throw damaged("its index is impossibly large");
        return decodeIndex(storage_.get(key_, footer_.index_offset, footer_.index_size), header_, footer_);
    } catch (const Error& error) {
        if (error.code() == ErrorCode::Corrupt) throw damaged(error.what());
        throw;
    }
}

Bytes SegmentFile::readBlock(const BlockPlace& place) const {
    try {
        if (place.frame_size > maxFrameSize()) throw damaged("a block is impossibly large");
        Bytes raw = decodeFrame(storage_.get(key_, place.offset, place.frame_size));
        if (raw.size() != place.raw_size) throw damaged("a block has another size than in its index");
        return raw;
    } catch (const Error& error) {
        if (error.code() == ErrorCode::Corrupt) throw damaged(error.what());
        throw;
    }
}

}  // namespace tidemark::archive
