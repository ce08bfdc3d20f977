#include "clean/retention.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "oceanbase/ob_error.h"

namespace tidemark::clean {
namespace {

using catalog::BackupInventory;
using catalog::BackupSet;
using catalog::DeletedObject;
using catalog::DeletedThing;
using catalog::FileStatus;

/// Something of it lies at its destination, or soon will.
bool isThere(const BackupSet& set) {
    return set.file_status != FileStatus::Deleted && set.file_status != FileStatus::Incomplete;
}

bool isGoodFull(const BackupSet& set) {
    return isGood(set) && set.type == catalog::BackupType::Full;
}

bool leansOn(const BackupSet& one, const BackupSet& other) {
    return one.prev_full_set_id == other.backup_set_id || one.prev_inc_set_id == other.backup_set_id;
}

/// Sets in the order of their points; of two at one point, the later has the greater number.
bool isBefore(const BackupSet& one, const BackupSet& other) {
    return std::pair(one.min_restore_scn, one.backup_set_id) < std::pair(other.min_restore_scn, other.backup_set_id);
}

std::string until(Scn scn) {
    return scn == kScnUnlimited ? "" : " until " + formatTimestamp(static_cast<Nanos>(scn));
}

/// Why the set has to stay whatever becomes of the others; empty: for nothing.
std::string heldByItself(const BackupInventory& inventory, const BackupSet& set, Scn now) {
    if (set.file_status == FileStatus::Copying) return "it is in the making";
    if (set.file_status == FileStatus::Deleting) return "it is being removed";
    const auto kept = inventory.kept.find(set.backup_set_id);
    if (kept != inventory.kept.end() && kept->second > now) return "it is kept" + until(kept->second);
    for (const catalog::BackupUse& use : inventory.uses) {
        if (use.backup_set_id == set.backup_set_id) return fmt::format("{} job {} uses it", use.kind, use.job_id);
    }
    return {};
}

using Reasons = std::map<std::int64_t, std::string>;  // by set; empty: it may go

/// One good full set stays, if there is one.
void holdTheLastGood(const BackupInventory& inventory, Reasons& reasons) {
    const BackupSet* newest = nullptr;
    for (const BackupSet& set : inventory.sets) {
        if (!isGoodFull(set)) continue;
        const auto asked = reasons.find(set.backup_set_id);
        if (asked == reasons.end() || !asked->second.empty()) return;
        if (newest == nullptr || isBefore(*newest, set)) newest = &set;
    }
    if (newest != nullptr) reasons[newest->backup_set_id] = "it is the last good full set of the tenant";
}

/// Whoever stays holds whom it leans on, who then stays as well, and so on.
void holdWhatIsLeanedOn(const BackupInventory& inventory, Reasons& reasons) {
    for (bool changed = true; changed;) {
        changed = false;
        for (const BackupSet& set : inventory.sets) {
            const auto asked = reasons.find(set.backup_set_id);
            if (!isThere(set) || (asked != reasons.end() && asked->second.empty())) continue;
            for (const BackupSet& bearer : inventory.sets) {
                const auto found = reasons.find(bearer.backup_set_id);
                if (found == reasons.end() || !found->second.empty() || !leansOn(set, bearer)) continue;
                found->second = fmt::format("backup set {} leans on it", set.backup_set_id);
                changed = true;
            }
        }
    }
}

Reasons reasonsFor(const BackupInventory& inventory, const std::set<std::int64_t>& asked, Scn now) {
    Reasons reasons;
    for (const BackupSet& set : inventory.sets) {
        if (asked.contains(set.backup_set_id)) reasons[set.backup_set_id] = heldByItself(inventory, set, now);
    }
    holdTheLastGood(inventory, reasons);
    holdWhatIsLeanedOn(inventory, reasons);
    return reasons;
}

/// Later sets lean on earlier ones, so the later ones go first.
void take(const Reasons& reasons, Judgement& judgement) {
    for (auto at = reasons.rbegin(); at != reasons.rend(); ++at) {
        const DeletedThing thing{DeletedObject::BackupSet, at->first};
        if (at->second.empty()) {
            judgement.remove.push_back(thing);
        } else {
            judgement.held[thing] = at->second;
        }
    }
}

const BackupSet* anchorOf(const BackupInventory& inventory, Scn expiry) {
    const BackupSet* anchor = nullptr;
    for (const BackupSet& set : inventory.sets) {
        if (!isGoodFull(set) || set.min_restore_scn > expiry) continue;
        if (anchor == nullptr || isBefore(*anchor, set)) anchor = &set;
    }
    return anchor;
}

/// The first point from which on log is needed: that of the first set, or of the anchor if there is one. 0: no log is
/// known to be useless. A set that is BROKEN keeps its log: it may be mended, and a restore may get by with it.
Scn logNeededFrom(const BackupInventory& inventory, const BackupSet* anchor) {
    Scn from = 0;
    bool any_good = false;
    for (const BackupSet& set : inventory.sets) {
        const bool counts =
            isGood(set) || (set.status == catalog::BackupSetStatus::Success && set.file_status == FileStatus::Broken);
        any_good = any_good || isGood(set);
        if (!counts || (anchor != nullptr && isBefore(set, *anchor))) continue;
        if (set.start_replay_scn == 0) return 0;  // nobody knows where its log begins
        from = from == 0 ? set.start_replay_scn : std::min(from, set.start_replay_scn);
    }
    return any_good ? from : 0;
}

bool isThere(const catalog::ArchivePiece& piece) {
    return piece.file_status != FileStatus::Deleted;
}

std::string heldByItself(const BackupInventory& inventory, const catalog::ArchivePiece& piece, Scn needed_from) {
    if (piece.status != catalog::PieceStatus::Frozen) return "it is being written";
    // The next one may not have begun yet, and goes on where this one ends.
    if (piece.piece_id == inventory.pieces.back().piece_id) return "it is the newest piece";
    if (piece.file_status == FileStatus::Deleting) return "it is being removed";
    if (needed_from == 0) return "there is no good set";
    if (piece.end_scn > needed_from) return "a set needs it";
    for (const catalog::BackupUse& use : inventory.uses) {
        if (use.log_until != 0 && piece.start_scn <= use.log_until && use.log_from <= piece.end_scn)
            return fmt::format("{} job {} uses it", use.kind, use.job_id);
    }
    return {};
}

/// Of each round the oldest go first, up to one that stays: a round has no hole.
void takePieces(const BackupInventory& inventory, Scn needed_from, const std::set<std::int64_t>& asked,
                Judgement& judgement) {
    std::map<std::int64_t, std::int64_t> stays;  // by round, the first that does
    for (const catalog::ArchivePiece& piece : inventory.pieces) {
        if (!isThere(piece)) continue;
        std::string reason = heldByItself(inventory, piece, needed_from);
        const auto before = stays.find(piece.round_id);
        if (reason.empty() && before != stays.end()) reason = fmt::format("piece {} before it stays", before->second);
        const bool is_asked = asked.contains(piece.piece_id);
        if (!is_asked || !reason.empty()) stays.try_emplace(piece.round_id, piece.piece_id);
        const DeletedThing thing{DeletedObject::BackupPiece, piece.piece_id};
        if (is_asked && reason.empty()) judgement.remove.push_back(thing);
        if (is_asked && !reason.empty()) judgement.held[thing] = reason;
    }
}

/// All that the log is not needed for any more, by sets that stay.
void takeUselessPieces(const BackupInventory& inventory, const BackupSet* anchor, Judgement& judgement) {
    const Scn needed_from = logNeededFrom(inventory, anchor);
    std::set<std::int64_t> useless;
    for (const catalog::ArchivePiece& piece : inventory.pieces) {
        const bool over = piece.status == catalog::PieceStatus::Frozen && isThere(piece) &&
                          piece.file_status != FileStatus::Deleting && piece.end_scn <= needed_from;
        if (!over) continue;
        useless.insert(piece.piece_id);
        judgement.expired.push_back({DeletedObject::BackupPiece, piece.piece_id});
    }
    takePieces(inventory, needed_from, useless, judgement);
}

void takeExpiredSets(const BackupInventory& inventory, const BackupSet& anchor, Scn now, Judgement& judgement) {
    std::set<std::int64_t> expired;
    for (const BackupSet& set : inventory.sets) {
        const bool over = set.file_status == FileStatus::Broken || isGood(set);
        if (!over || !isBefore(set, anchor)) continue;
        expired.insert(set.backup_set_id);
        judgement.expired.push_back({DeletedObject::BackupSet, set.backup_set_id});
    }
    take(reasonsFor(inventory, expired, now), judgement);
}

}  // namespace

bool isGood(const BackupSet& set) {
    return set.status == catalog::BackupSetStatus::Success &&
           (set.file_status == FileStatus::Available || set.file_status == FileStatus::Expired);
}

Judgement judgeObsolete(const BackupInventory& inventory, Scn expiry, Scn now) {
    Judgement judgement;
    const BackupSet* anchor = anchorOf(inventory, expiry);
    if (anchor != nullptr) takeExpiredSets(inventory, *anchor, now, judgement);
    // The sets first: whatever interrupts it, no set of the window is without its log.
    takeUselessPieces(inventory, anchor, judgement);
    return judgement;
}

Judgement judgePieces(const BackupInventory& inventory, const std::vector<std::int64_t>& ids) {
    for (const std::int64_t id : ids) {
        const bool found = std::any_of(inventory.pieces.begin(), inventory.pieces.end(),
                                       [&](const auto& piece) { return piece.piece_id == id && isThere(piece); });
        if (!found) throw obError(Ob::DeletePieceNotAllowed, fmt::format("the tenant has no piece {}", id));
    }
    Judgement judgement;
    takePieces(inventory, logNeededFrom(inventory, nullptr), {ids.begin(), ids.end()}, judgement);
    return judgement;
}

Judgement judgeSets(const BackupInventory& inventory, const std::vector<std::int64_t>& ids, Scn now) {
    for (const std::int64_t id : ids) {
        const auto found = std::find_if(inventory.sets.begin(), inventory.sets.end(),
                                        [&](const BackupSet& set) { return set.backup_set_id == id; });
        if (found == inventory.sets.end())
            throw obError(Ob::InvalidBackupSetId, fmt::format("the tenant has no set {}", id));
        if (!isThere(*found))
            throw obError(Ob::InvalidBackupSetId, fmt::format("set {} is {}", id, catalog::text(found->file_status)));
    }
    Judgement judgement;
    take(reasonsFor(inventory, {ids.begin(), ids.end()}, now), judgement);
    return judgement;
}

}  // namespace tidemark::clean
