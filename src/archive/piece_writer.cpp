#include "archive/piece_writer.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "archive/segment_file.h"
#include "base/crash_point.h"
#include "base/error.h"

namespace tidemark::archive {
std::vector<std::uint64_t> listSegments(storage::Storage& storage, const PieceKey& piece) {
    std::vector<std::uint64_t> ids;
    for (const auto& object : storage.list(segmentPrefix(piece))) {
        if (const auto id = parseSegment(piece, object.key)) ids.push_back(*id);
    }
    std::sort(ids.begin(), ids.end());
    return ids;
}

storage::Key findPieceStart(storage::Storage& storage, const PieceKey& piece) {
    for (const auto& object : storage.list(fmt::format("pieces/{}_start_", nameOf(piece)))) {
        if (parsePieceStart(object.key) == piece) return object.key;
    }
    throw Error(ErrorCode::NotFound, fmt::format("{}/pieces has no {}_start", storage.url(), nameOf(piece)));
}

mysql::GtidPosition positionAfter(const SegmentHeader& header, const SegmentIndex& index) {
    mysql::GtidPosition position = header.before;
    for (const auto& entry : index.transactions)
        position.set(entry.gtid);
    return position;
}

PieceWriter::PieceWriter(storage::Storage& storage, const Start& start)
    : storage_(storage), start_position_(start.position), position_(start.position) {
    state_.key = start.key;
    state_.start_scn = start.start_scn;
    state_.end_scn = start.end_scn;
    putRecord(storage_, pieceStartKey(start.key, start.start_scn), {state_, start_position_, position_});
}

PieceWriter::PieceWriter(storage::Storage& storage, const PieceKey& key) : storage_(storage) {
    state_.key = key;
    const bool frozen = storage.stat(pieceInfoKey(key)).has_value();
    const PieceRecord record = readPiece(storage, frozen ? pieceInfoKey(key) : findPieceStart(storage, key), key);
    state_ = record.state;
    start_position_ = record.start;
    position_ = record.end;
    if (frozen) {
        writeFrozenMarkers();
        return;
    }
    storage.removeUnfinished(nameOf(key) + "/");
    readSegments();
    readCheckpoints();
}

void PieceWriter::readSegments() {
    const auto ids = listSegments(storage_, state_.key);
    for (std::size_t i = 0; i < ids.size(); ++i) {
        if (ids[i] == i + 1) continue;
        throw Error(ErrorCode::Corrupt, fmt::format("{}/{} is missing", storage_.url(), segmentKey(state_.key, i + 1)));
    }
    if (ids.empty()) return;
    const SegmentFile last(storage_, state_.key, ids.back());
    position_ = positionAfter(last.header(), last.readIndex());
    state_.files = ids.size();
    state_.max_scn = state_.checkpoint_scn = last.summary().to_scn;
    state_.input_bytes = last.header().piece_input_before + last.summary().raw_size;
    state_.output_bytes = last.header().piece_output_before + last.size();
}

void PieceWriter::readCheckpoints() {
    for (const auto& object : storage_.list(checkpointPrefix(state_.key))) {
        const auto scn = parseCheckpoint(state_.key, object.key);
        if (!scn) continue;
        const bool newer = *scn >= state_.checkpoint_scn;
        const auto old = newer ? std::exchange(checkpoint_object_, object.key) : std::optional(object.key);
        if (old) removeOldCheckpoint(*old);
        state_.checkpoint_scn = std::max(state_.checkpoint_scn, *scn);
    }
}

SegmentHeader PieceWriter::nextSegment() const {
    SegmentHeader header;
    header.piece = state_.key;
    header.file_id = state_.files + 1;
    header.before = position_;
    header.before_scn = std::max(state_.checkpoint_scn, state_.start_scn);
    header.piece_input_before = state_.input_bytes;
    header.piece_output_before = state_.output_bytes;
    return header;
}

void PieceWriter::added(const SegmentWriter::Finished& segment, const mysql::GtidPosition& after) {
    ++state_.files;
    state_.input_bytes += segment.summary.raw_size;
    state_.output_bytes += segment.size;
    state_.max_scn = segment.summary.to_scn;
    state_.checkpoint_scn = std::max(state_.checkpoint_scn, segment.summary.to_scn);
    position_ = after;
}

void PieceWriter::checkpoint(Scn scn) {
    if (scn <= state_.checkpoint_scn) return;
    const storage::Key key = checkpointKey(state_.key, scn);
    putCheckpoint(storage_, state_.key, scn, position_, state_.files);
    crashPoint("archive.checkpoint-put");
    state_.checkpoint_scn = scn;
    const auto old = std::exchange(checkpoint_object_, key);
    if (old) removeOldCheckpoint(*old);
    crashPoint("archive.checkpoint-replaced");
}

void PieceWriter::removeOldCheckpoint(const storage::Key& key) {
    try {
        storage_.remove(key);
    } catch (const Error&) {
        // Readers take the highest, so one too many does no harm, and a destination may forbid removing.
    }
}

void PieceWriter::freeze(Scn end_scn) {
    PieceState frozen = state_;
    frozen.end_scn = end_scn;
    frozen.checkpoint_scn = std::max(state_.checkpoint_scn, end_scn);
    frozen.frozen = true;
    // This object decides; what else there is can be made again from it.
    putRecord(storage_, pieceInfoKey(state_.key), {frozen, start_position_, position_});
    crashPoint("archive.piece-frozen");
    state_ = frozen;
    writeFrozenMarkers();
}

/// Each only if it is missing, as after a crash: its content is decided by what was frozen.
void PieceWriter::writeFrozenMarkers() {
    if (!storage_.stat(pieceFilesKey(state_.key))) putPieceFiles(storage_, state_);
    const PieceRecord record{state_, start_position_, position_};
    for (const auto& key :
         {pieceRangeKey(state_.key, state_.start_scn, state_.end_scn), pieceEndKey(state_.key, state_.end_scn)}) {
        if (!storage_.stat(key)) putRecord(storage_, key, record);
    }
}

}  // namespace tidemark::archive
