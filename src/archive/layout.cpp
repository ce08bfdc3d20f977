#include "archive/layout.h"

#include <fmt/format.h>

#include <charconv>

namespace tidemark::archive {
namespace {

constexpr std::string_view kSuffix = ".obarc";

std::string compact(Scn scn) {
    return formatCompact(static_cast<Nanos>(scn));
}

bool take(std::string_view& text, std::string_view expected) {
    if (!text.starts_with(expected)) return false;
    text.remove_prefix(expected.size());
    return true;
}

/// As we write numbers: with a zero before it, the name of an object would be a second one for the same thing.
bool take(std::string_view& text, std::uint64_t& into) {
    const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), into);
    if (failure != std::errc{} || (text.front() == '0' && end != text.data() + 1)) return false;
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    return true;
}

/// The number in "<prefix><number>.obarc".
std::optional<std::uint64_t> numberIn(std::string_view key, const std::string& prefix) {
    std::uint64_t number = 0;
    if (take(key, prefix) && take(key, number) && key == kSuffix) return number;
    return std::nullopt;
}

}  // namespace

std::string nameOf(const RoundKey& round) {
    return fmt::format("round_d{}r{}", round.dest, round.round);
}
std::string nameOf(const PieceKey& piece) {
    return fmt::format("piece_d{}r{}p{}", piece.dest, piece.round, piece.piece);
}

storage::Key roundStartKey(const RoundKey& round) {
    return "rounds/" + nameOf(round) + "_start.obarc";
}
storage::Key roundEndKey(const RoundKey& round) {
    return "rounds/" + nameOf(round) + "_end.obarc";
}
storage::Key settingsPrefix(const RoundKey& round) {
    return "settings/" + nameOf(round) + "_";
}
storage::Key settingsKey(const RoundKey& round, Scn scn) {
    return settingsPrefix(round) + std::to_string(scn) + std::string(kSuffix);
}

storage::Key pieceStartKey(const PieceKey& piece, Scn start) {
    return fmt::format("pieces/{}_start_{}.obarc", nameOf(piece), compact(start));
}
storage::Key pieceEndKey(const PieceKey& piece, Scn end) {
    return fmt::format("pieces/{}_end_{}.obarc", nameOf(piece), compact(end));
}

storage::Key pieceRangeKey(const PieceKey& piece, Scn start, Scn end) {
    return fmt::format("{0}/{0}_{1}_{2}.obarc", nameOf(piece), compact(start), compact(end));
}
storage::Key pieceInfoKey(const PieceKey& piece) {
    return nameOf(piece) + "/single_piece_info.obarc";
}
storage::Key pieceFilesKey(const PieceKey& piece) {
    return nameOf(piece) + "/file_info.obarc";
}
storage::Key checkpointPrefix(const PieceKey& piece) {
    return nameOf(piece) + "/checkpoint/checkpoint_info.";
}
storage::Key checkpointKey(const PieceKey& piece, Scn scn) {
    return checkpointPrefix(piece) + std::to_string(scn) + std::string(kSuffix);
}
storage::Key segmentPrefix(const PieceKey& piece) {
    return nameOf(piece) + "/logstream_1/log/";
}
storage::Key segmentKey(const PieceKey& piece, std::uint64_t file_id) {
    return segmentPrefix(piece) + std::to_string(file_id) + std::string(kSuffix);
}

std::optional<RoundMarker> parseRoundMarker(std::string_view key) {
    RoundMarker marker;
    if (!take(key, "rounds/round_d") || !take(key, marker.round.dest) || !take(key, "r") ||
        !take(key, marker.round.round)) {
        return std::nullopt;
    }
    marker.end = key == "_end.obarc";
    if (!marker.end && key != "_start.obarc") return std::nullopt;
    return marker;
}

std::optional<PieceKey> parsePieceStart(std::string_view key) {
    PieceKey piece;
    const bool matches = take(key, "pieces/piece_d") && take(key, piece.dest) && take(key, "r") &&
                         take(key, piece.round) && take(key, "p") && take(key, piece.piece) && take(key, "_start_");
    return matches ? std::optional(piece) : std::nullopt;
}

std::optional<Scn> parseCheckpoint(const PieceKey& piece, std::string_view key) {
    return numberIn(key, checkpointPrefix(piece));
}
std::optional<Scn> parseSettings(const RoundKey& round, std::string_view key) {
    return numberIn(key, settingsPrefix(round));
}
std::optional<std::uint64_t> parseSegment(const PieceKey& piece, std::string_view key) {
    return numberIn(key, segmentPrefix(piece));
}

}  // namespace tidemark::archive
