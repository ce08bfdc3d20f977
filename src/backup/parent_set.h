#pragma once

#include <functional>
#include <optional>

#include "backup_set/backup_set.h"
#include "base/log.h"
#include "catalog/backup_store.h"
#include "storage/storage.h"

namespace tidemark::backup {

/// The id of a set that the catalog knows, at its destination.
backup_set::SetId idOf(const catalog::BackupSet& set);

/// Which sets a new incremental one may lean on: of its destination, and encrypted if it is, for all of a chain has one
/// key.
struct ParentChoice {
    std::int64_t dest_id = 0;
    bool encrypted = false;
    /// Of one that is. Throws NotFound or Corrupt if it is not to be had.
    std::function<backup_set::ChainKeyPtr(const catalog::BackupSet&)> key_of = {};
};
bool canBeParent(const catalog::BackupSet& set, const ParentChoice& choice);

/// The set that a new incremental one leans on: the newest of `sets` that may be and is whole at the destination, as
/// far as can be seen without reading its data. nullopt if there is none: then a full set is due. Throws what the
/// storage throws if it does not answer, Cancelled if `stop` is requested.
std::optional<backup_set::BackupSetDescription> findParent(storage::Storage& storage,
                                                           const std::vector<catalog::BackupSet>& sets,
                                                           const ParentChoice& choice, const Logger& log,
                                                           const std::stop_token& stop = {});

}  // namespace tidemark::backup
