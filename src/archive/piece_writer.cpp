#include "archive/piece_writer.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "archive/segment_file.h"
#include "base/error.h"

namespace tidemark::archive {
namespace {

/// Objects that a crash may have left half of a set of: those already there are right, since their content is decided
/// by what was frozen.
void putIfMissing(storage::Storage& storage, const storage::Key& key, const Descriptor& content) {
    if (!storage.stat(key)) storage.put(key, content.encode());
}

}  // namespace

Descriptor readDescriptor(storage::Storage& storage, const storage::Key& key) {
    return Descriptor::decode(storage.getAll(key), storage.url() + "/" + key);
}

Descriptor describe(const PieceState& piece, const mysql::GtidPosition& start, const mysql::GtidPosition& end) {
    Descriptor out;
    out.set("format", 1)
        .set("dest_id", piece.key.dest)
        .set("round_id", piece.key.round)
        .set("piece_id", piece.key.piece);
    out.set("start_scn", piece.start_scn).set("end_scn", piece.end_scn).set("checkpoint_scn", piece.checkpoint_scn);
    out.set("max_scn", piece.max_scn).set("input_bytes", piece.input_bytes).set("output_bytes", piece.output_bytes);
    out.set("files", piece.files).set("start_gtid", start.text()).set("end_gtid", end.text());
    return out;
}

PieceState pieceFrom(const Descriptor& in) {
    PieceState piece;
    piece.key = {in.number("dest_id"), in.number("round_id"), in.number("piece_id")};
    piece.start_scn = in.number("start_scn");
    piece.end_scn = in.number("end_scn");
    piece.checkpoint_scn = in.number("checkpoint_scn");
    piece.max_scn = in.number("max_scn");
    piece.input_bytes = in.number("input_bytes");
    piece.output_bytes = in.number("output_bytes");
    piece.files = in.number("files");
    return piece;
}

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
    const storage::Key key = pieceStartKey(start.key, start.start_scn);
    storage_.put(key, describe(state_, start_position_, position_).encode());
}

PieceWriter::PieceWriter(storage::Storage& storage, const PieceKey& key) : storage_(storage) {
    state_.key = key;
    if (storage.stat(pieceInfoKey(key))) {
        const Descriptor info = readDescriptor(storage, pieceInfoKey(key));
        state_ = pieceFrom(info);
        state_.frozen = true;
        start_position_ = info.position("start_gtid");
        position_ = info.position("end_gtid");
        writeFrozenMarkers();
        return;
    }
    const Descriptor start = readDescriptor(storage, findPieceStart(storage, key));
    state_ = pieceFrom(start);
    start_position_ = position_ = start.position("start_gtid");
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
    storage_.put(key, Descriptor().set("checkpoint_scn", scn).set("gtid", position_.text()).encode());
    state_.checkpoint_scn = scn;
    const auto old = std::exchange(checkpoint_object_, key);
    if (old) removeOldCheckpoint(*old);
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
    // This object decides; what else there is can be made again from it.
    storage_.put(pieceInfoKey(state_.key), describe(frozen, start_position_, position_).encode());
    frozen.frozen = true;
    state_ = frozen;
    writeFrozenMarkers();
}

void PieceWriter::writeFrozenMarkers() {
    const Descriptor content = describe(state_, start_position_, position_);
    putIfMissing(storage_, pieceFilesKey(state_.key),
                 Descriptor().set("logstreams", 1).set("logstream_1_files", state_.files));
    putIfMissing(storage_, pieceRangeKey(state_.key, state_.start_scn, state_.end_scn), content);
    putIfMissing(storage_, pieceEndKey(state_.key, state_.end_scn), content);
}

}  // namespace tidemark::archive
