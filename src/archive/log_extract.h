#pragma once

#include <cstdint>
#include <functional>
#include <stop_token>
#include <vector>

#include "archive/archive_reader.h"

namespace tidemark::archive {

/// Which part of a round is wanted. With it the same objects come of the same archive every time, however far the
/// archive has got by then.
struct ExtractRange {
    RoundKey round;
    mysql::GtidPosition after;  ///< what comes behind this
    Scn after_scn = 0;          ///< of its last transaction
    Scn until = 0;              ///< everything up to here, no less than after_scn
    std::uint64_t last_piece = 0;
    std::uint64_t last_file = 0;  ///< of last_piece: the last segment; 0: nothing has happened behind `after`
};

/// All that the reader knows of a round behind a position that the round has reached. Throws NotFound if the log from
/// there on is not all there, naming what is missing.
ExtractRange rangeUntilNow(const ArchiveReader& reader, const RoundKey& round, const mysql::GtidPosition& after,
                           Scn after_scn);

/// An object of an extract: its key there, its bytes, and their XXH3.
struct ExtractedObject {
    storage::Key key;
    std::uint64_t size = 0;
    std::uint64_t checksum = 0;
};

/// Copies part of a round to another place, which then is an archive in itself: an ArchiveReader reads it and finds one
/// round, with nothing missing from `after` to `until`. Its segments are the round's, byte for byte and under the same
/// names; its pieces are frozen and begin with the first segment that is needed. Not thread-safe.
class LogExtract {
public:
    /// What the archive of `reader` has of the range. Throws NotFound, naming it, if something is missing.
    LogExtract(const ArchiveReader& reader, storage::Storage& archive, ExtractRange range);

    std::uint64_t files() const { return segments_.size(); }  ///< segments to be copied
    struct Progress {
        std::uint64_t files = 0;  ///< that are there, and were read back
        std::uint64_t bytes = 0;  ///< of segments, written and found there
    };

    /// Copies what is not there yet, reads all of it back and compares it. What an earlier call has left half done is
    /// gone on with, for objects are whole or not there. Takes 1 MiB of memory, and what a segment's index and one
    /// block of it take. `report` is called for each megabyte and each segment.
    ///
    /// Throws Corrupt or NotFound naming the object, the archive's if that is damaged; Cancelled once `stop` is
    /// requested; what the storages throw.
    std::vector<ExtractedObject> copyTo(storage::Storage& to, std::stop_token stop,
                                        const std::function<void(const Progress&)>& report);

private:
    struct Copy {
        storage::Storage& to;
        std::stop_token stop;
        const std::function<void(const Progress&)>& report;
        Progress progress = {};
        std::vector<ExtractedObject> objects = {};

        void requireGoingOn() const;
    };

    void findSegments(const ArchiveReader& reader);
    void describePieces(const ArchiveReader& reader);
    void addSegment(PieceRecord& piece, const SegmentFile& segment, bool first) const;
    void copySegment(Copy& copy, const SegmentPlace& place) const;
    std::uint64_t copyBytes(Copy& copy, const ExtractedObject& object) const;
    static void readBack(Copy& copy, const ExtractedObject& object);
    void copyDocuments(Copy& copy) const;

    storage::Storage& archive_;
    const ExtractRange range_;
    const RoundStart start_;
    std::vector<SettingsRecord> settings_;
    std::vector<SegmentPlace> segments_;
    std::vector<PieceRecord> pieces_;
};

}  // namespace tidemark::archive
