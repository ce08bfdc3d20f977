#include "backup/set_course.h"

#include <algorithm>

#include "backup/finished_set.h"
#include "backup/set_making.h"
#include "storage/destination.h"

namespace tidemark::backup {

SetCourse::SetCourse(Parts parts, BackupProgress progress, int attempt)
    : parts_(std::move(parts)),
      asked_(progress.encryption),
      full_because_(progress.full_because),
      attempt_(attempt),
      progress_(std::move(progress)) {}

/// sys, the tenant or a destination is away: what is copied is not thrown away for that. That a destination is not
/// usable is said with a number, and ends a backup that has copied nothing yet.
bool SetCourse::waits(const Error& error, bool stopped) const {
    const bool may_wait = step_ == Step::Begin ? !error.sql() : step_ != Step::Copy;
    if (!may_wait || stopped) return false;
    return error.code() == ErrorCode::Unavailable || isDestinationAway();
}

bool SetCourse::isDestinationAway() const {
    return storage_ && storage::isAway(*storage_);
}

catalog::BackupSet SetCourse::beginSet(const NewSet& wanted, const std::vector<catalog::BackupSet>& sets,
                                       const ParentChoice& choice, const std::stop_token& stop) {
    progress_ = {.turn = 1,
                 .round_id = wanted.round_id,
                 .parent = {},
                 .full_because = full_because_,
                 .copied = {},
                 .log = {},
                 .encryption = asked_};
    parent_.reset();
    if (wanted.type == catalog::BackupType::Inc) {
        ParentFound found = findParent(*storage_, sets, choice, parts_.log, stop);
        progress_.full_because = fullBecause(found.why_none);
        if (!found.set) parts_.log->info("{}", progress_.full_because);
        parent_ = std::move(found.set);
    }
    catalog::BackupSet set;
    set.comment = progress_.full_because;
    if (parent_) {
        progress_.parent = parent_->id;
        leanOn(set, *parent_);
    }
    if (!progress_.encryption.on()) return set;
    // All sets of a chain have one key.
    const auto known = std::ranges::find_if(sets, [&](const auto& one) { return parent_ && idOf(one) == parent_->id; });
    progress_.encryption.begin(known != sets.end() ? choice.key_of(*known) : block::ChainKey::random(),
                               parts_.node_key);
    return set;
}

void SetCourse::describe(const catalog::BackupSet& set) {
    description_.id = idOf(set);
    description_.prev_full_set = static_cast<std::uint32_t>(set.prev_full_set_id);
    description_.prev_incremental_set = static_cast<std::uint32_t>(set.prev_inc_set_id);
    description_.start_time = set.start_time;
}

SetCourse::Resumed SetCourse::resume(catalog::TenantId tenant, const backup_set::SetId& id,
                                     const std::stop_token& stop) {
    if (backup_set::finishDescribedSet(*storage_, id, key(), stop)) {
        parts_.log->info("set {} is whole at the destination", id.number);
        finished_ = finishedSet(*storage_, tenant, id, key()).value();
        return Resumed::Whole;
    }
    if (progress_.copied) {
        description_ = *progress_.copied;
        return Resumed::Copied;
    }
    parts_.log->info("set {} is copied again, attempt {}", id.number, attempt_);
    if (progress_.parent) parent_ = backup_set::readBackupSet(*storage_, *progress_.parent, key());
    nextTurn();
    return Resumed::CopyAgain;
}

/// Noted before anything of it is stored, so that no two attempts ever write the same objects.
void SetCourse::nextTurn() {
    progress_.turn = std::max(progress_.turn, 1U) + 1;  // one that an older version began was the first
    save();
}

bool SetCourse::copy(const std::function<DataBackupResult()>& once, const std::stop_token& stop) {
    try {
        copied_ = once();
        // What went beneath a destination that is not mounted is not there.
        storage::requireMounted(*storage_);
    } catch (const Error& error) {
        if (stop.stop_requested()) throw;
        copyAgain(error);
        return false;
    }
    step_ = Step::NoteCopy;
    return true;
}

/// Throws what is handled if there is no sense in it. A destination that goes, however often, is no failure of a copy:
/// the next one begins when it is there.
void SetCourse::copyAgain(const Error& error) {
    // mariadb-backup loses the data of Aria and MyISAM tables that are created and renamed while it runs, which is
    // found out at the end of the copy: docs/decisions/data_path.md. Another copy rarely meets the same again.
    if (isDestinationAway()) {
        parts_.log->warn("set {} is copied again when its destination is back: {}", description_.id.number,
                         error.what());
    } else {
        if (error.code() != ErrorCode::Unavailable || ++failed_copies_ == kMostCopies) throw;
        parts_.log->warn("copy {} of {}: {}", failed_copies_, kMostCopies, error.what());
    }
    nextTurn();
}

void SetCourse::noteCopy(const std::string& gtid) {
    describeCopy(description_, *copied_, progress_.turn, gtid);
    progress_.copied = description_;
    save();
    step_ = Step::AwaitArchive;
}

void SetCourse::complete(Nanos now, const std::stop_token& stop) {
    storage::requireMounted(*storage_);
    makeSetVisible(*storage_, description_, progress_.encryption, key(), now, stop);
}

std::optional<catalog::BackupSet> SetCourse::wholeSet(catalog::TenantId tenant, std::int64_t number,
                                                      const std::function<std::optional<backup_set::SetId>()>& find) {
    if (number == 0 || (step_ != Step::Complete && step_ != Step::Begin)) return std::nullopt;
    try {
        const auto id = find();
        auto whole = id ? finishedSet(*storage_, tenant, *id, key()) : std::nullopt;
        if (whole) parts_.log->info("set {} is whole at the destination", number);
        return whole;
    } catch (const Error& error) {
        parts_.log->warn("whether set {} is whole is not known, the cleaner will ask: {}", number, error.what());
        return std::nullopt;
    }
}

bool SetCourse::leavesSomething(bool completed) const {
    // An earlier attempt that died has left at least what it was just writing.
    return !completed || progress_.turn > 1 || attempt_ > 1;
}

}  // namespace tidemark::backup
