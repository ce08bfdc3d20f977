#pragma once

#include <memory>

#include "archive/segment.h"
#include "storage/storage.h"

namespace tidemark::archive {

/// Writes one segment: bytes of transactions as they come in, in bounded memory whatever their size. The object becomes
/// visible with finish(); destroyed without it, nothing is. Not thread-safe. Throws what the storage throws.
class SegmentWriter {
public:
    SegmentWriter(storage::Storage& storage, SegmentHeader header);

    /// More bytes of the transaction under way.
    void append(ByteView bytes);
    /// The bytes since the last call are a whole transaction; `entry.size` is set here.
    void endTransaction(TransactionEntry entry);

    bool empty() const { return index_.transactions.empty(); }
    std::uint64_t rawSize() const { return whole_size_; }  ///< of whole transactions
    const SegmentHeader& header() const { return header_; }

    struct Finished {
        SegmentSummary summary;
        std::uint64_t size = 0;  ///< of the object
    };
    /// Leaves out what has been appended of an unfinished transaction, and makes the rest durable. Only if not empty().
    Finished finish();

private:
    void writeBlock();
    void write(ByteView bytes);

    storage::Storage& storage_;
    const SegmentHeader header_;
    std::unique_ptr<storage::ObjectWriter> object_;
    SegmentIndex index_;
    Bytes block_;                   // not yet written
    std::uint64_t whole_size_ = 0;  // raw bytes of whole transactions
    std::uint64_t total_size_ = 0;  // and of the unfinished one
    std::uint64_t offset_ = 0;      // in the object
};

}  // namespace tidemark::archive
