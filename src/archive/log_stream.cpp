#include "archive/log_stream.h"

#include <fmt/format.h>

#include <algorithm>

#include "archive/piece_writer.h"
#include "base/error.h"

namespace tidemark::archive {

LogStream::LogStream(const ArchiveReader& reader, LogSelection selection)
    : reader_(reader), selection_(std::move(selection)), position_(selection_.after) {
    next_segment_ = reader_.findSegment(selection_.round, selection_.after);
}

bool LogStream::openSegment() {
    const auto& places = reader_.segments(selection_.round);
    if (ended_ || complete() || next_segment_ >= places.size()) return false;
    if (!first_) reader_.requireAdjacent(selection_.round, next_segment_);
    segment_.emplace(reader_.open(places[next_segment_++]));
    if (segment_->summary().from_scn > selection_.until) {
        ended_ = true;
        return false;
    }
    if (!first_ && segment_->header().before != archived_) {
        throw Error(ErrorCode::Corrupt, fmt::format("{} begins after {}, the log before it ends at {}", segment_->key(),
                                                    segment_->header().before.text(), archived_.text()));
    }
    first_ = false;
    index_ = segment_->readIndex();
    archived_ = positionAfter(segment_->header(), index_);
    if (!format_ || *format_ != segment_->header().format) {
        format_ = std::make_shared<const Bytes>(segment_->header().format);
        format_changed_ = true;
    }
    block_ = entry_ = 0;
    block_begin_ = entry_begin_ = 0;
    return true;
}

bool LogStream::wanted(const TransactionEntry& entry) const {
    return entry.scn <= selection_.until && !selection_.after.contains(entry.gtid) &&
           (!selection_.within || selection_.within->contains(entry.gtid));
}

std::optional<LogBatch> LogStream::next() {
    for (;;) {
        while (!segment_ || entry_ == index_.transactions.size()) {
            if (!openSegment()) return std::nullopt;
        }
        LogBatch batch;
        takeBlock(batch);
        if (batch.bytes.empty()) continue;
        if (format_changed_) batch.format = format_;
        format_changed_ = false;
        return batch;
    }
}

/// Moves the wanted parts of the next block into the batch; does not even read a block that has none.
void LogStream::takeBlock(LogBatch& batch) {
    const BlockPlace place = index_.blocks.at(block_++);
    const std::uint64_t begin = block_begin_;
    const std::uint64_t end = begin + place.raw_size;
    block_begin_ = end;
    Bytes raw;
    while (entry_ < index_.transactions.size() && entry_begin_ < end) {
        const TransactionEntry& entry = index_.transactions[entry_];
        const std::uint64_t entry_end = entry_begin_ + entry.size;
        if (wanted(entry)) {
            if (raw.empty()) raw = segment_->readBlock(place);
            const auto at = [&](std::uint64_t offset) {
                return raw.begin() + static_cast<std::ptrdiff_t>(offset - begin);
            };
            batch.bytes.insert(batch.bytes.end(), at(std::max(entry_begin_, begin)), at(std::min(entry_end, end)));
            if (entry_end <= end) {
                batch.ends.push_back({entry.gtid, entry.scn, batch.bytes.size()});
                position_.set(entry.gtid);
            }
        }
        if (entry_end > end) break;
        entry_begin_ = entry_end;
        ++entry_;
    }
}

}  // namespace tidemark::archive
