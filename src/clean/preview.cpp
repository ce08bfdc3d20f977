#include "clean/preview.h"

#include <algorithm>

#include "clean/cleaner.h"

namespace tidemark::clean {
namespace {

using catalog::BackupInventory;
using catalog::DeletedObject;
using catalog::DeletedThing;

bool contains(const std::vector<DeletedThing>& things, const DeletedThing& thing) {
    return std::find(things.begin(), things.end(), thing) != things.end();
}

/// Of a set: up to where the log of its round leads from it, over pieces that are there; or the log that it carries.
Scn reachOf(const catalog::BackupSet& set, const BackupInventory& inventory,
            const std::vector<catalog::ArchiveRound>& rounds, const std::vector<DeletedThing>& removed) {
    Scn reach = std::max(set.min_restore_scn, set.log_end_scn);
    for (const catalog::ArchiveRound& round : rounds) {
        if (round.start_scn > set.min_restore_scn || round.checkpoint_scn < set.min_restore_scn) continue;
        for (const catalog::ArchivePiece& piece : inventory.pieces) {
            if (piece.round_id != round.round_id || piece.end_scn <= set.start_replay_scn) continue;
            const bool gone = piece.file_status == catalog::FileStatus::Deleted ||
                              piece.file_status == catalog::FileStatus::Deleting ||
                              contains(removed, {DeletedObject::BackupPiece, piece.piece_id});
            if (gone) break;
            reach = std::max(reach, piece.checkpoint_scn);
        }
    }
    return reach;
}

/// In order, none touching the next.
std::vector<ScnRange> reachable(const BackupInventory& inventory, const std::vector<catalog::ArchiveRound>& rounds,
                                const std::vector<DeletedThing>& removed) {
    std::vector<ScnRange> ranges;
    for (const catalog::BackupSet& set : inventory.sets) {
        if (!isGood(set) || contains(removed, {DeletedObject::BackupSet, set.backup_set_id})) continue;
        ranges.push_back({set.min_restore_scn, reachOf(set, inventory, rounds, removed)});
    }
    std::sort(ranges.begin(), ranges.end(), [](const auto& one, const auto& other) { return one.from < other.from; });
    std::vector<ScnRange> merged;
    for (const ScnRange& range : ranges) {
        if (!merged.empty() && range.from <= merged.back().until + 1) {
            merged.back().until = std::max(merged.back().until, range.until);
        } else {
            merged.push_back(range);
        }
    }
    return merged;
}

PreviewRow rowOf(const DeletedThing& thing, const BackupInventory& inventory, Target& target) {
    PreviewRow row{.object = catalog::text(thing.object), .id = thing.id};
    target.thing = thing;
    if (thing.object == DeletedObject::BackupSet) {
        const auto set = std::find_if(inventory.sets.begin(), inventory.sets.end(),
                                      [&](const auto& one) { return one.backup_set_id == thing.id; });
        row.from = set->min_restore_scn;
        row.path = target.path = set->path;
    } else {
        const auto piece = std::find_if(inventory.pieces.begin(), inventory.pieces.end(),
                                        [&](const auto& one) { return one.piece_id == thing.id; });
        row.from = piece->start_scn;
        row.until = piece->end_scn;
        row.path = target.path = piece->path;
        target.dest_id = piece->dest_id;
        target.round_id = piece->round_id;
    }
    return row;
}

}  // namespace

std::vector<ScnRange> lostPoints(const BackupInventory& inventory, const std::vector<catalog::ArchiveRound>& rounds,
                                 const std::vector<DeletedThing>& removed) {
    const auto after = reachable(inventory, rounds, removed);
    std::vector<ScnRange> lost;
    for (ScnRange before : reachable(inventory, rounds, {})) {
        for (const ScnRange& stays : after) {
            if (stays.until < before.from || stays.from > before.until) continue;
            if (stays.from > before.from) lost.push_back({before.from, stays.from - 1});
            before.from = stays.until + 1;
        }
        if (before.from <= before.until) lost.push_back(before);
    }
    return lost;
}

std::vector<PreviewRow> preview(catalog::Stores& stores, catalog::TenantId tenant, const BackupInventory& inventory,
                                const Judgement& judgement) {
    std::vector<PreviewRow> rows;
    const auto add = [&](const DeletedThing& thing, const char* action, const std::string& reason) {
        Target target;
        PreviewRow row = rowOf(thing, inventory, target);
        const Extent extent = Cleaner(stores, tenant, target).measure();
        row.action = action;
        row.files = extent.files;
        row.bytes = extent.bytes;
        row.reason = reason;
        rows.push_back(std::move(row));
    };
    for (const DeletedThing& thing : judgement.remove)
        add(thing, "DELETE", {});
    for (const auto& [thing, reason] : judgement.held)
        add(thing, "STAY", reason);
    for (const ScnRange& range : lostPoints(inventory, stores.archive.rounds(tenant), judgement.remove)) {
        rows.push_back({.action = "LOSE",
                        .object = "RESTORE POINTS",
                        .from = range.from,
                        .until = range.until,
                        .reason = "no set that stays reaches them"});
    }
    return rows;
}

}  // namespace tidemark::clean
