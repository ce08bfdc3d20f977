#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "backup/backup_progress.h"
#include "backup/data_backup.h"
#include "backup/parent_set.h"
#include "backup_set/backup_set.h"
#include "base/log.h"
#include "base/node_key.h"
#include "catalog/backup_store.h"
#include "storage/storage.h"

namespace tidemark::backup {

/// What one attempt at a set decides: which step comes next, what follows a failure, how a later attempt goes on, and
/// what there is at the end. It works at the destination alone. BackupJob takes its steps with a tenant, its archive
/// and the catalog; src/random_faults with a recorded stream, while everything fails at random.
///
/// Not thread-safe.
class SetCourse {
public:
    /// All but Copy may be repeated when something was away.
    enum class Step { Begin, Copy, NoteCopy, AwaitArchive, ChooseLog, CopyLog, Complete };

    struct Parts {
        const NodeKey& node_key;
        Logger log;
        std::function<void(const std::string&)> save;  ///< makes the text of a BackupProgress durable
    };

    /// `progress`: what the attempts before have noted. `attempt`: 1 for the first.
    SetCourse(Parts parts, BackupProgress progress, int attempt);

    Step step() const { return step_; }
    void go(Step next) { step_ = next; }
    /// Where the set goes.
    void open(std::shared_ptr<storage::Storage> storage) { storage_ = std::move(storage); }
    const std::shared_ptr<storage::Storage>& storage() const { return storage_; }
    BackupProgress& progress() { return progress_; }
    const BackupProgress& progress() const { return progress_; }
    void save() { parts_.save(progress_.text()); }
    /// What the set will be described as.
    backup_set::BackupSetDescription& description() { return description_; }
    const backup_set::BackupSetDescription& description() const { return description_; }
    /// Of an incremental set.
    const std::optional<backup_set::BackupSetDescription>& parent() const { return parent_; }
    /// The set's; null if it is not encrypted. Once it has begun.
    backup_set::ChainKeyPtr key() const { return progress_.encryption.key(parts_.node_key); }

    /// After an error of a step: whether it is to be taken again when what was away is back. Else the attempt has
    /// failed.
    bool waits(const Error& error, bool stopped) const;
    bool isDestinationAway() const;

    /// Chooses what a new set leans on, and its key; nothing is noted yet. The text of progress() is to be noted with
    /// the record of the set. Throws what the destination throws.
    struct NewSet {
        catalog::BackupType type = catalog::BackupType::Full;
        std::int64_t round_id = 0;
    };
    catalog::BackupSet beginSet(const NewSet& wanted, const std::vector<catalog::BackupSet>& sets,
                                const ParentChoice& choice, const std::stop_token& stop);
    /// The begin of the set's description.
    void describe(const catalog::BackupSet& set);

    /// Goes on with a set that was recorded before.
    enum class Resumed {
        Whole,      ///< finished() has it: there is nothing to do but to record the end
        CopyAgain,  ///< another turn was noted
        Copied,     ///< description() is that of the copy
    };
    Resumed resume(catalog::TenantId tenant, const backup_set::SetId& id, const std::stop_token& stop);
    const std::optional<catalog::BackupSet>& finished() const { return finished_; }

    /// The step Copy: false if it failed, and is to be taken again in the next turn, which is noted. Throws if there is
    /// no sense in that.
    bool copy(const std::function<DataBackupResult()>& once, const std::stop_token& stop);
    /// Of the copy that is whole.
    const DataBackupResult& copied() const { return *copied_; }
    /// The step NoteCopy. `gtid`: as describeCopy() has it.
    void noteCopy(const std::string& gtid);
    /// The step Complete; all that the description lacks is the end, which is `now`.
    void complete(Nanos now, const std::stop_token& stop);

    /// What failed or was cancelled after the last object was stored can be restored all the same: then this is the
    /// set. Asked only where that is possible, for a destination that hangs would hold up the end: `find` opens the
    /// destination, if it is not yet, and finds the set that was recorded as `number` (0: none was). Where it is away,
    /// nullopt: the cleaner asks.
    std::optional<catalog::BackupSet> wholeSet(catalog::TenantId tenant, std::int64_t number,
                                               const std::function<std::optional<backup_set::SetId>()>& find);
    /// Whether the cleaner has something to do at the end of a set that was recorded.
    bool leavesSomething(bool completed) const;

private:
    void copyAgain(const Error& error);
    void nextTurn();

    const Parts parts_;
    // As they were noted: a beginning that failed may have begun with another chain's key.
    const SetEncryption asked_;
    const std::string full_because_;
    const int attempt_;
    Step step_ = Step::Begin;
    std::shared_ptr<storage::Storage> storage_;
    BackupProgress progress_;
    int failed_copies_ = 0;  ///< in this attempt
    std::optional<DataBackupResult> copied_;
    std::optional<backup_set::BackupSetDescription> parent_;
    backup_set::BackupSetDescription description_;
    std::optional<catalog::BackupSet> finished_;
};

}  // namespace tidemark::backup
