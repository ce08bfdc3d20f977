#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "archive/piece_writer.h"
#include "base/error.h"

namespace tidemark::archive {

/// What the catalog decided about a round before it begins.
struct RoundDescription {
    RoundKey key;
    std::uint64_t tenant_id = 0;
    std::uint64_t base_piece_id = 1;  ///< number of its first piece; numbers go on across the rounds of a destination
    Nanos piece_interval = 24 * 3600 * kSecond;
};

/// The numbers of a round, over all its pieces that are there.
struct RoundState {
    Scn start_scn = 0;
    Scn checkpoint_scn = 0;  ///< everything up to here is durable, and the destination says so
    Scn covered_scn = 0;     ///< no less; nothing came after it up to here, which the destination does not know yet
    Scn max_scn = 0;         ///< of the last transaction; 0 = none
    std::uint64_t input_bytes = 0;
    std::uint64_t output_bytes = 0;
    std::uint64_t base_piece_id = 0;
    std::uint64_t used_piece_id = 0;
    /// The first piece that the bytes count: those before it were removed before the round was opened.
    std::uint64_t first_piece_id = 0;
};

/// The end of a round that is being written: transactions in binlog order in, segments in pieces out. Opens what is at
/// the destination and goes on behind the last thing that is really durable there. Not thread-safe. A call that throws
/// makes it unusable (a half-written object must not be finished later): make a new one, which finds out what is
/// durable.
class RoundWriter {
public:
    /// Where the binlog is when a round begins.
    struct StartPoint {
        Scn scn = 0;
        mysql::GtidPosition position;
    };
    /// `start` is asked only if the round has not begun yet. Throws Conflict if the round is closed already, Corrupt if
    /// what is there is damaged.
    RoundWriter(storage::Storage& storage, const RoundDescription& round, const std::function<StartPoint()>& start);

    /// Of everything taken, durable or not: where the binlog is to be read on.
    const mysql::GtidPosition& position() const { return position_; }
    /// The highest SCN given out, durable or not; also idle checkpoints.
    Scn lastScn() const { return last_scn_; }
    /// Where the piece that is written ends.
    Scn pieceEnd() const { return piece_->state().end_scn; }
    const RoundState& state() const { return state_; }
    /// All pieces at first, then those that have changed since the last call.
    std::vector<PieceState> takeChangedPieces();

    /// The events that follow read by this format description. May flush.
    void setFormat(ByteView event, const std::string& server_version);
    /// A transaction comes whose SCN will be at least `scn`. May flush, and begins a new piece when it is time.
    void beginTransaction(Scn scn);
    void append(ByteView bytes);
    /// `entry.scn` must be above lastScn().
    void endTransaction(const TransactionEntry& entry);

    std::uint64_t pendingBytes() const { return segment_ ? segment_->rawSize() : 0; }
    bool pending() const { return segment_ && !segment_->empty(); }
    /// Makes all whole transactions durable. What has come of an unfinished one is dropped.
    void flush();
    /// Nothing has happened up to `scn`; only when nothing is pending. The destination is told.
    void checkpoint(Scn scn);
    /// The same without telling the destination: whatever comes is above `scn`, and the next checkpoint, freezing or
    /// end of the round includes it. Also what an earlier writer of the round has promised. Below pieceEnd() only.
    void cover(Scn scn);
    /// Flushes, freezes the piece, and ends the round. `reason` is for people.
    void close(const std::string& reason);

    /// False once a call has thrown.
    bool usable() const { return usable_; }

private:
    template <typename Work>
    void attempt(Work work) {
        if (!usable_) throw Error(ErrorCode::Internal, "the round is written on after a failure");
        usable_ = false;
        work();
        usable_ = true;
    }
    void writeSegment();
    void open(const std::function<StartPoint()>& start);
    void begin(const StartPoint& start);
    void openPieces();
    void beginPiece(Scn at_least);
    void switchPieceBy(Scn scn);
    void refreshState();

    storage::Storage& storage_;
    const RoundDescription round_;
    StartPoint start_;
    std::vector<PieceState> frozen_;
    std::unique_ptr<PieceWriter> piece_;
    std::unique_ptr<SegmentWriter> segment_;
    Bytes format_;
    std::string server_version_;
    mysql::GtidPosition position_;
    Scn last_scn_ = 0;
    RoundState state_;
    std::vector<PieceState> changed_;
    bool usable_ = true;
};

/// Ends a round that nobody writes (one that was interrupted, say), and returns its writer, which tells what it came
/// to. Does nothing and returns null if it is closed or never began.
std::unique_ptr<RoundWriter> closeRound(storage::Storage& storage, const RoundDescription& round,
                                        const std::string& reason);

}  // namespace tidemark::archive
