#pragma once

#include <memory>
#include <optional>
#include <string>

#include "archive/records.h"
#include "archive/segment_writer.h"

namespace tidemark::archive {

/// The end of a piece that is being written: its segments, its checkpoints, its freezing. Not thread-safe. All methods
/// throw what the storage throws; nothing that was not durable is ever counted.
class PieceWriter {
public:
    struct Start {
        PieceKey key;
        Scn start_scn = 0;
        Scn end_scn = 0;
        mysql::GtidPosition position;
    };
    /// Begins a new piece.
    PieceWriter(storage::Storage& storage, const Start& start);
    /// Goes on with one, from what really is at the destination. Throws Corrupt, naming the object, if a segment is
    /// missing or damaged. A piece that was already frozen is given what a crash kept from it, and is frozen().
    PieceWriter(storage::Storage& storage, const PieceKey& key);

    const PieceState& state() const { return state_; }
    const mysql::GtidPosition& position() const { return position_; }  ///< of what is durable
    bool frozen() const { return state_.frozen; }

    SegmentHeader nextSegment() const;
    void added(const SegmentWriter::Finished& segment, const mysql::GtidPosition& after);
    /// Everything up to `scn` is durable, without a new transaction. Replaces the last such note.
    void checkpoint(Scn scn);
    void freeze(Scn end_scn);

private:
    void readSegments();
    void readCheckpoints();
    void removeOldCheckpoint(const storage::Key& key);
    void writeFrozenMarkers();

    storage::Storage& storage_;
    PieceState state_;
    mysql::GtidPosition start_position_;
    mysql::GtidPosition position_;
    std::optional<storage::Key> checkpoint_object_;
};

/// Numbers of the segments of a piece that are there, ascending. Other objects are ignored.
std::vector<std::uint64_t> listSegments(storage::Storage& storage, const PieceKey& piece);

/// The key of the object that says how a piece began. Throws NotFound.
storage::Key findPieceStart(storage::Storage& storage, const PieceKey& piece);

/// What a position becomes by the transactions of a segment.
mysql::GtidPosition positionAfter(const SegmentHeader& header, const SegmentIndex& index);

}  // namespace tidemark::archive
