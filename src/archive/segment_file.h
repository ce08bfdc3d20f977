#pragma once

#include <memory>

#include "archive/segment.h"
#include "base/error.h"
#include "storage/storage.h"

namespace tidemark::archive {

/// Reads one segment. Every byte is verified before it is given out; a damaged, cut off, exchanged or missing object
/// throws Corrupt (NotFound if it is missing), naming it. Thread-safe once constructed.
class SegmentFile {
public:
    /// Reads header and end.
    SegmentFile(storage::Storage& storage, const PieceKey& piece, std::uint64_t file_id);

    const SegmentHeader& header() const { return header_; }
    const SegmentSummary& summary() const { return footer_.summary; }
    std::uint64_t size() const { return size_; }
    const storage::Key& key() const { return key_; }

    SegmentIndex readIndex() const;
    Bytes readBlock(const BlockPlace& place) const;

private:
    Error damaged(const std::string& why) const;

    storage::Storage& storage_;
    const storage::Key key_;
    std::uint64_t size_ = 0;
    SegmentHeader header_;
    SegmentFooter footer_;
};

}  // namespace tidemark::archive
