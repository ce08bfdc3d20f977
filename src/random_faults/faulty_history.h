#pragma once

#include <filesystem>
#include <map>
#include <utility>

#include "random_faults/backup_attempt.h"
#include "random_faults/changing_tenant.h"

namespace tidemark::random_faults {

/// Thrown where a promise is broken.
struct BrokenPromise : std::runtime_error {
    using std::runtime_error::runtime_error;
};

/// What one tenant and its backups go through: changes, full and incremental backups, deletions, validations, cleaning,
/// each in the life of a daemon of its own, in which storage, source and process fail at random. After each of them:
/// every set that can be seen restores to what the tenant was when it was copied, and every set that was reported
/// completed can be seen.
///
/// Faults follow from the seed and from the order in which threads ask; what is done follows from the seed and from
/// what came of it.
class FaultyHistory {
public:
    /// `directory`: to be made, for what is restored.
    FaultyHistory(std::uint64_t seed, block::WorkerPool& pool, const NodeKey& node_key,
                  std::filesystem::path directory);

    /// Throws BrokenPromise.
    void run();

    /// How often what was done, for those who want to know whether anything was.
    struct Count {
        int completed = 0;    ///< backups
        int incremental = 0;  ///< of these
        int failed = 0;
        int died = 0;
        int died_reading = 0;  ///< of these, while the source was read
        int adopted = 0;       ///< whole sets whose backup had failed
        int deleted = 0;       ///< sets
        std::uint64_t faults = 0;
    };
    const Count& count() const { return count_; }

private:
    void doSomething();
    void inALife(DaemonLife& life, const std::function<void(DaemonLife&)>& work);
    void startBackup(catalog::BackupType type);
    void backUp(DaemonLife& life);
    std::unique_ptr<source::Source> takeSource(DaemonLife& life, const backup_set::SetId& set, std::uint32_t turn);
    void deleteSets(DaemonLife& life, const std::vector<std::int64_t>& ids);
    void removeRest(DaemonLife& life, std::int64_t set);
    void clean(DaemonLife& life);
    void validate(DaemonLife& life, bool must_be_sound);

    /// `every_set`: else of those that can be seen the last one is restored, and some.
    void check(bool every_set);
    Files restored(const block::BlockReader& reader);
    void checkSet(const backup_set::BackupSetDescription& description);
    /// Without faults: what is left to be done is done, and everything works.
    void settle();
    void checkThatNothingElseIsLeft();
    std::vector<std::int64_t> any(std::vector<std::int64_t> ids);
    std::vector<std::int64_t> goodSets() const;

    std::mt19937_64 random_;
    block::WorkerPool& pool_;
    block::Lane lane_{pool_};
    const NodeKey& node_key_;
    const std::filesystem::path directory_;
    ChangingTenant tenant_;
    Disk disk_;
    SmallCatalog catalog_;
    const double encrypted_;                                           ///< share of backups
    std::map<std::pair<std::uint32_t, std::uint32_t>, Files> copied_;  ///< by set and turn: what the tenant was
    Bytes stream_;
    Count count_;
};

}  // namespace tidemark::random_faults
