#include "backup/parent_set.h"

#include <fmt/format.h>

#include <algorithm>

#include "backup_set/key_bag.h"
#include "base/error.h"
#include "base/require_going.h"
#include "storage/destination.h"
#include "storage/loss.h"

namespace tidemark::backup {
namespace {

/// Fewer than an index may list, for the next set has one more.
constexpr std::size_t kMostLayers = 900;

bool isByTenantKey(const catalog::BackupEncryption& encryption) {
    return encryption.mode == backup_set::encryptionMode(backup_set::KeyMethod::TenantKey);
}

bool isWhole(const catalog::BackupSet& set, std::int64_t dest_id) {
    return set.dest_id == dest_id && set.status == catalog::BackupSetStatus::Success &&
           set.file_status == catalog::FileStatus::Available;
}

bool opensAlike(const catalog::BackupEncryption& one, const catalog::BackupEncryption& other) {
    return one.mode == other.mode && (!isByTenantKey(one) || one.passwd == other.passwd);
}

/// Whether all of the chain is opened by what opens the new set, also what is removed by now: its key is the same.
bool chainOpensAlike(const std::vector<catalog::BackupSet>& sets, const catalog::BackupSet& set,
                     const catalog::BackupEncryption& encryption) {
    if (!opensAlike(set.encryption, encryption)) return false;
    return std::ranges::all_of(sets, [&](const catalog::BackupSet& other) {
        // Numbers grow along a chain, so this ends.
        const bool is_parent = other.backup_set_id == set.prev_inc_set_id && other.backup_set_id < set.backup_set_id;
        return !is_parent || chainOpensAlike(sets, other, encryption);
    });
}

bool isUsable(const std::vector<catalog::BackupSet>& sets, const catalog::BackupSet& set, const ParentChoice& choice) {
    return isWhole(set, choice.dest_id) && !catalog::leansOnBroken(sets, set);
}

bool mayBeParent(const std::vector<catalog::BackupSet>& sets, const catalog::BackupSet& set,
                 const ParentChoice& choice) {
    return isUsable(sets, set, choice) && chainOpensAlike(sets, set, choice.encryption);
}

}  // namespace

backup_set::SetId idOf(const catalog::BackupSet& set) {
    return {
        .number = static_cast<std::uint32_t>(set.backup_set_id),
        .kind = backup_set::kindOf(set.type == catalog::BackupType::Inc)};
}

std::string whyNoParent(const std::vector<catalog::BackupSet>& sets, const ParentChoice& choice) {
    const auto any = [&](const auto& is) {
        return std::ranges::any_of(sets, [&](const catalog::BackupSet& set) { return is(sets, set, choice); });
    };
    if (any(mayBeParent)) return {};
    if (!any(isUsable)) return "there is no set to lean on at this destination";
    if (!choice.encryption.on()) return "all sets at this destination are encrypted";
    if (!isByTenantKey(choice.encryption)) return "no set at this destination is encrypted by a password";
    return "no set at this destination is encrypted by the key that backup_key_file names, and by it alone";
}

std::string fullBecause(const std::string& why_none) {
    return why_none.empty() ? "" : "a full set instead of an incremental one: " + why_none;
}

ParentFound findParent(storage::Storage& storage, const std::vector<catalog::BackupSet>& sets,
                       const ParentChoice& choice, const Logger& log, const std::stop_token& stop) {
    ParentFound none{.set = std::nullopt, .why_none = whyNoParent(sets, choice)};
    if (!none.why_none.empty()) return none;
    for (auto at = sets.rbegin(); at != sets.rend(); ++at) {  // they are in order of ids
        const catalog::BackupSet& set = *at;
        if (!mayBeParent(sets, set, choice)) continue;
        try {
            const auto key = choice.encryption.on() ? choice.key_of(set) : nullptr;
            backup_set::BackupSetDescription found = backup_set::readBackupSet(storage, idOf(set), key);
            const auto blocks = backup_set::openBlocks(storage, found, key);
            blocks->checkObjects();
            blocks->index().eachMap([&](const block::FileMap&) { requireGoing(stop); });
            if (blocks->index().layers().size() < kMostLayers) return {.set = std::move(found), .why_none = {}};
            none.why_none = fmt::format("set {} leans on so many sets that a full one is due", set.backup_set_id);
            return none;
        } catch (const Error& error) {
            if (!storage::isLoss(error)) throw;
            storage::requireMounted(storage);  // what is not mounted looks like missing objects
            log->warn("set {} cannot be leaned on: {}", set.backup_set_id, error.what());
            if (none.why_none.empty())
                none.why_none = fmt::format("set {} cannot be leaned on: {}", set.backup_set_id, error.what());
        }
    }
    return none;
}

}  // namespace tidemark::backup
