#pragma once

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

#include "catalog/backup_store.h"

namespace tidemark::random_faults {

/// What a daemon's sys tenant remembers, of what backups and deletions need: it outlives the process. Each change is
/// one assignment, as each of the catalog is one transaction.
struct SmallCatalog {
    /// A backup that has not ended.
    struct Backup {
        catalog::BackupType type = catalog::BackupType::Full;
        std::int64_t set_id = 0;  ///< 0: it has not begun
        std::string progress;     ///< backup::BackupProgress
        int attempts = 0;
    };

    std::vector<catalog::BackupSet> sets;              ///< in order of ids
    std::map<std::int64_t, std::string> wrapped_keys;  ///< by set
    std::optional<Backup> backup;
    std::set<std::int64_t> leftovers;  ///< sets whose backup has ended and may have left something
    std::set<std::int64_t> rests;      ///< sets whose removal has begun
    Nanos time = 1'800'000'000 * kSecond;

    Nanos now() { return time += kSecond; }
    std::int64_t nextId(std::int64_t least) const {
        return std::max(least, sets.empty() ? std::int64_t{1} : sets.back().backup_set_id + 1);
    }
    catalog::BackupSet& set(std::int64_t id) {
        for (catalog::BackupSet& set : sets) {
            if (set.backup_set_id == id) return set;
        }
        throw std::logic_error("there is no set " + std::to_string(id));
    }
};

}  // namespace tidemark::random_faults
