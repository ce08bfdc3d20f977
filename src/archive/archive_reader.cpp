#include "archive/archive_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "archive/piece_writer.h"
#include "base/error.h"

namespace tidemark::archive {
namespace {

/// A writer replaces its checkpoint once a second at most, a reader needs milliseconds to read it.
constexpr int kCheckpointAttempts = 10;

}  // namespace

ArchiveReader::ArchiveReader(storage::Storage& storage) : storage_(storage) {
    refresh();
}

ArchiveReader::ArchiveReader(storage::Storage& storage, const RoundKey& only) : storage_(storage), only_(only) {
    refresh();
}

void ArchiveReader::refresh() {
    rounds_.clear();
    contents_.clear();
    std::set<RoundKey> begun;
    std::set<RoundKey> closed;
    for (const auto& object : storage_.list("rounds/")) {
        const auto marker = parseRoundMarker(object.key);
        if (marker && (!only_ || marker->round == *only_)) (marker->end ? closed : begun).insert(marker->round);
    }
    for (const RoundKey& key : begun)
        readRound(key, closed.contains(key));
}

void ArchiveReader::readRound(const RoundKey& key, bool closed) {
    RoundInfo info;
    info.start = readRoundStart(storage_, key);
    if (closed) info.end = readRoundEnd(storage_, key);
    Round round;
    readPieces(info, round);
    readEnd(info, round);
    findRanges(info, round);
    rounds_.push_back(std::move(info));
    contents_.push_back(std::move(round));
}

void ArchiveReader::readPieces(RoundInfo& info, Round& round) {
    const RoundKey key = info.start.key;
    std::set<PieceKey> pieces;
    for (const auto& object : storage_.list(fmt::format("pieces/piece_d{}r{}p", key.dest, key.round))) {
        const auto piece = parsePieceStart(object.key);
        if (piece && piece->roundKey() == key) pieces.insert(*piece);
    }
    round.first_position = info.start.position;
    round.first_scn = info.start.scn;
    for (const PieceKey& piece : pieces) {
        const bool frozen = storage_.stat(pieceInfoKey(piece)).has_value();
        if (!frozen && piece != *pieces.rbegin()) {
            throw Error(ErrorCode::NotFound, fmt::format("{}/{} is missing", storage_.url(), pieceInfoKey(piece)));
        }
        const PieceRecord record =
            readPiece(storage_, frozen ? pieceInfoKey(piece) : findPieceStart(storage_, piece), piece);
        if (info.pieces.empty()) {
            round.first_position = record.start;
            round.first_scn = record.state.start_scn;
        }
        info.pieces.push_back(record.state);
        info.position = record.end;
        if (!frozen) readCheckpoint(info.pieces.back());
        for (const std::uint64_t id : listSegments(storage_, piece))
            round.segments.push_back({piece, id});
    }
}

/// Takes the newest checkpoint, which promises no less than any before it. Before the segments are listed: a checkpoint
/// noted after that would promise segments that are not in the list.
void ArchiveReader::readCheckpoint(PieceState& piece) const {
    for (int attempt = 1;; ++attempt) {
        const auto newest = newestCheckpoint(piece.key);
        if (!newest) return;
        try {
            piece.files = std::max(piece.files, readCheckpointFiles(storage_, checkpointKey(piece.key, *newest)));
            piece.checkpoint_scn = std::max(piece.checkpoint_scn, *newest);
            return;
        } catch (const Error& error) {
            // Replaced by a newer one since it was listed. Without its number of files a segment that is missing at
            // the end would go unnoticed.
            if (error.code() != ErrorCode::NotFound || attempt == kCheckpointAttempts) throw;
        }
    }
}

std::optional<Scn> ArchiveReader::newestCheckpoint(const PieceKey& piece) const {
    std::optional<Scn> newest;
    for (const auto& object : storage_.list(checkpointPrefix(piece)))
        newest = std::max(newest, parseCheckpoint(piece, object.key));
    return newest;
}

/// Brings the newest piece up to date: its record is as old as its beginning.
void ArchiveReader::readEnd(RoundInfo& info, const Round& round) const {
    info.checkpoint_scn = info.start.scn;
    if (info.pieces.empty()) {
        info.position = info.start.position;
        return;
    }
    PieceState& piece = info.pieces.back();
    if (!piece.frozen && !round.segments.empty() && round.segments.back().piece == piece.key) {
        const SegmentFile last = open(round.segments.back());
        info.position = positionAfter(last.header(), last.readIndex());
        piece.files = std::max(piece.files, last.header().file_id);
        piece.max_scn = last.summary().to_scn;
        piece.checkpoint_scn = std::max(piece.checkpoint_scn, piece.max_scn);
        piece.input_bytes = last.header().piece_input_before + last.summary().raw_size;
        piece.output_bytes = last.header().piece_output_before + last.size();
    }
    info.checkpoint_scn = std::max(piece.checkpoint_scn, piece.start_scn);
}

/// What should lie between segment `next` - 1 and `next` and does not: the key of its first object. `next` may be the
/// number of segments, for what is missing at the end.
std::optional<std::string> ArchiveReader::missingBefore(const RoundInfo& info, const Round& round,
                                                        std::size_t next) const {
    if (info.pieces.empty()) return std::nullopt;
    SegmentPlace expected{info.pieces.front().key, info.pieces.front().first_file};
    if (next > 0) expected = {round.segments[next - 1].piece, round.segments[next - 1].file_id + 1};
    const bool at_end = next == round.segments.size();
    for (const PieceState& piece : info.pieces) {
        if (piece.key.piece < expected.piece.piece) continue;
        if (piece.key != expected.piece)
            return segmentKey(expected.piece, expected.file_id);  // a whole piece is missing
        if (!at_end && round.segments[next] == expected) return std::nullopt;
        if (expected.file_id <= piece.files) return segmentKey(expected.piece, expected.file_id);
        expected = {{piece.key.dest, piece.key.round, piece.key.piece + 1}, 1};
    }
    if (at_end) return std::nullopt;
    return segmentKey(expected.piece, expected.file_id);
}

void ArchiveReader::findRanges(RoundInfo& info, const Round& round) const {
    LogRange range{round.first_scn, round.first_scn};
    for (std::size_t i = 0; i <= round.segments.size(); ++i) {
        const auto missing = missingBefore(info, round, i);
        if (!missing) continue;
        if (i > 0) range.to = open(round.segments[i - 1]).summary().to_scn;
        const bool at_end = i == round.segments.size();
        const Scn resumes = at_end ? info.checkpoint_scn : open(round.segments[i]).header().before_scn;
        info.gaps.push_back({range.to, resumes, *missing});
        info.ranges.push_back(range);
        if (at_end) return;
        range.from = resumes;
    }
    range.to = info.checkpoint_scn;
    info.ranges.push_back(range);
}

std::size_t ArchiveReader::indexOf(const RoundKey& key) const {
    for (std::size_t i = 0; i < rounds_.size(); ++i) {
        if (rounds_[i].start.key == key) return i;
    }
    throw Error(ErrorCode::NotFound, fmt::format("{} has no {}", storage_.url(), nameOf(key)));
}

const RoundInfo& ArchiveReader::round(const RoundKey& key) const {
    return rounds_[indexOf(key)];
}

const std::vector<SegmentPlace>& ArchiveReader::segments(const RoundKey& key) const {
    return contents_[indexOf(key)].segments;
}

void ArchiveReader::requireAdjacent(const RoundKey& key, std::size_t next) const {
    const std::size_t i = indexOf(key);
    if (const auto missing = missingBefore(rounds_[i], contents_[i], next)) {
        throw Error(ErrorCode::NotFound, fmt::format("{}/{} is missing", storage_.url(), *missing));
    }
}

/// The index of the first segment that begins after `scn`.
std::size_t ArchiveReader::firstAfter(const Round& round, Scn scn) const {
    const auto found = std::partition_point(round.segments.begin(), round.segments.end(),
                                            [&](const auto& place) { return open(place).summary().from_scn <= scn; });
    return static_cast<std::size_t>(found - round.segments.begin());
}

std::optional<ArchiveReader::Target> ArchiveReader::positionAt(Scn scn) const {
    for (std::size_t i = rounds_.size(); i-- > 0;) {
        const auto& ranges = rounds_[i].ranges;
        const bool reaches = std::any_of(ranges.begin(), ranges.end(),
                                         [&](const LogRange& range) { return range.from <= scn && scn <= range.to; });
        if (reaches) return targetIn(rounds_[i], contents_[i], scn);
    }
    return std::nullopt;
}

ArchiveReader::Target ArchiveReader::targetIn(const RoundInfo& info, const Round& round, Scn scn) const {
    Target target{info.start.key, round.first_position, round.first_scn};
    const std::size_t after = firstAfter(round, scn);
    if (after == 0) return target;
    const SegmentFile segment = open(round.segments[after - 1]);
    target.position = segment.header().before;
    for (const auto& entry : segment.readIndex().transactions) {
        if (entry.scn > scn) break;
        target.position.set(entry.gtid);
        target.scn = entry.scn;
    }
    return target;
}

std::optional<ArchiveReader::Covered> ArchiveReader::scnOf(const RoundKey& key,
                                                           const mysql::GtidPosition& position) const {
    for (std::size_t i = 0; i < rounds_.size(); ++i) {
        if (rounds_[i].start.key != key || !position.contains(contents_[i].first_position)) continue;
        const Covered covered = coveredBy(rounds_[i], contents_[i], position);
        // A closed round that ends before the position does not go on from there.
        if (covered.complete || !rounds_[i].end) return covered;
    }
    return std::nullopt;
}

std::vector<ArchiveReader::Settings> ArchiveReader::settings(const RoundKey& key) const {
    std::vector<Settings> found;
    Scn after = 0;
    for (SettingsRecord& record : readSettings(storage_, key)) {
        if (!round(key).position.contains(record.position)) break;
        // Transactions get their SCNs when they arrive, which may be later than a change that came behind them.
        if (const auto covered = scnOf(key, record.position)) after = std::max(after, covered->scn);
        found.push_back({std::max(record.scn, after), after, std::move(record.settings)});
    }
    return found;
}

ArchiveReader::Covered ArchiveReader::coveredBy(const RoundInfo& info, const Round& round,
                                                const mysql::GtidPosition& position) const {
    const auto found = std::partition_point(round.segments.begin(), round.segments.end(), [&](const auto& place) {
        return position.contains(open(place).header().before);
    });
    Covered covered{round.first_scn, info.position.contains(position)};
    // Every segment before `found` begins inside the position; only the last of them can reach beyond it. It may also
    // begin exactly at its end: then the one before it has the last transaction.
    for (auto at = found; at != round.segments.begin();) {
        const SegmentIndex index = open(*--at).readIndex();
        for (const auto& entry : index.transactions) {
            if (position.contains(entry.gtid)) covered.scn = std::max(covered.scn, entry.scn);
        }
        if (position.contains(index.transactions.front().gtid)) break;
    }
    return covered;
}

std::size_t ArchiveReader::findSegment(const RoundKey& key, const mysql::GtidPosition& position) const {
    const std::size_t i = indexOf(key);
    const Round& round = contents_[i];
    if (!position.contains(round.first_position)) {
        throw Error(ErrorCode::NotFound, fmt::format("{} at {} begins at {}; the log from {} on is wanted", nameOf(key),
                                                     storage_.url(), round.first_position.text(), position.text()));
    }
    if (position.contains(rounds_[i].position)) return round.segments.size();
    const auto found = std::partition_point(round.segments.begin(), round.segments.end(), [&](const auto& place) {
        return position.contains(open(place).header().before);
    });
    if (found == round.segments.begin()) requireAdjacent(key, 0);
    const auto at = static_cast<std::size_t>(found - round.segments.begin());
    return at == 0 ? 0 : at - 1;
}

void ArchiveReader::transactions(Scn from, Scn to, const std::function<bool(const TransactionEntry&)>& visit) const {
    for (const Round& round : contents_) {
        const std::size_t first = firstAfter(round, from);
        for (std::size_t i = first == 0 ? 0 : first - 1; i < round.segments.size(); ++i) {
            const SegmentFile segment = open(round.segments[i]);
            if (segment.summary().from_scn > to) break;
            for (const auto& entry : segment.readIndex().transactions) {
                if (entry.scn >= from && entry.scn <= to && !visit(entry)) return;
            }
        }
    }
}

ArchiveReader::Extent ArchiveReader::extent(const RoundKey& key, const mysql::GtidPosition& after, Scn until) const {
    Extent extent;
    const auto& places = segments(key);
    for (std::size_t i = findSegment(key, after); i < places.size(); ++i) {
        const SegmentFile segment = open(places[i]);
        if (segment.summary().from_scn > until) break;
        for (const auto& entry : segment.readIndex().transactions) {
            if (entry.scn > until || after.contains(entry.gtid)) continue;
            ++extent.transactions;
            extent.bytes += entry.size;
        }
    }
    return extent;
}

}  // namespace tidemark::archive
