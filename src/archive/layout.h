#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "storage/storage.h"

namespace tidemark::archive {

/// Names of objects at a log archive destination; OceanBase's, see docs/format/archive_piece.md.

struct RoundKey {
    std::uint64_t dest = 0;
    std::uint64_t round = 0;
    auto operator<=>(const RoundKey&) const = default;
};

struct PieceKey {
    std::uint64_t dest = 0;
    std::uint64_t round = 0;
    std::uint64_t piece = 0;
    RoundKey roundKey() const { return {dest, round}; }
    auto operator<=>(const PieceKey&) const = default;
};

std::string nameOf(const RoundKey& round);  ///< "round_d1001r1"
std::string nameOf(const PieceKey& piece);  ///< "piece_d1001r1p1"

storage::Key roundStartKey(const RoundKey& round);
storage::Key roundEndKey(const RoundKey& round);
storage::Key settingsPrefix(const RoundKey& round);
storage::Key settingsKey(const RoundKey& round, Scn scn);
storage::Key pieceStartKey(const PieceKey& piece, Scn start);
storage::Key pieceEndKey(const PieceKey& piece, Scn end);

storage::Key pieceRangeKey(const PieceKey& piece, Scn start, Scn end);
storage::Key pieceInfoKey(const PieceKey& piece);
storage::Key pieceFilesKey(const PieceKey& piece);
storage::Key checkpointPrefix(const PieceKey& piece);
storage::Key checkpointKey(const PieceKey& piece, Scn scn);
storage::Key segmentPrefix(const PieceKey& piece);
storage::Key segmentKey(const PieceKey& piece, std::uint64_t file_id);

/// The reverse: nullopt for keys that are something else.
struct RoundMarker {
    RoundKey round;
    bool end = false;
};
std::optional<RoundMarker> parseRoundMarker(std::string_view key);
/// "pieces/piece_d…r…p…_start_…" only.
std::optional<PieceKey> parsePieceStart(std::string_view key);
std::optional<Scn> parseCheckpoint(const PieceKey& piece, std::string_view key);
std::optional<Scn> parseSettings(const RoundKey& round, std::string_view key);
std::optional<std::uint64_t> parseSegment(const PieceKey& piece, std::string_view key);

}  // namespace tidemark::archive
