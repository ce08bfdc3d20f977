#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "archive/archive_reader.h"

namespace tidemark::archive {

/// Which transactions of a round are wanted.
struct LogSelection {
    RoundKey round;
    mysql::GtidPosition after;                  ///< none that this contains
    Scn until = 0;                              ///< none above
    std::optional<mysql::GtidPosition> within;  ///< if set, only those that this contains
};

/// Raw events of whole transactions, a part at a time.
struct LogBatch {
    std::shared_ptr<const Bytes> format;  ///< the format description they read by, if it changed (and at first)
    Bytes bytes;  ///< at most kBlockSize; a transaction may begin in one batch and end in another
    struct End {
        mysql::Gtid gtid;
        Scn scn = 0;
        std::size_t at = 0;  ///< in bytes: where the transaction ends
    };
    std::vector<End> ends;
};

/// Reads selected transactions of a round in order, in bounded memory, everything verified: what is damaged throws
/// Corrupt and what is missing NotFound, naming the object; log that does not join throws Corrupt. Not thread-safe.
class LogStream {
public:
    /// Throws NotFound if the round does not have the log from `after` on.
    LogStream(const ArchiveReader& reader, LogSelection selection);

    /// nullopt at the end of the selection or of what was archived when the reader last looked.
    std::optional<LogBatch> next();
    /// The position after what next() has given so far.
    const mysql::GtidPosition& position() const { return position_; }

private:
    bool openSegment();
    bool complete() const { return selection_.within && position_.contains(*selection_.within); }
    bool wanted(const TransactionEntry& entry) const;
    void takeBlock(LogBatch& batch);

    const ArchiveReader& reader_;
    const LogSelection selection_;
    mysql::GtidPosition position_;
    std::size_t next_segment_ = 0;
    bool first_ = true;  // no segment has been opened yet
    bool ended_ = false;

    std::optional<SegmentFile> segment_;
    SegmentIndex index_;
    std::shared_ptr<const Bytes> format_;
    bool format_changed_ = false;
    mysql::GtidPosition archived_;   // by the index, to see that the next segment joins
    std::size_t block_ = 0;          // next one to read
    std::uint64_t block_begin_ = 0;  // its raw offset
    std::size_t entry_ = 0;          // the first that ends after block_begin_
    std::uint64_t entry_begin_ = 0;  // its raw offset
};

}  // namespace tidemark::archive
