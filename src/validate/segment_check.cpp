#include "validate/segment_check.h"

#include <algorithm>
#include <optional>

#include "archive/piece_writer.h"
#include "mysql/binlog_event.h"

namespace tidemark::validate {
namespace {

/// The checksums of events, whose bytes come in pieces.
class EventSums {
public:
    /// Throws Corrupt.
    void add(ByteView bytes) {
        while (!bytes.empty()) {
            const ByteView part = bytes.first(std::min<std::uint64_t>(bytes.size(), wanted()));
            take(part);
            bytes = bytes.subspan(part.size());
        }
    }
    /// Throws Corrupt unless the last event is whole.
    void finish() const {
        if (!header_.empty()) throw Error(ErrorCode::Corrupt, "its last event is cut off");
    }

private:
    std::uint64_t wanted() const { return sum_ ? left_ : mysql::kEventHeaderSize - header_.size(); }

    void take(ByteView part) {
        if (!sum_) {
            header_.insert(header_.end(), part.begin(), part.end());
            if (header_.size() < mysql::kEventHeaderSize) return;
            const mysql::EventHeader event = mysql::parseEventHeader(header_);
            sum_.emplace(event.size);
            sum_->add(header_);
            left_ = event.size - mysql::kEventHeaderSize;
        } else {
            sum_->add(part);
            left_ -= part.size();
        }
        if (left_ > 0) return;
        if (!sum_->matches()) throw Error(ErrorCode::Corrupt, "the server's checksum of an event does not fit");
        sum_.reset();
        header_.clear();
    }

    Bytes header_;
    std::optional<mysql::EventChecksum> sum_;
    std::uint64_t left_ = 0;
};

}  // namespace

CheckedSegment checkSegment(const Checking& with, block::MemoryShare& memory, const archive::PieceKey& piece,
                            std::uint64_t file_id) {
    const archive::SegmentFile file(with.storage, piece, file_id);
    const archive::SegmentIndex index = file.readIndex();
    const block::Buffer buffer = memory.take(with.stop);
    EventSums events;
    std::uint64_t left = file.summary().raw_size;  // behind it there may be what never became whole
    std::uint64_t in_blocks = 0;
    for (const archive::BlockPlace& block : index.blocks) {
        with.requireGoing();
        const auto frame = buffer.all().first(block.frame_size);
        with.storage.read(file.key(), block.offset, frame);
        with.lane.run([&](block::Codec&) {
            const Bytes raw = archive::decodeFrame(frame);
            if (raw.size() != block.raw_size)
                throw Error(ErrorCode::Corrupt, "a block has another size than in its index");
            const std::uint64_t whole = std::min<std::uint64_t>(left, raw.size());
            events.add(ByteView(raw).first(whole));
            left -= whole;
        });
        with.progress.bytes += block.frame_size;
        in_blocks += block.frame_size;
    }
    events.finish();
    with.progress.bytes += file.size() - in_blocks;
    ++with.progress.objects;
    return {.before = file.header().before,
            .after = archive::positionAfter(file.header(), index),
            .before_scn = file.header().before_scn,
            .from = file.summary().from_scn,
            .to = file.summary().to_scn};
}

}  // namespace tidemark::validate
