#include "archive/log_extract.h"

#include <fmt/format.h>

#include <algorithm>

#include "archive/piece_writer.h"
#include "base/crash_point.h"
#include "base/error.h"
#include "base/require_going.h"
#include "base/hash.h"
#include "storage/memory_storage.h"

namespace tidemark::archive {
namespace {

constexpr std::uint64_t kChunk = 1 << 20;

/// Hands the bytes of an object to `take`, a chunk at a time.
template <typename Take>
void eachChunk(storage::Storage& storage, const storage::Key& key, std::uint64_t size, Take take) {
    Bytes chunk;
    for (std::uint64_t at = 0; at < size; at += chunk.size()) {
        chunk.resize(std::min(kChunk, size - at));
        storage.read(key, at, chunk);
        take(chunk);
    }
}

}  // namespace

ExtractRange rangeUntilNow(const ArchiveReader& reader, const RoundKey& round, const mysql::GtidPosition& after,
                           Scn after_scn) {
    const RoundInfo& info = reader.round(round);
    const auto& places = reader.segments(round);
    ExtractRange range{.round = round, .after = after, .after_scn = after_scn};
    range.until = std::max(after_scn, info.checkpoint_scn);
    const std::size_t first = reader.findSegment(round, after);
    for (std::size_t next = std::min(first + 1, places.size()); next <= places.size(); ++next)
        reader.requireAdjacent(round, next);
    if (first == places.size()) {
        range.last_piece = info.pieces.back().key.piece;
    } else {
        range.last_piece = places.back().piece.piece;
        range.last_file = places.back().file_id;
    }
    return range;
}

LogExtract::LogExtract(const ArchiveReader& reader, storage::Storage& archive, ExtractRange range)
    : archive_(archive), range_(std::move(range)), start_(reader.round(range_.round).start) {
    settings_ = readSettings(archive_, range_.round);
    std::erase_if(settings_, [&](const SettingsRecord& record) { return record.scn > range_.until; });
    findSegments(reader);
    describePieces(reader);
}

void LogExtract::findSegments(const ArchiveReader& reader) {
    if (range_.last_file == 0) return;
    const auto& places = reader.segments(range_.round);
    const SegmentPlace last{{range_.round.dest, range_.round.round, range_.last_piece}, range_.last_file};
    const std::size_t first = reader.findSegment(range_.round, range_.after);
    for (std::size_t i = first; i < places.size(); ++i) {
        if (i > first) reader.requireAdjacent(range_.round, i);
        segments_.push_back(places[i]);
        if (places[i] == last) return;
    }
    throw Error(ErrorCode::NotFound,
                fmt::format("{}/{} is missing", archive_.url(), segmentKey(last.piece, last.file_id)));
}

/// The round's pieces from the first to the last segment, as far as they are part of the extract: frozen, so that a
/// segment that is lost is missed.
void LogExtract::describePieces(const ArchiveReader& reader) {
    if (segments_.empty()) {
        const PieceKey key{range_.round.dest, range_.round.round, range_.last_piece};
        pieces_.push_back({{.key = key, .start_scn = range_.after_scn}, range_.after, range_.after});
    }
    auto next = segments_.begin();
    for (const PieceState& piece : reader.round(range_.round).pieces) {
        const bool needed =
            !segments_.empty() && segments_.front().piece <= piece.key && piece.key.piece <= range_.last_piece;
        if (!needed) continue;
        PieceRecord record{.state = {.key = piece.key, .start_scn = piece.start_scn}};
        if (!pieces_.empty()) record.start = record.end = pieces_.back().end;
        for (; next != segments_.end() && next->piece == piece.key; ++next)
            addSegment(record, reader.open(*next), next == segments_.begin());
        pieces_.push_back(std::move(record));
    }
    for (std::size_t i = 0; i < pieces_.size(); ++i) {
        PieceState& state = pieces_[i].state;
        state.frozen = true;
        state.end_scn = state.checkpoint_scn = i + 1 < pieces_.size() ? pieces_[i + 1].state.start_scn : range_.until;
    }
}

void LogExtract::addSegment(PieceRecord& piece, const SegmentFile& segment, bool first) const {
    const SegmentHeader& header = segment.header();
    if (first) {
        // An idle time that the round has noted between the position and the segment is part of the extract.
        piece.state.start_scn = std::min(header.before_scn, range_.after_scn);
        piece.state.first_file = header.file_id;
        piece.start = header.before;
    }
    piece.end = positionAfter(header, segment.readIndex());
    piece.state.files = header.file_id;
    piece.state.max_scn = segment.summary().to_scn;
    piece.state.input_bytes += segment.summary().raw_size;
    piece.state.output_bytes += segment.size();
}

std::vector<ExtractedObject> LogExtract::copyTo(storage::Storage& to, std::stop_token stop,
                                                const std::function<void(const Progress&)>& report) {
    Copy copy{.to = to, .stop = std::move(stop), .report = report};
    for (const SegmentPlace& place : segments_)
        copySegment(copy, place);
    copyDocuments(copy);
    return std::move(copy.objects);
}

/// The archive's segment is checked first, so that what is damaged there is said to be damaged there.
void LogExtract::copySegment(Copy& copy, const SegmentPlace& place) const {
    const SegmentFile segment(archive_, place.piece, place.file_id);
    for (const BlockPlace& block : segment.readIndex().blocks) {
        copy.requireGoingOn();
        segment.readBlock(block);
    }
    ExtractedObject object{.key = segment.key(), .size = segment.size()};
    object.checksum = copyBytes(copy, object);
    readBack(copy, object);
    copy.objects.push_back(std::move(object));
    ++copy.progress.files;
    copy.report(copy.progress);
    crashPoint("backup.log-segment-copied");
}

/// Writes nothing if the object is there. Returns the checksum of the archive's.
std::uint64_t LogExtract::copyBytes(Copy& copy, const ExtractedObject& object) const {
    std::unique_ptr<storage::ObjectWriter> writer;
    if (!copy.to.stat(object.key)) writer = copy.to.create(object.key);
    RunningXxh3 hash;
    eachChunk(archive_, object.key, object.size, [&](const Bytes& chunk) {
        copy.requireGoingOn();
        hash.add(chunk);
        if (writer) writer->append(chunk);
        copy.progress.bytes += chunk.size();
        copy.report(copy.progress);
    });
    if (writer) writer->finish();
    return hash.value();
}

void LogExtract::readBack(Copy& copy, const ExtractedObject& object) {
    const auto stored = copy.to.stat(object.key);
    RunningXxh3 hash;
    if (stored && stored->size == object.size) {
        eachChunk(copy.to, object.key, object.size, [&](const Bytes& chunk) {
            copy.requireGoingOn();
            hash.add(chunk);
        });
        if (hash.value() == object.checksum) return;
    }
    throw Error(ErrorCode::Corrupt, fmt::format("{}/{} is not what was written there", copy.to.url(), object.key),
                "the storage did not keep what it had accepted; check it, and back up again");
}

void LogExtract::copyDocuments(Copy& copy) const {
    storage::MemoryStorage documents;
    putRecord(documents, start_);
    for (const SettingsRecord& record : settings_)
        putRecord(documents, record);
    for (const PieceRecord& piece : pieces_) {
        putRecord(documents, pieceStartKey(piece.state.key, piece.state.start_scn), piece);
        putRecord(documents, pieceInfoKey(piece.state.key), piece);
    }
    for (const storage::ObjectInfo& document : documents.list("")) {
        const Bytes bytes = documents.getAll(document.key);
        if (!copy.to.stat(document.key)) copy.to.put(document.key, bytes);
        copy.objects.push_back({document.key, document.size, xxh3(bytes)});
        readBack(copy, copy.objects.back());
    }
}

void LogExtract::Copy::requireGoingOn() const {
    requireGoing(stop, "the copying of the log was cancelled");
}

}  // namespace tidemark::archive
