#include "backup/parent_set.h"

#include "base/error.h"
#include "base/require_going.h"
#include "storage/destination.h"

namespace tidemark::backup {
namespace {

/// Fewer than an index may list, for the next set has one more.
constexpr std::size_t kMostLayers = 900;

}  // namespace

backup_set::SetId idOf(const catalog::BackupSet& set) {
    return {
        .number = static_cast<std::uint32_t>(set.backup_set_id),
        .kind = backup_set::kindOf(set.type == catalog::BackupType::Inc)};
}

bool canBeParent(const catalog::BackupSet& set, const ParentChoice& choice) {
    const bool encrypted = set.encryption.mode != "NONE";
    return set.dest_id == choice.dest_id && encrypted == choice.encrypted &&
           set.status == catalog::BackupSetStatus::Success && set.file_status == catalog::FileStatus::Available;
}

std::optional<backup_set::BackupSetDescription> findParent(storage::Storage& storage,
                                                           const std::vector<catalog::BackupSet>& sets,
                                                           const ParentChoice& choice, const Logger& log,
                                                           const std::stop_token& stop) {
    for (auto at = sets.rbegin(); at != sets.rend(); ++at) {  // they are in order of ids
        const catalog::BackupSet& set = *at;
        if (!canBeParent(set, choice) || catalog::leansOnBroken(sets, set)) continue;
        try {
            const auto key = choice.encrypted ? choice.key_of(set) : nullptr;
            backup_set::BackupSetDescription found = backup_set::readBackupSet(storage, idOf(set), key);
            const auto blocks = backup_set::openBlocks(storage, found, key);
            blocks->checkObjects();
            blocks->index().eachMap([&](const block::FileMap&) { requireGoing(stop); });
            if (blocks->index().layers().size() < kMostLayers) return found;
            log->info("set {} leans on so many sets that a full one is due", set.backup_set_id);
            return std::nullopt;
        } catch (const Error& error) {
            if (error.code() != ErrorCode::Corrupt && error.code() != ErrorCode::NotFound) throw;
            storage::requireMounted(storage);  // what is not mounted looks like missing objects
            log->warn("set {} cannot be leaned on: {}", set.backup_set_id, error.what());
        }
    }
    return std::nullopt;
}

}  // namespace tidemark::backup
