#include <fmt/format.h>

#include <algorithm>

#include "backup/cataloging.h"
#include "backup/finished_set.h"
#include "backup/lost_index.h"
#include "backup_set/kept_key.h"

// CATALOG BACKUP: the sets.

namespace tidemark::backup {
namespace {

using State = backup_set::FoundBackupSet::State;

constexpr const char* kSet = "BACKUP SET";
constexpr const char* kNoKey =
    "what opens it is not known: what its description hides is shown as 0, and no incremental set leans on it; CATALOG "
    "BACKUP again with its password (SET DECRYPTION), or its key (WITH KEY FROM), completes it";

Error unusable(const std::string& what) {
    return {ErrorCode::Corrupt, what};
}

std::string elsewhere(const catalog::BackupSet& known) {
    return "the catalog has one of this number at " + known.path;
}

/// Whether its key would be of use.
bool isThere(const catalog::BackupSet& set) {
    return set.status == catalog::BackupSetStatus::Success && set.file_status != catalog::FileStatus::Deleting &&
           set.file_status != catalog::FileStatus::Deleted;
}

/// For COMMENT of the answer.
std::string remarks(std::string text, const std::optional<catalog::FindingRow>& lost_index) {
    if (!lost_index) return text;
    return fmt::format(
        "{}{}{}: {}; a restore makes it again from the data objects, and until a validation finds it whole "
        "the set is BROKEN",
        text, text.empty() ? "" : "; ", lost_index->object, lost_index->what);
}

}  // namespace

/// In order of their numbers: what a set leans on is entered before it.
void Cataloging::enterSets() {
    std::vector<FoundSet> all;
    std::map<std::int64_t, std::vector<FoundSet>> by_number;
    for (const Place& place : places_) {
        for (const backup_set::FoundBackupSet& set : place.sets) {
            all.push_back({&place, &set});
            by_number[set.id.number].push_back(all.back());
        }
        if (place.destination.marker.kind != storage::DestinationKind::Data) continue;
        for (const storage::Key& key : backup_set::foreignPlaceHolders(place.storage()))
            addForeign(place, key);
    }
    learnKeys(all);
    for (const auto& [number, found] : by_number)
        enterSet(number, found);
}

/// Before anything is entered: a password of one set opens all sets of its chain, also those before it.
void Cataloging::learnKeys(const std::vector<FoundSet>& found) {
    for (const catalog::BackupSet& set : parts_.stores.backups.sets(tenant_.id)) {
        if (!set.encryption.on()) continue;
        if (const auto key = keptKeyOf(set.backup_set_id)) keys_.emplace(backup_set::chainIdOf(*key), key);
    }
    for (const FoundSet& one : found) {
        if (!wantsKey(one)) continue;
        try {
            if (keyAt(*one.place, one.set->id)) continue;
            if (const auto key = key_of_(one.place->storage(), one.set->id))
                keys_.emplace(backup_set::chainIdOf(*key), key);
        } catch (const Error& error) {
            // It is said again when the set is looked at.
            if (error.code() == ErrorCode::Unavailable || error.code() == ErrorCode::Denied) throw;
        }
    }
}

/// What the catalog has, if this node can use it.
backup_set::ChainKeyPtr Cataloging::keptKeyOf(std::int64_t set) const {
    const auto wrapped = parts_.stores.backups.wrappedKeyOf(tenant_.id, set);
    try {
        return wrapped ? backup_set::keptKey(*wrapped, parts_.node_key) : nullptr;
    } catch (const Error& error) {
        if (error.code() != ErrorCode::Corrupt) throw;
        return nullptr;  // wrapped by a node's key that was lost
    }
}

bool Cataloging::wantsKey(const FoundSet& found) const {
    if (!found.set->description || !found.set->description->encrypted) return false;
    const auto known = parts_.stores.backups.set(tenant_.id, found.set->id.number);
    return !known || (known->path == found.place->path() && isThere(*known) && !keptKeyOf(known->backup_set_id));
}

backup_set::ChainKeyPtr Cataloging::keyAt(const Place& place, const backup_set::SetId& id) const {
    const auto found = keys_.find(backup_set::readKeyBag(place.storage(), id).chain);
    return found == keys_.end() ? nullptr : found->second;
}

void Cataloging::enterSet(std::int64_t number, const std::vector<FoundSet>& found) {
    if (const auto known = parts_.stores.backups.set(tenant_.id, number)) {
        for (const FoundSet& one : found)
            completeSet(*known, one);
        return;
    }
    std::vector<LookedAtSet> usable;
    for (const FoundSet& one : found)
        orSkip(*one.place, kSet, number, [&] { usable.push_back(lookAt(one)); });
    std::stable_partition(usable.begin(), usable.end(), [](const LookedAtSet& one) { return !one.lost_index; });
    for (const LookedAtSet& one : usable)
        orSkip(*one.place, kSet, number, [&] { enter(one); });
}

/// One that the catalog has gets the key that it lacks, and nothing else.
void Cataloging::completeSet(const catalog::BackupSet& known, const FoundSet& found) {
    const std::int64_t number = known.backup_set_id;
    if (known.path != found.place->path()) return add(*found.place, kSet, number, "KNOWN", elsewhere(known));
    if (!wantsKey(found)) return add(*found.place, kSet, number, "KNOWN");
    orSkip(*found.place, kSet, number, [&] {
        if (!keyAt(*found.place, found.set->id)) return add(*found.place, kSet, number, "KNOWN", kNoKey);
        const LookedAtSet looked = lookAt(found);
        const bool entered =
            parts_.stores.backups.enterKey(entryFor(looked), backup_set::wrappedKey(looked.key, parts_.node_key));
        if (!entered) return add(*found.place, kSet, number, "KNOWN", "it is not there any more");
        add(*found.place, kSet, number, "CATALOGED", remarks("it was there without its key", looked.lost_index));
    });
}

Cataloging::LookedAtSet Cataloging::lookAt(const FoundSet& found) const {
    const backup_set::FoundBackupSet& set = *found.set;
    if (set.state == State::Unfinished) throw unusable("it is not complete: what a backup left that did not end");
    if (set.state == State::Damaged) throw unusable(set.problem);
    if (set.description->tenant_id != own_.tenant_id || set.description->cluster_id != own_.cluster_id) {
        throw unusable(
            fmt::format("it is of tenant {} of cluster {}", set.description->tenant_id, set.description->cluster_id));
    }
    storage::Storage& storage = found.place->storage();
    LookedAtSet looked{.place = found.place, .description = *set.description, .key = {}, .bag = {}, .lost_index = {}};
    if (set.description->encrypted) {
        looked.bag = backup_set::readKeyBag(storage, set.id);
        looked.key = keyAt(*found.place, set.id);
    }
    if (looked.key || !set.description->encrypted)
        looked.description = backup_set::readBackupSet(storage, set.id, looked.key);
    looked.lost_index = findLostIndex(storage, looked.description, looked.key, parts_.own_directory);
    requireParents(looked);
    return looked;
}

/// In the catalog, wherever. That they lie beside the set its index has shown; what is sealed could not be asked.
void Cataloging::requireParents(const LookedAtSet& looked) const {
    const backup_set::BackupSetDescription& description = looked.description;
    for (const std::uint32_t parent : {description.prev_full_set, description.prev_incremental_set}) {
        if (parent == 0) continue;
        const bool beside = !description.sealed || std::ranges::any_of(looked.place->sets, [&](const auto& set) {
            return set.id.number == parent && set.state != State::Unfinished;
        });
        if (!beside || !parts_.stores.backups.set(tenant_.id, parent))
            throw unusable(fmt::format("it leans on set {}, which is not there", parent));
    }
}

/// Notes what is wrong with its index, before the set: a finding of a set that is not there harms nobody.
catalog::BackupSet Cataloging::entryFor(const LookedAtSet& looked) {
    catalog::BackupSet set = entryOf(tenant_.id, looked.description);
    set.path = looked.place->path();
    set.dest_id = parts_.stores.destinations.idOf(tenant_.id, catalog::DestinationUse::BackupData, set.path);
    if (!looked.bag.empty()) {
        const backup_set::KeyBag::Entry& first = looked.bag.entries.at(0);
        set.encryption = {.mode = backup_set::encryptionMode(first.method), .passwd = first.id};
    }
    const catalog::ValidateUnit unit{.dest_id = set.dest_id, .backup_set_id = set.backup_set_id};
    std::vector<catalog::FindingRow> findings;
    if (looked.lost_index) findings.push_back(*looked.lost_index);
    for (catalog::FindingRow& finding : findings)
        finding.unit = unit;
    if (parts_.stores.validations.noteCataloged(tenant_.id, unit, findings))
        set.file_status = catalog::FileStatus::Broken;
    return set;
}

void Cataloging::enter(const LookedAtSet& looked) {
    const std::int64_t number = looked.description.id.number;
    if (const auto known = parts_.stores.backups.set(tenant_.id, number))
        return add(*looked.place, kSet, number, "KNOWN", elsewhere(*known));
    const bool entered = parts_.stores.backups.enter(entryFor(looked), looked.description.turn,
                                                     backup_set::wrappedKey(looked.key, parts_.node_key));
    if (!entered) return add(*looked.place, kSet, number, "KNOWN", "somebody else has entered it");
    add(*looked.place, kSet, number, "CATALOGED", remarks(looked.description.sealed ? kNoKey : "", looked.lost_index));
}

}  // namespace tidemark::backup
