#pragma once

#include <functional>
#include <map>
#include <optional>
#include <vector>

#include "archive/records.h"
#include "archive/segment_file.h"

namespace tidemark::archive {

/// Missing log: transactions after `from` and up to `to` are not (all) there.
struct LogGap {
    Scn from = 0;
    Scn to = 0;
    std::string first_missing;  ///< key of the first object that is missing
};

/// Every SCN from `from` to `to` can be restored to, given a backup whose MIN_RESTORE_SCN is in the range, too.
struct LogRange {
    Scn from = 0;
    Scn to = 0;
};

struct RoundInfo {
    RoundStart start;
    std::optional<RoundEnd> end;  ///< none while it is open
    Scn checkpoint_scn = 0;
    mysql::GtidPosition position;  ///< of the last transaction
    std::vector<PieceState> pieces;
    std::vector<LogRange> ranges;
    std::vector<LogGap> gaps;
};

/// A segment by its place.
struct SegmentPlace {
    PieceKey piece;
    std::uint64_t file_id = 0;
    bool operator==(const SegmentPlace&) const = default;
};

/// Reads an archive from nothing but its destination. What is there is listed when it is constructed, and again by
/// refresh(); a round may be written meanwhile. Errors name the damaged object; what is missing in the midst of a round
/// is reported as data. Methods marked const may be called from several threads.
class ArchiveReader {
public:
    explicit ArchiveReader(storage::Storage& storage);
    /// Only one round, for those who look often; without it, if it is not there.
    ArchiveReader(storage::Storage& storage, const RoundKey& only);
    void refresh();

    const std::vector<RoundInfo>& rounds() const { return rounds_; }
    /// Throws NotFound.
    const RoundInfo& round(const RoundKey& key) const;

    /// The place in the log where a restore to `scn` has to stop.
    struct Target {
        RoundKey round;
        mysql::GtidPosition position;  ///< everything with an SCN up to the target, and nothing else
        Scn scn = 0;                   ///< of the last transaction up to it; the round's start if there is none
    };
    /// nullopt if no round has the log up to there; see rounds().ranges. The newest round wins.
    std::optional<Target> positionAt(Scn scn) const;

    /// The SCN that a state of the database corresponds to, given as @@gtid_binlog_pos at that moment.
    struct Covered {
        Scn scn = 0;            ///< of the last archived transaction in it; the round's start if there is none
        bool complete = false;  ///< the round has reached the position; false: ask again later
    };
    /// nullopt if the round does not go on from that position. Positions are compared by number, so this says nothing
    /// of a state that comes from before the round: it may have the numbers of another history.
    std::optional<Covered> scnOf(const RoundKey& round, const mysql::GtidPosition& position) const;

    /// What the settings of the tenant became, and when; docs/format/archive_piece.md.
    struct Settings {
        Scn from = 0;   ///< in force for restores to this point or later
        Scn after = 0;  ///< what has an SCN up to this one was done under those before
        std::map<std::string, std::string> settings;
    };
    /// In order; the first one has those that the round began with. None in archives of older versions, and none that
    /// the archived log does not reach. Reads them from the destination.
    std::vector<Settings> settings(const RoundKey& round) const;

    /// Calls `visit` for every transaction with from ≤ SCN ≤ to, in order, over all rounds, until it returns false.
    void transactions(Scn from, Scn to, const std::function<bool(const TransactionEntry&)>& visit) const;

    /// How much lies after `after` up to `until` in a round.
    struct Extent {
        std::uint64_t transactions = 0;
        std::uint64_t bytes = 0;
    };
    Extent extent(const RoundKey& round, const mysql::GtidPosition& after, Scn until) const;

    /// The segments of a round that are there, in order.
    const std::vector<SegmentPlace>& segments(const RoundKey& round) const;
    SegmentFile open(const SegmentPlace& place) const { return {storage_, place.piece, place.file_id}; }
    /// The index in segments() of the one in which the log goes on after `position`; segments().size() if the position
    /// is that of the round's end. Throws NotFound if the log between is not there.
    std::size_t findSegment(const RoundKey& round, const mysql::GtidPosition& position) const;
    /// Throws NotFound, naming what is missing, unless segment `next` of the round directly follows its predecessor.
    void requireAdjacent(const RoundKey& round, std::size_t next) const;

private:
    struct Round {
        std::vector<SegmentPlace> segments;
        mysql::GtidPosition first_position;  // before the first piece that is there
        Scn first_scn = 0;
    };
    void readRound(const RoundKey& key, bool closed);
    void readPieces(RoundInfo& info, Round& round);
    void readCheckpoint(PieceState& piece) const;
    std::optional<Scn> newestCheckpoint(const PieceKey& piece) const;
    void readEnd(RoundInfo& info, const Round& round) const;
    void findRanges(RoundInfo& info, const Round& round) const;
    std::optional<std::string> missingBefore(const RoundInfo& info, const Round& round, std::size_t next) const;
    std::size_t firstAfter(const Round& round, Scn scn) const;
    Target targetIn(const RoundInfo& info, const Round& round, Scn scn) const;
    Covered coveredBy(const RoundInfo& info, const Round& round, const mysql::GtidPosition& position) const;
    std::size_t indexOf(const RoundKey& key) const;

    storage::Storage& storage_;
    std::optional<RoundKey> only_;
    std::vector<RoundInfo> rounds_;  // by dest and round id
    std::vector<Round> contents_;    // the same, in the same order
};

}  // namespace tidemark::archive
