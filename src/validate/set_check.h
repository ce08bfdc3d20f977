#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "backup_set/backup_set.h"
#include "validate/checking.h"
#include "validate/finding.h"
#include "validate/frame_checkers.h"
#include "validate/plan_cursor.h"

namespace tidemark::validate {

/// Re-reads every object of one backup set and checks every checksum, and that its objects agree: description, index,
/// the tables of its data objects. Of the sets that it leans on it checks that they are complete, that the objects are
/// there, and that their tables are what the index says; their frames are checked with the set that they are of, and
/// here only in an object that is known to be damaged.
///
/// Uses the lane's workers, and threads that end with run(). Memory: buffers of the budget, one data object's part of
/// the index, and what one data object's table names.
class SetCheck {
public:
    /// Whether an object of another set was found damaged. By its URI.
    using IsDamaged = std::function<bool(const std::string&)>;

    SetCheck(const Checking& with, const backup_set::SetId& id, IsDamaged is_damaged);

    /// Throws Unavailable if the storage does not give something, Cancelled; what is wrong with the set it returns.
    std::vector<Finding> run();
    /// After run(); nullopt if it cannot be read.
    const std::optional<backup_set::BackupSetDescription>& description() const { return description_; }

private:
    enum class State { Whole, WithoutTable, Gone };

    void checkPlaceHolders();
    void readDescription();
    void checkKeyBag();
    void openIndex();
    bool rebuildIndex();
    bool isLocked(const storage::Key& key);
    void checkIndexHead(const storage::Key& key);
    void compareDescription();
    storage::Key ownDirectory();
    std::map<storage::Key, std::uint64_t> ownObjects();
    bool isThere(const storage::Key& key, std::uint64_t size, catalog::FindingKind missing,
                 catalog::Harm harm = catalog::Harm::Set);
    void checkOwnObjects();
    void requireOwn(const storage::Key& key, const block::LayerId& layer) const;
    State checkDataObject(const storage::Key& key, FrameCheckers& checkers);
    State checkEnds(const storage::Key& key);
    void noteDamagedFrames();
    std::string pathOf(const storage::Key& key, block::FileNumber file) const;
    void checkOthers();
    void checkOther(const storage::Key& key, const block::IndexLayer::Object& object);
    void checkAgreement();
    void checkOwnLog();
    void checkLogObject(const backup_set::LogObject& object);
    void compareWithTable(PlanCursor& plan, const storage::Key& key);
    void checkWantedFrames(PlanCursor& plan, const block::ReadPlan& all, const storage::Key& key);
    catalog::FindingKind kindFor(const storage::Key& key, catalog::FindingKind kind) const;

    const Checking& with_;
    const backup_set::SetId id_;
    const IsDamaged is_damaged_;
    const block::ChainKeyPtr chain_;  ///< null: it is not encrypted, or not to be opened
    bool locked_ = false;             ///< encrypted, and no key
    Findings findings_;
    std::optional<backup_set::BackupSetDescription> description_;
    std::unique_ptr<block::BlockReader> reader_;  ///< null: the index cannot be used
    std::map<storage::Key, State> objects_;       ///< data objects, also of other sets
    struct Tallied {
        std::shared_ptr<FrameTally> tally;
        std::uint32_t frames = 0;
    };
    std::map<storage::Key, Tallied> tallied_;
};

}  // namespace tidemark::validate
