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

}  // namespace

bool isGood(const BackupSet& set) {
    return set.status == catalog::BackupSetStatus::Success &&
           (set.file_status == FileStatus::Available || set.file_status == FileStatus::Expired);
}

Judgement judgeObsolete(const BackupInventory& inventory, Scn expiry, Scn now) {
    Judgement judgement;
    const BackupSet* anchor = anchorOf(inventory, expiry);
    if (anchor == nullptr) return judgement;
    std::set<std::int64_t> expired;
    for (const BackupSet& set : inventory.sets) {
        const bool over = set.file_status == FileStatus::Broken || isGood(set);
        if (!over || !isBefore(set, *anchor)) continue;
        expired.insert(set.backup_set_id);
        judgement.expired.push_back({DeletedObject::BackupSet, set.backup_set_id});
    }
    take(reasonsFor(inventory, expired, now), judgement);
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
