#include "validate/unit_check.h"

#include <fmt/format.h>

#include <algorithm>

#include "archive/archive_reader.h"
#include "storage/destination.h"
#include "validate/lost.h"
#include "validate/piece_check.h"
#include "validate/set_check.h"

namespace tidemark::validate {
namespace {

using catalog::FindingKind;
using catalog::Harm;
using Kind = PlannedUnit::Kind;

std::vector<Finding> checkDestination(const PlannedUnit& unit, const Checking& with) {
    Findings findings;
    const Harm harm = unit.kind == Kind::DataDestination ? Harm::Data : Harm::Archive;
    with.counted(storage::kMarkerKey);
    try {
        if (!with.storage.stat(storage::kMarkerKey))
            throw Error(ErrorCode::NotFound, "it does not exist, without which no restore takes the directory");
        storage::readDestination(unit.path);
    } catch (const Error& error) {
        if (!with.isFinding(error)) throw;
        findings.add(error, with.uri(storage::kMarkerKey), harm);
    }
    return findings.take();
}

std::vector<Finding> checkSet(const UnitCheckParts& parts, const PlannedUnit& unit, const Checking& with) {
    const auto known = parts.stores.validations.openFindings(parts.tenant);
    SetCheck check(with, unit.set(), [&](const std::string& object) {
        return std::ranges::any_of(known, [&](const auto& finding) { return finding.object == object; });
    });
    std::vector<Finding> findings = check.run();
    const bool open = check.description() && !check.description()->sealed;
    if (open) parts.plan.positions[unit.id.backup_set_id] = check.description()->gtid;
    return findings;
}

/// Asks as a restore does whether the log of a round goes on from a set's position.
std::string logProblem(const archive::ArchiveReader& reader, const archive::RoundKey& round,
                       const std::string& position) {
    const auto covered = reader.scnOf(round, mysql::GtidPosition::parse(position));
    if (!covered) return fmt::format("the log of {} does not go on from its position {}", nameOf(round), position);
    return covered->complete ? "" : fmt::format("the log of {} ends before its position {}", nameOf(round), position);
}

/// A set that was kept when the log behind it was removed restores to its own point, as it is meant to.
bool lacksRemovedLog(const UnitCheckParts& parts, const catalog::BackupSet& set, std::int64_t round_id) {
    const auto pieces = parts.stores.archive.pieces(parts.tenant);
    return std::ranges::any_of(pieces, [&](const catalog::ArchivePiece& piece) {
        const bool removed =
            piece.file_status == catalog::FileStatus::Deleted || piece.file_status == catalog::FileStatus::Deleting;
        return piece.round_id == round_id && removed && piece.end_scn > set.start_replay_scn;
    });
}

std::vector<Finding> checkRoundAndSets(const UnitCheckParts& parts, const PlannedUnit& unit, const Checking& with) {
    const archive::RoundKey key = unit.piece().roundKey();
    std::vector<Finding> findings = checkRound(with, key);
    try {
        const archive::ArchiveReader reader(with.storage, key);
        if (reader.rounds().empty()) return findings;
        const auto rounds = parts.stores.archive.rounds(parts.tenant);
        for (const catalog::BackupSet& set : validatableSets(parts.stores.backups, parts.tenant)) {
            if (lacksRemovedLog(parts, set, unit.id.round_id)) continue;
            const auto position = parts.plan.positions.find(set.backup_set_id);
            const catalog::ArchiveRound* round = roundBehind(rounds, set);
            if (position == parts.plan.positions.end() || round == nullptr || round->round_id != unit.id.round_id)
                continue;
            const std::string problem = logProblem(reader, key, position->second);
            if (problem.empty()) continue;
            findings.push_back({FindingKind::Gap, with.uri(nameOf(key)),
                                fmt::format("set {}: {}", set.backup_set_id, problem), Harm::Log, set.min_restore_scn,
                                reader.round(key).checkpoint_scn});
        }
    } catch (const Error& error) {
        if (!with.isFinding(error)) throw;  // else it is one of the pieces'
    }
    return findings;
}

std::vector<Finding> checkPiece(const UnitCheckParts& parts, const PlannedUnit& unit, const Checking& with) {
    PieceToCheck piece{.key = unit.piece(), .last = true, .follows = unit.follows};
    for (const catalog::ArchivePiece& known : parts.stores.archive.pieces(parts.tenant)) {
        if (known.round_id != unit.id.round_id) continue;
        if (known.piece_id > unit.id.piece_id) piece.last = false;
        if (known.piece_id != unit.id.piece_id) continue;
        piece.frozen = known.status == catalog::PieceStatus::Frozen;
        piece.start_scn = known.start_scn;
        piece.end_scn = piece.frozen ? known.end_scn : known.checkpoint_scn;
    }
    return PieceCheck(with, piece).run();
}

/// Not of a set that the job has found lost: that says it all.
std::vector<Finding> checkByRestore(const UnitCheckParts& parts, const PlannedUnit& unit, const Checking& with) {
    const auto set = parts.stores.backups.set(parts.tenant, unit.id.backup_set_id);
    const auto known = parts.stores.validations.openFindings(parts.tenant);
    const bool lost = std::ranges::any_of(known, [&](const catalog::FindingRow& finding) {
        return finding.unit.backup_set_id == unit.id.backup_set_id && finding.harm == Harm::Set &&
               !finding.unit.by_restore;
    });
    if (!set || lost) {
        with.progress.looked = catalog::Looked::Nothing;
        return {};
    }
    return RestoreCheck(parts.restoring, *set, with).run();
}

}  // namespace

std::vector<Finding> checkUnit(const UnitCheckParts& parts, const PlannedUnit& unit, const Checking& with) {
    switch (unit.kind) {
        case Kind::DataDestination:
        case Kind::ArchiveDestination:
            return checkDestination(unit, with);
        case Kind::Set:
            return checkSet(parts, unit, with);
        case Kind::Round:
            return checkRoundAndSets(parts, unit, with);
        case Kind::Restore:
            return checkByRestore(parts, unit, with);
        case Kind::Piece:
            break;
    }
    return checkPiece(parts, unit, with);
}

void requireThere(storage::Storage& storage) {
    if (const auto marker = storage.stat(storage::kMarkerKey)) {
        // The kernel remembers answers to stat() for a while. Whoever opens a file asks the server.
        if (marker->size > 0) storage.get(storage::kMarkerKey, 0, 1);
        return;
    }
    if (storage.any("backup_sets/") || storage.any("rounds/")) return;
    throw Error(ErrorCode::Unavailable, storage.url() + " has nothing of a destination",
                "check that its file system is mounted");
}

}  // namespace tidemark::validate
