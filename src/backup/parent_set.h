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

/// Which sets a new incremental one may lean on: of its destination, and opened by what opens it. All of a chain has
/// one key, so that who opens any of its sets opens all. Passwords cannot be compared: each may be another one.
struct ParentChoice {
    std::int64_t dest_id = 0;
    catalog::BackupEncryption encryption = {};  ///< of the new one
    /// Of a set that is encrypted. Throws NotFound or Corrupt if it is not to be had.
    std::function<backup_set::ChainKeyPtr(const catalog::BackupSet&)> key_of = {};
};

/// Why none of `sets`, all of the tenant, can be, as far as the catalog knows; empty: one may.
std::string whyNoParent(const std::vector<catalog::BackupSet>& sets, const ParentChoice& choice);

/// What COMMENT of the backup says then.
std::string fullBecause(const std::string& why_none);

/// The set that a new incremental one leans on, or why a full one is due.
struct ParentFound {
    std::optional<backup_set::BackupSetDescription> set;
    std::string why_none;
};
/// The newest of `sets` that may be and is whole at the destination, as far as can be seen without reading its data.
/// Throws what the storage throws if it does not answer, Cancelled if `stop` is requested.
ParentFound findParent(storage::Storage& storage, const std::vector<catalog::BackupSet>& sets,
                       const ParentChoice& choice, const Logger& log, const std::stop_token& stop = {});

}  // namespace tidemark::backup
