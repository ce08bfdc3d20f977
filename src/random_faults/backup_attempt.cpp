#include "random_faults/backup_attempt.h"

#include "backup/finished_set.h"
#include "backup/parent_set.h"
#include "backup/set_making.h"
#include "backup_set/kept_key.h"
#include "base/error.h"
#include "base/require_going.h"
#include "clean/cleaner.h"
#include "clean/retention.h"

namespace tidemark::random_faults {
namespace {

/// A destination that does not come back, and a daemon that is started again meanwhile.
constexpr int kMostWaits = 10;

Logger silent() {
    static const Logger log = std::make_shared<spdlog::logger>("silent");
    return log;
}

}  // namespace

backup_set::ChainKeyPtr keyOf(const SmallCatalog& catalog, const NodeKey& node_key, std::int64_t set) {
    return backup_set::keptKey(catalog.wrapped_keys.at(set), node_key);
}

BackupAttempt::BackupAttempt(const AttemptParts& parts)
    : parts_(parts),
      catalog_(parts.catalog),
      backup_(*parts.catalog.backup),
      storage_(*parts.life.storage()),
      progress_(backup::BackupProgress::from(backup_.progress)) {
    ++backup_.attempts;
}

void BackupAttempt::run() {
    bool completed = true;
    try {
        while (step_ != Step::Done && waits_ < kMostWaits)
            goOn();
        if (step_ != Step::Done) return;
    } catch (const Error&) {
        completed = false;
    }
    finish(completed);
}

void BackupAttempt::goOn() {
    try {
        requireGoing(parts_.life.stop(), "the backup was cancelled");
        step();
    } catch (const Error& error) {
        const bool waits = step_ == Step::Begin ? !error.sql() : step_ != Step::Copy;
        if (!waits || parts_.life.stop().stop_requested()) throw;
        if (error.code() != ErrorCode::Unavailable && !storage::isAway(storage_)) throw;
        ++waits_;
    }
}

void BackupAttempt::step() {
    switch (step_) {
        case Step::Begin:
            return begin();
        case Step::Copy:
            return copy();
        case Step::NoteCopy:
            backup::describeCopy(description_, *copied_, progress_.turn, copied_->facts.gtid);
            progress_.copied = description_;
            save();
            step_ = Step::Complete;
            return;
        case Step::Complete:
            return complete();
        case Step::Done:
            break;
    }
}

void BackupAttempt::begin() {
    storage::requireMounted(storage_);
    if (backup_.set_id != 0) return resume();
    beginSet();
    describe();
    step_ = Step::Copy;
}

void BackupAttempt::beginSet() {
    progress_ = {.turn = 1, .encryption = backup::BackupProgress::from(backup_.progress).encryption};
    const bool encrypted = progress_.encryption.on();
    const catalog::BackupEncryption encryption{.mode = encrypted ? "PASSWORD" : "NONE", .passwd = {}};
    catalog::BackupSet set;
    if (backup_.type == catalog::BackupType::Inc) {
        parent_ = backup::findParent(storage_, catalog_.sets,
                                     {.encryption = encryption,
                                      .key_of = [this](const auto& one) { return keyOf(one.backup_set_id); }},
                                     silent(), parts_.life.stop())
                      .set;
    }
    if (parent_) {
        progress_.parent = parent_->id;
        backup::leanOn(set, *parent_);
    }
    if (encrypted)
        progress_.encryption.begin(parent_ ? keyOf(parent_->id.number) : block::ChainKey::random(), parts_.node_key);
    set.backup_set_id = catalog_.nextId(backup::leastSetId(storage_));
    set.encryption = encryption;
    parts_.life.call();
    set.start_time = catalog_.now();
    catalog_.wrapped_keys[set.backup_set_id] = progress_.encryption.wrappedKey();
    catalog_.sets.push_back(set);
    backup_.set_id = set.backup_set_id;
    backup_.progress = progress_.text();
}

void BackupAttempt::resume() {
    const backup_set::SetId id = backup::idOf(catalog_.set(backup_.set_id));
    if (backup_set::finishDescribedSet(storage_, id, key(), parts_.life.stop())) {
        step_ = Step::Done;
        return;
    }
    if (progress_.copied) {
        description_ = *progress_.copied;
        step_ = Step::Complete;
        return;
    }
    if (progress_.parent) parent_ = backup_set::readBackupSet(storage_, *progress_.parent, key());
    nextTurn();
    describe();
    step_ = Step::Copy;
}

void BackupAttempt::copy() {
    try {
        const auto source = parts_.source(description_.id, progress_.turn);
        backup::DataBackupProgress counters;
        backup::DataBackup backup(*source, storage_, parts_.lane,
                                  {.set = description_.id,
                                   .turn = progress_.turn,
                                   .parent = parent_,
                                   .data_file_size = parts_.data_file_size,
                                   .key = key()},
                                  counters);
        copied_ = backup.run(parts_.life.stop());
        storage::requireMounted(storage_);
        step_ = Step::NoteCopy;
    } catch (const Error& error) {
        if (parts_.life.stop().stop_requested()) throw;
        if (!storage::isAway(storage_) && (error.code() != ErrorCode::Unavailable || ++failed_copies_ == backup::kMostCopies)) throw;
        nextTurn();
    }
}

void BackupAttempt::complete() {
    if (description_.min_restore_scn == 0) description_.min_restore_scn = static_cast<Scn>(catalog_.now());
    storage::requireMounted(storage_);
    backup::makeSetVisible(storage_, description_, progress_.encryption, key(), catalog_.now(), parts_.life.stop());
    step_ = Step::Done;
}

void BackupAttempt::describe() {
    const catalog::BackupSet& set = catalog_.set(backup_.set_id);
    description_ = {.id = backup::idOf(set),
                    .prev_full_set = static_cast<std::uint32_t>(set.prev_full_set_id),
                    .prev_incremental_set = static_cast<std::uint32_t>(set.prev_inc_set_id),
                    .tenant_name = "acme",
                    .start_time = set.start_time};
}

void BackupAttempt::nextTurn() {
    ++progress_.turn;
    save();
}

void BackupAttempt::save() {
    parts_.life.call();
    backup_.progress = progress_.text();
}

backup_set::ChainKeyPtr BackupAttempt::key() const {
    return progress_.encryption.key(parts_.node_key);
}

backup_set::ChainKeyPtr BackupAttempt::keyOf(std::int64_t set) const {
    return random_faults::keyOf(catalog_, parts_.node_key, set);
}

/// As BackupJob::finish: a set that is whole at the destination has not failed, if that is known.
void BackupAttempt::finish(bool completed) {
    std::optional<catalog::BackupSet> whole;
    if (backup_.set_id != 0) {
        const bool possible = step_ == Step::Complete || step_ == Step::Begin || completed;
        if (possible) whole = wholeSet();
    }
    parts_.life.call();
    if (backup_.set_id != 0) {
        catalog::BackupSet& set = catalog_.set(backup_.set_id);
        if (completed || whole) {
            if (whole) set.min_restore_scn = whole->min_restore_scn;
            if (set.min_restore_scn == 0) set.min_restore_scn = description_.min_restore_scn;
            set.status = catalog::BackupSetStatus::Success;
            set.file_status = catalog::FileStatus::Available;
        } else {
            set.status = catalog::BackupSetStatus::Failed;
            set.file_status = catalog::FileStatus::Incomplete;
        }
        const bool nothing_else = progress_.turn < 2 && backup_.attempts < 2;
        if (!(completed || whole) || !nothing_else) catalog_.leftovers.insert(backup_.set_id);
    }
    catalog_.backup.reset();
}

std::optional<catalog::BackupSet> BackupAttempt::wholeSet() {
    try {
        return backup::finishedSet(storage_, 0, backup::idOf(catalog_.set(backup_.set_id)), key());
    } catch (const Error&) {
        return std::nullopt;
    }
}

namespace {

/// What catalog::BackupStore asks for in the transaction that adopts a set.
bool hasParents(SmallCatalog& catalog, const catalog::BackupSet& set) {
    for (const std::int64_t parent : {set.prev_inc_set_id, set.prev_full_set_id}) {
        if (parent != 0 && !clean::isGood(catalog.set(parent))) return false;
    }
    return true;
}

bool isSuccess(SmallCatalog& catalog, DaemonLife& life, const NodeKey& node_key, const backup_set::SetId& id) {
    catalog::BackupSet& known = catalog.set(id.number);
    if (known.status != catalog::BackupSetStatus::Failed) return true;
    try {
        const auto found = backup::finishedSet(*life.storage(), 0, id, keyOf(catalog, node_key, id.number));
        life.call();
        if (!hasParents(catalog, known)) return false;
        known.status = catalog::BackupSetStatus::Success;
        known.file_status = catalog::FileStatus::Available;
        known.min_restore_scn = found.value().min_restore_scn;
        return true;
    } catch (const Error& error) {
        if (error.code() != ErrorCode::Corrupt && error.code() != ErrorCode::NotFound) throw;
        storage::requireMounted(*life.storage());
        return false;
    }
}

}  // namespace

void cleanLeftovers(SmallCatalog& catalog, DaemonLife& life, const NodeKey& node_key, std::int64_t set) {
    clean::Cleaner cleaner(life.storage(), {.path = {}, .thing = {catalog::DeletedObject::BackupSet, set}});
    const auto id = cleaner.offered();
    if (!id) {
        cleaner.removeUnfinished();
    } else if (isSuccess(catalog, life, node_key, *id)) {
        cleaner.removeOtherTurns(*id);
    } else {
        cleaner.remove(life.stop(), [](const clean::Extent&) {});
    }
    life.call();
    catalog.leftovers.erase(set);
}

}  // namespace tidemark::random_faults
