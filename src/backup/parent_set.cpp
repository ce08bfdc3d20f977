#include "backup/parent_set.h"

#include <ranges>

#include "base/error.h"
#include "storage/destination.h"

namespace tidemark::backup {

backup_set::SetId idOf(const catalog::BackupSet& set) {
    return {.number = static_cast<std::uint32_t>(set.backup_set_id),
            .kind = set.type == catalog::BackupType::Full ? backup_set::SetKind::Full
                                                          : backup_set::SetKind::Incremental};
}

bool canBeParent(const catalog::BackupSet& set, std::int64_t dest_id) {
    return set.dest_id == dest_id && set.status == catalog::BackupSetStatus::Success &&
           set.file_status == catalog::FileStatus::Available;
}

std::optional<backup_set::BackupSetDescription> findParent(storage::Storage& storage,
                                                           const std::vector<catalog::BackupSet>& sets,
                                                           std::int64_t dest_id, const Logger& log) {
    for (const catalog::BackupSet& set : std::views::reverse(sets)) {  // they are in order of ids
        if (!canBeParent(set, dest_id) || catalog::leansOnBroken(sets, set)) continue;
        try {
            backup_set::BackupSetDescription found = backup_set::readBackupSet(storage, idOf(set));
            backup_set::openBlocks(storage, found)->checkObjects();
            return found;
        } catch (const Error& error) {
            if (error.code() != ErrorCode::Corrupt && error.code() != ErrorCode::NotFound) throw;
            storage::requireMounted(storage);  // what is not mounted looks like missing objects
            log->warn("set {} cannot be leaned on: {}", set.backup_set_id, error.what());
        }
    }
    return std::nullopt;
}

}  // namespace tidemark::backup
