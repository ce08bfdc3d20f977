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

catalog::BackupSet entryOf(catalog::TenantId tenant, const backup_set::BackupSetDescription& description) {
    return {.tenant = tenant,
            .backup_set_id = description.id.number,
            .type = description.id.kind == backup_set::SetKind::Full ? catalog::BackupType::Full
                                                                    : catalog::BackupType::Inc,
            .prev_full_set_id = description.prev_full_set,
            .prev_inc_set_id = description.prev_incremental_set,
            .start_time = description.start_time,
            .end_time = description.end_time,
            .status = catalog::BackupSetStatus::Success,
            .file_status = catalog::FileStatus::Available,
            .plus_archivelog = description.plus_archivelog,
            .start_replay_scn = description.start_replay_scn,
            .min_restore_scn = description.min_restore_scn,
            .consistent_scn = description.consistent_scn,
            .log_end_scn = description.log_end_scn,
            .stats = statsOf(description)};
}

std::optional<catalog::BackupSet> finishedSet(storage::Storage& storage, catalog::TenantId tenant, backup_set::SetId id,
                                              const backup_set::ChainKeyPtr& key) {
    if (id.number == 0 || !backup_set::isComplete(storage, id)) return std::nullopt;
    const backup_set::BackupSetDescription found = backup_set::readBackupSet(storage, id, key);
    backup_set::verifyBackupSet(storage, found, key);
    return entryOf(tenant, found);
}

}  // namespace tidemark::backup
