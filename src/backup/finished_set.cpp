#include "backup/finished_set.h"

#include "backup/task_recorder.h"
#include "backup_set/backup_set.h"

namespace tidemark::backup {

catalog::BackupStats statsOf(const backup_set::BackupSetDescription& description) {
    catalog::BackupStats stats;
    stats.input_bytes = description.input_bytes;
    stats.output_bytes = description.output_bytes;
    for (const backup_set::LogObject& object : description.log_objects)
        stats.output_bytes += object.size;
    stats.tablet_count = stats.finish_tablet_count = static_cast<std::int64_t>(description.tablets);
    stats.macro_block_count = stats.finish_macro_block_count = shownMacroBlocks(description.input_bytes);
    stats.file_count = static_cast<std::int64_t>(description.objects.size() + description.log_objects.size());
    stats.log_file_count = stats.finish_log_file_count = static_cast<std::int64_t>(description.log_files);
    return stats;
}

std::optional<catalog::BackupSet> finishedSet(storage::Storage& storage, catalog::TenantId tenant, backup_set::SetId id,
                                              const backup_set::ChainKeyPtr& key) {
    if (id.number == 0 || !backup_set::isComplete(storage, id)) return std::nullopt;
    const backup_set::BackupSetDescription found = backup_set::readBackupSet(storage, id, key);
    backup_set::verifyBackupSet(storage, found, key);

    catalog::BackupSet set;
    set.tenant = tenant;
    set.backup_set_id = id.number;
    set.start_time = found.start_time;
    set.end_time = found.end_time;
    set.start_replay_scn = found.start_replay_scn;
    set.min_restore_scn = found.min_restore_scn;
    set.consistent_scn = found.consistent_scn;
    set.log_end_scn = found.log_end_scn;
    set.stats = statsOf(found);
    return set;
}

}  // namespace tidemark::backup
