#pragma once

#include <functional>
#include <memory>

#include "backup/backup_progress.h"
#include "backup/data_backup.h"
#include "base/log.h"
#include "random_faults/daemon_life.h"
#include "random_faults/small_catalog.h"

namespace tidemark::random_faults {

/// What an attempt works with; references outlive it.
struct AttemptParts {
    SmallCatalog& catalog;
    DaemonLife& life;
    block::Lane& lane;
    const NodeKey& node_key;
    /// The tenant as it is now, for this turn of this set.
    std::function<std::unique_ptr<source::Source>(const backup_set::SetId&, std::uint32_t turn)> source;
    std::uint64_t data_file_size = 1 << 20;
};

/// backup::BackupJob from beginning to end over a small catalog, a recorded stream and no archive: the same steps, with
/// the same parts, and after a failure the same decisions. One attempt; ends with catalog.backup if that is over.
class BackupAttempt {
public:
    explicit BackupAttempt(const AttemptParts& parts);

    /// Throws ProcessDied alone.
    void run();

private:
    enum class Step { Begin, Copy, NoteCopy, Complete, Done };

    void goOn();
    void step();
    void begin();
    void beginSet();
    void resume();
    void copy();
    void complete();
    void describe();
    void nextTurn();
    void save();
    backup_set::ChainKeyPtr key() const;
    backup_set::ChainKeyPtr keyOf(std::int64_t set) const;
    void finish(bool completed);
    std::optional<catalog::BackupSet> wholeSet();

    const AttemptParts parts_;
    SmallCatalog& catalog_;
    SmallCatalog::Backup& backup_;
    storage::Storage& storage_;
    backup::BackupProgress progress_;
    Step step_ = Step::Begin;
    int failed_copies_ = 0;
    int waits_ = 0;
    std::optional<backup_set::BackupSetDescription> parent_;
    backup_set::BackupSetDescription description_;
    std::optional<backup::DataBackupResult> copied_;
};

/// clean::LeftoverJob: what a backup has left is removed, and a whole set is a success. Throws an Error if it is to be
/// tried again.
void cleanLeftovers(SmallCatalog& catalog, DaemonLife& life, const NodeKey& node_key, std::int64_t set);

/// A set's key, by what the catalog keeps of it.
backup_set::ChainKeyPtr keyOf(const SmallCatalog& catalog, const NodeKey& node_key, std::int64_t set);

}  // namespace tidemark::random_faults
