#pragma once

#include <map>
#include <vector>

#include "archive/layout.h"
#include "mysql/gtid.h"
#include "storage/storage.h"

namespace tidemark::archive {

/// The small records of an archive, JSON documents as in storage/document.h; docs/format/archive_piece.md. Readers
/// throw NotFound or Corrupt, naming the object; one of another round or piece than is asked for is Corrupt, too.

/// "rounds/round_…_start.obarc"
struct RoundStart {
    RoundKey key;
    std::uint64_t tenant_id = 0;
    std::uint64_t base_piece_id = 0;
    Scn scn = 0;
    mysql::GtidPosition position;
    Nanos piece_interval = 0;
};
void putRecord(storage::Storage& storage, const RoundStart& record);
RoundStart readRoundStart(storage::Storage& storage, const RoundKey& round);

/// "rounds/round_…_end.obarc"
struct RoundEnd {
    RoundKey key;
    Scn checkpoint_scn = 0;
    std::uint64_t used_piece_id = 0;
    mysql::GtidPosition position;
    std::string reason;  ///< for people
};
void putRecord(storage::Storage& storage, const RoundEnd& record);
RoundEnd readRoundEnd(storage::Storage& storage, const RoundKey& round);

/// "settings/round_…_<scn>.obarc": what the settings of the tenant are from there on. They are not in the log.
struct SettingsRecord {
    RoundKey key;
    Scn scn = 0;                   ///< in force for restores to this point or later
    mysql::GtidPosition position;  ///< of the binlog then; empty: not known, but behind the record before
    std::map<std::string, std::string> settings;  ///< as in a backup set's description
};
/// Does nothing if it is there.
void putRecord(storage::Storage& storage, const SettingsRecord& record);
/// In order; none in archives of older versions.
std::vector<SettingsRecord> readSettings(storage::Storage& storage, const RoundKey& round);

/// A piece as the views show it. Bytes are raw (input) and stored (output).
struct PieceState {
    PieceKey key;
    Scn start_scn = 0;
    Scn end_scn = 0;         ///< planned; once frozen, what it really came to
    Scn checkpoint_scn = 0;  ///< everything up to here is durable; 0 = nothing yet
    Scn max_scn = 0;         ///< of its last transaction; 0 = none
    std::uint64_t input_bytes = 0;
    std::uint64_t output_bytes = 0;
    std::uint64_t files = 0;  ///< number of its last segment
    bool frozen = false;
    std::uint64_t first_file = 1;  ///< number of its first segment: later ones begin what was copied of a piece
};

/// What a piece's start, end and info objects hold: all the same, at different times.
struct PieceRecord {
    PieceState state;
    mysql::GtidPosition start;
    mysql::GtidPosition end;
};
void putRecord(storage::Storage& storage, const storage::Key& key, const PieceRecord& record);
PieceRecord readPiece(storage::Storage& storage, const storage::Key& key, const PieceKey& piece);

/// "…/checkpoint/checkpoint_info.<scn>.obarc": its name says up to when, `files` how many segments the piece had then,
/// so that the loss of the last ones is noticed.
void putCheckpoint(storage::Storage& storage, const PieceKey& piece, Scn scn, const mysql::GtidPosition& position,
                   std::uint64_t files);
std::uint64_t readCheckpointFiles(storage::Storage& storage, const storage::Key& key);
/// "…/file_info.obarc", for people and other tools.
void putPieceFiles(storage::Storage& storage, const PieceState& piece);

}  // namespace tidemark::archive
