#include "archive/round_writer.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/crash_point.h"
#include "base/error.h"
#include "mysql/binlog_event.h"

namespace tidemark::archive {

RoundWriter::RoundWriter(storage::Storage& storage, const RoundDescription& round,
                         const std::function<StartPoint()>& start)
    : storage_(storage), round_(round) {
    if (storage_.stat(roundEndKey(round.key))) {
        throw Error(ErrorCode::Conflict, fmt::format("{} at {} is closed", nameOf(round.key), storage_.url()));
    }
    // What a crashed daemon was writing of this round. PieceWriter sees to the piece's own.
    for (const char* directory : {"rounds/", "pieces/", "settings/"})
        storage_.removeUnfinished(directory);
    open(start);
    position_ = piece_->position();
    refreshState();
    last_scn_ = std::max({state_.start_scn, state_.checkpoint_scn, state_.max_scn});
    changed_.insert(changed_.begin(), frozen_.begin(), frozen_.end());
}

void RoundWriter::open(const std::function<StartPoint()>& start) {
    if (!storage_.stat(roundStartKey(round_.key))) {
        begin(start());
    } else {
        const RoundStart record = readRoundStart(storage_, round_.key);
        start_ = {record.scn, record.position};
    }
    openPieces();
}

void RoundWriter::begin(const StartPoint& start) {
    start_ = start;
    putRecord(storage_, RoundStart{round_.key, round_.tenant_id, round_.base_piece_id, start.scn, start.position,
                                   round_.piece_interval});
    crashPoint("archive.round-started");
}

void RoundWriter::openPieces() {
    std::vector<std::uint64_t> ids;
    for (const auto& object : storage_.list(fmt::format("pieces/piece_d{}r{}p", round_.key.dest, round_.key.round))) {
        const auto piece = parsePieceStart(object.key);
        if (piece && piece->roundKey() == round_.key) ids.push_back(piece->piece);
    }
    std::sort(ids.begin(), ids.end());
    for (std::size_t i = 0; i < ids.size(); ++i) {
        const PieceKey key{round_.key.dest, round_.key.round, ids[i]};
        // The oldest ones may have been removed, with the sets that needed them.
        if (ids[i] != ids[0] + i || ids[0] < round_.base_piece_id) {
            throw Error(ErrorCode::Corrupt,
                        fmt::format("{} has no piece {}, but piece {}", nameOf(round_.key),
                                    std::max(ids[0], round_.base_piece_id) + i, ids[i]));
        }
        if (piece_) frozen_.push_back(piece_->state());
        piece_ = std::make_unique<PieceWriter>(storage_, key);
    }
    if (!piece_) beginPiece(start_.scn);
    if (piece_->frozen()) beginPiece(piece_->state().end_scn);
}

/// The next piece begins where the last one ended, and ends at the first multiple of the interval after `at_least`: an
/// archiver that was away for days makes one long piece, not many empty ones.
void RoundWriter::beginPiece(Scn at_least) {
    PieceWriter::Start next{{round_.key.dest, round_.key.round, round_.base_piece_id}, start_.scn, 0, start_.position};
    if (piece_) {
        frozen_.push_back(piece_->state());
        changed_.push_back(piece_->state());
        next.key.piece = piece_->state().key.piece + 1;
        next.start_scn = piece_->state().end_scn;
        next.position = piece_->position();
    }
    const auto interval = static_cast<Scn>(round_.piece_interval);
    next.end_scn = start_.scn + (std::max(at_least, next.start_scn) - start_.scn) / interval * interval + interval;
    piece_ = std::make_unique<PieceWriter>(storage_, next);
    crashPoint("archive.piece-started");
}

void RoundWriter::switchPieceBy(Scn scn) {
    if (scn < piece_->state().end_scn) return;
    writeSegment();
    piece_->freeze(std::max(piece_->state().end_scn, piece_->state().max_scn));
    crashPoint("archive.piece-switched");
    last_scn_ = std::max(last_scn_, piece_->state().end_scn);
    beginPiece(scn);
    refreshState();
}

void RoundWriter::refreshState() {
    const PieceState& current = piece_->state();
    const Scn covered = state_.covered_scn;
    state_ = {start_.scn, start_.scn, 0, 0, 0, 0, round_.base_piece_id, current.key.piece};
    const auto add = [&](const PieceState& piece) {
        state_.checkpoint_scn = std::max(state_.checkpoint_scn, piece.checkpoint_scn);
        state_.max_scn = std::max(state_.max_scn, piece.max_scn);
        state_.input_bytes += piece.input_bytes;
        state_.output_bytes += piece.output_bytes;
    };
    state_.first_piece_id = frozen_.empty() ? current.key.piece : frozen_.front().key.piece;
    std::for_each(frozen_.begin(), frozen_.end(), add);
    add(current);
    state_.covered_scn = std::max(covered, state_.checkpoint_scn);
    std::erase_if(changed_, [&](const PieceState& piece) { return piece.key == current.key; });
    changed_.push_back(current);
}

std::vector<PieceState> RoundWriter::takeChangedPieces() {
    return std::exchange(changed_, {});
}

void RoundWriter::setFormat(ByteView event, const std::string& server_version) {
    const bool restarted = mysql::parseFormatDescription(event).created != 0;
    if (!format_.empty() && !restarted && mysql::sameFormat(format_, event)) return;
    flush();
    format_.assign(event.begin(), event.end());
    server_version_ = server_version;
}

void RoundWriter::beginTransaction(Scn scn) {
    attempt([&] {
        switchPieceBy(scn);
        if (segment_) return;
        SegmentHeader header = piece_->nextSegment();
        header.format = format_;
        header.server_version = server_version_;
        segment_ = std::make_unique<SegmentWriter>(storage_, std::move(header));
    });
}

void RoundWriter::append(ByteView bytes) {
    attempt([&] { segment_->append(bytes); });
}

void RoundWriter::endTransaction(const TransactionEntry& entry) {
    if (entry.scn <= last_scn_) {
        throw Error(ErrorCode::Internal,
                    fmt::format("SCN {} of {} is not above {}", entry.scn, entry.gtid.text(), last_scn_));
    }
    segment_->endTransaction(entry);
    position_.set(entry.gtid);
    last_scn_ = entry.scn;
}

void RoundWriter::flush() {
    attempt([&] { writeSegment(); });
}

void RoundWriter::writeSegment() {
    const auto segment = std::exchange(segment_, nullptr);
    if (!segment || segment->empty()) return;
    piece_->added(segment->finish(), position_);
    crashPoint("archive.segment-sealed");
    refreshState();
}

void RoundWriter::checkpoint(Scn scn) {
    if (pending()) throw Error(ErrorCode::Internal, "a checkpoint with transactions pending");
    attempt([&] {
        switchPieceBy(scn);
        piece_->checkpoint(scn);
        last_scn_ = std::max(last_scn_, scn);
        refreshState();
    });
}

void RoundWriter::cover(Scn scn) {
    state_.covered_scn = std::max(state_.covered_scn, scn);
    last_scn_ = std::max(last_scn_, scn);
}

void RoundWriter::close(const std::string& reason) {
    attempt([&] {
        writeSegment();
        const PieceState& piece = piece_->state();
        piece_->freeze(std::max({piece.start_scn, piece.checkpoint_scn, piece.max_scn, state_.covered_scn}));
        refreshState();
        putRecord(storage_, RoundEnd{round_.key, state_.checkpoint_scn, state_.used_piece_id, position_, reason});
        crashPoint("archive.round-ended");
    });
}

std::unique_ptr<RoundWriter> closeRound(storage::Storage& storage, const RoundDescription& round,
                                        const std::string& reason) {
    if (!storage.stat(roundStartKey(round.key)) || storage.stat(roundEndKey(round.key))) return nullptr;
    auto writer = std::make_unique<RoundWriter>(storage, round, [] { return RoundWriter::StartPoint{}; });
    writer->close(reason);
    return writer;
}

}  // namespace tidemark::archive
