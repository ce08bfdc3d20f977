#include "random_faults/backup_attempt.h"

#include "backup/finished_set.h"
#include "backup/set_making.h"
#include "backup_set/kept_key.h"
#include "base/error.h"
#include "base/require_going.h"
#include "clean/cleaner.h"
#include "clean/retention.h"
#include "storage/loss.h"

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
      course_({.node_key = parts.node_key,
               .log = silent(),
               .save =
                   [this](const std::string& text) {
                       parts_.life.call();
                       backup_.progress = text;
                   }},
              backup::BackupProgress::from(backup_.progress), ++backup_.attempts) {
    course_.open(parts.life.storage());
}

AttemptEnd BackupAttempt::run() {
    bool completed = true;
    try {
        while (!over_ && waits_ < kMostWaits)
            goOn();
        if (!over_) return AttemptEnd::NotOver;
    } catch (const Error&) {
        completed = false;
    }
    return finish(completed) ? AttemptEnd::Completed : AttemptEnd::Failed;
}

void BackupAttempt::goOn() {
    try {
        requireGoing(parts_.life.stop(), "the backup was cancelled");
        step();
    } catch (const Error& error) {
        if (!course_.waits(error, parts_.life.stop().stop_requested())) throw;
        ++waits_;
    }
}

void BackupAttempt::step() {
    switch (course_.step()) {
        case Step::Begin:
            return begin();
        case Step::Copy:
            course_.copy([this] { return copyOnce(); }, parts_.life.stop());
            return;
        case Step::NoteCopy:
            return course_.noteCopy(course_.copied().facts.gtid);
        case Step::AwaitArchive:
            course_.description().min_restore_scn = static_cast<Scn>(catalog_.now());
            return course_.go(Step::Complete);
        case Step::ChooseLog:
        case Step::CopyLog:
            throw std::logic_error("there is no archive");
        case Step::Complete:
            return complete();
    }
}

void BackupAttempt::begin() {
    storage::requireMounted(*course_.storage());
    if (backup_.set_id != 0) return resume();
    beginSet();
    beginCopy();
}

void BackupAttempt::beginSet() {
    const auto key_of = [this](const auto& one) { return keyOf(catalog_, parts_.node_key, one.backup_set_id); };
    const catalog::BackupEncryption encryption{.mode = course_.progress().encryption.on() ? "PASSWORD" : "NONE",
                                               .passwd = {}};
    catalog::BackupSet set = course_.beginSet({.type = backup_.type}, catalog_.sets,
                                              {.encryption = encryption, .key_of = key_of}, parts_.life.stop());
    set.backup_set_id = catalog_.nextId(backup::leastSetId(*course_.storage()));
    set.encryption = encryption;
    parts_.life.call();
    set.start_time = catalog_.now();
    catalog_.wrapped_keys[set.backup_set_id] = course_.progress().encryption.wrappedKey();
    catalog_.sets.push_back(set);
    backup_.set_id = set.backup_set_id;
    backup_.progress = course_.progress().text();
}

void BackupAttempt::resume() {
    switch (course_.resume(0, backup::idOf(catalog_.set(backup_.set_id)), parts_.life.stop())) {
        case backup::SetCourse::Resumed::Whole:
            set_ = course_.finished();
            over_ = true;
            return;
        case backup::SetCourse::Resumed::CopyAgain:
            return beginCopy();
        case backup::SetCourse::Resumed::Copied:
            return course_.go(Step::AwaitArchive);
    }
}

void BackupAttempt::beginCopy() {
    parts_.life.call();
    course_.describe(catalog_.set(backup_.set_id));
    course_.description().tenant_name = "acme";
    course_.go(Step::Copy);
}

backup::DataBackupResult BackupAttempt::copyOnce() {
    const auto source = parts_.source(course_.description().id, course_.progress().turn);
    backup::DataBackupProgress counters;
    backup::DataBackup backup(*source, *course_.storage(), parts_.lane,
                              {.set = course_.description().id,
                               .turn = course_.progress().turn,
                               .parent = course_.parent(),
                               .data_file_size = parts_.data_file_size,
                               .key = course_.key()},
                              counters);
    return backup.run(parts_.life.stop());
}

void BackupAttempt::complete() {
    course_.complete(catalog_.now(), parts_.life.stop());
    set_ = backup::entryOf(0, course_.description());
    over_ = true;
}

/// Whether it has completed, after all.
bool BackupAttempt::finish(bool completed) {
    if (!completed) {
        set_ = course_.wholeSet(0, backup_.set_id,
                                [this] { return std::optional(backup::idOf(catalog_.set(backup_.set_id))); });
    }
    parts_.life.call();
    const bool success = set_.has_value();
    if (backup_.set_id != 0) {
        catalog::BackupSet& set = catalog_.set(backup_.set_id);
        set.status = success ? catalog::BackupSetStatus::Success : catalog::BackupSetStatus::Failed;
        set.file_status = success ? catalog::FileStatus::Available : catalog::FileStatus::Incomplete;
        if (success) set.min_restore_scn = set_->min_restore_scn;
        if (course_.leavesSomething(success)) catalog_.leftovers.insert(backup_.set_id);
    }
    catalog_.backup.reset();
    return success;
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
        if (!storage::isLoss(error)) throw;
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
