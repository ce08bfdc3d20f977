#include "backup/set_making.h"

#include <algorithm>

namespace tidemark::backup {

std::int64_t leastSetId(storage::Storage& storage) {
    std::int64_t least = 1;
    for (const auto& found : backup_set::listBackupSets(storage))
        least = std::max<std::int64_t>(least, found.id.number + std::int64_t{1});
    return least;
}

void leanOn(catalog::BackupSet& set, const backup_set::BackupSetDescription& parent) {
    set.type = catalog::BackupType::Inc;
    set.prev_inc_set_id = parent.id.number;
    set.prev_full_set_id = parent.prev_full_set != 0 ? parent.prev_full_set : parent.id.number;
}

void describeCopy(backup_set::BackupSetDescription& description, const DataBackupResult& copied, std::uint32_t turn,
                  const std::string& gtid) {
    description.turn = turn;
    description.gtid = gtid;
    description.binlog_file = copied.facts.binlog_file;
    description.binlog_position = copied.facts.binlog_position;
    description.from_lsn = copied.facts.from_lsn;
    description.to_lsn = copied.facts.to_lsn;
    description.last_lsn = copied.facts.last_lsn;
    description.server_version = copied.facts.server_version;
    description.wrong_pages = copied.facts.wrong_pages;
    description.wrong_page_count = copied.facts.wrong_page_count;
    description.input_bytes = copied.blocks.plain_bytes;
    description.output_bytes = copied.blocks.stored_bytes;
    description.files = copied.blocks.files;
    description.tablets = copied.tablets;
    description.macro_blocks = copied.blocks.blocks;
    description.objects = copied.blocks.objects;
    description.index_checksum = copied.blocks.index_checksum;
}

void makeSetVisible(storage::Storage& storage, backup_set::BackupSetDescription& description,
                    const SetEncryption& encryption, const backup_set::ChainKeyPtr& key, Nanos now,
                    const std::stop_token& stop) {
    if (encryption.on()) backup_set::putKeyBag(storage, description.id, encryption.bag());
    // What a try before this one has described ended then, and no object is written twice.
    if (auto described = backup_set::finishDescribedSet(storage, description.id, key, stop)) {
        description = std::move(*described);
        return;
    }
    description.end_time = now;
    backup_set::finishBackupSet(storage, description, key, stop);
}

}  // namespace tidemark::backup
