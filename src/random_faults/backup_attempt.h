#pragma once

#include <functional>
#include <memory>

#include "backup/set_course.h"
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

/// How an attempt came out.
enum class AttemptEnd {
    NotOver,  ///< something it waits for did not come back; another attempt goes on
    Completed,
    Failed,
};

/// What backup::BackupJob does, over a small catalog, a recorded stream and no archive. What it decides is that job's
/// own: backup::SetCourse. One attempt; ends with catalog.backup if that is over.
class BackupAttempt {
public:
    explicit BackupAttempt(const AttemptParts& parts);

    /// Throws ProcessDied alone.
    AttemptEnd run();

private:
    using Step = backup::SetCourse::Step;

    void goOn();
    void step();
    void begin();
    void beginSet();
    void resume();
    void beginCopy();
    backup::DataBackupResult copyOnce();
    void complete();
    bool finish(bool completed);

    const AttemptParts parts_;
    SmallCatalog& catalog_;
    SmallCatalog::Backup& backup_;
    backup::SetCourse course_;
    bool over_ = false;
    int waits_ = 0;
    std::optional<catalog::BackupSet> set_;  ///< as the end records it
};

/// clean::LeftoverJob: what a backup has left is removed, and a whole set is a success. Throws an Error if it is to be
/// tried again.
void cleanLeftovers(SmallCatalog& catalog, DaemonLife& life, const NodeKey& node_key, std::int64_t set);

/// A set's key, by what the catalog keeps of it.
backup_set::ChainKeyPtr keyOf(const SmallCatalog& catalog, const NodeKey& node_key, std::int64_t set);

}  // namespace tidemark::random_faults
