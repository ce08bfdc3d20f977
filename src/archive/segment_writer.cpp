#include "archive/segment_writer.h"

#include <algorithm>

#include "base/crash_point.h"
#include "base/hash.h"

namespace tidemark::archive {

SegmentWriter::SegmentWriter(storage::Storage& storage, SegmentHeader header)
    : storage_(storage), header_(std::move(header)) {}

void SegmentWriter::append(ByteView bytes) {
    total_size_ += bytes.size();
    while (!bytes.empty()) {
        const std::size_t now = std::min(bytes.size(), kBlockSize - block_.size());
        block_.insert(block_.end(), bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(now));
        bytes = bytes.subspan(now);
        if (block_.size() == kBlockSize) writeBlock();
    }
}

void SegmentWriter::endTransaction(TransactionEntry entry) {
    entry.size = total_size_ - whole_size_;
    whole_size_ = total_size_;
    index_.transactions.push_back(std::move(entry));
}

void SegmentWriter::write(ByteView bytes) {
    if (!object_) {
        object_ = storage_.create(segmentKey(header_.piece, header_.file_id));
        const Bytes header = encodeHeader(header_);
        object_->append(header);
        offset_ = header.size();
        crashPoint("archive.segment-begun");
    }
    object_->append(bytes);
    offset_ += bytes.size();
}

void SegmentWriter::writeBlock() {
    const Bytes frame = encodeFrame(block_);
    write(frame);
    index_.blocks.push_back(
        {offset_ - frame.size(), static_cast<std::uint32_t>(block_.size()), static_cast<std::uint32_t>(frame.size())});
    block_.clear();
}

SegmentWriter::Finished SegmentWriter::finish() {
    // What of an unfinished transaction already lies in written blocks stays there: no entry covers it.
    block_.resize(block_.size() - std::min<std::uint64_t>(block_.size(), total_size_ - whole_size_));
    if (!block_.empty()) writeBlock();
    const Bytes index = encodeIndex(index_);
    const auto& entries = index_.transactions;
    const SegmentFooter footer{
        {entries.front().scn, entries.back().scn, entries.size(), whole_size_}, offset_, index.size(), xxh3(index)};
    write(index);
    write(encodeFooter(footer));
    object_->finish();
    return {footer.summary, offset_};
}

}  // namespace tidemark::archive
