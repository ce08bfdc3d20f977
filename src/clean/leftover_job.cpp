#include "clean/leftover_job.h"

#include <fmt/format.h>

#include "backup/finished_set.h"
#include "backup_set/kept_key.h"
#include "clean/cleaner.h"
#include "oceanbase/ob_error.h"
#include "storage/loss.h"

namespace tidemark::clean {

using std::chrono::milliseconds;

LeftoverJob::LeftoverJob(catalog::Stores& stores, const NodeKey& node_key, job::WorkContext& context)
    : stores_(stores),
      node_key_(node_key),
      context_(context),
      leftovers_(backup::Leftovers::from(context.progress())),
      log_(makeLogger(fmt::format("clean tenant={} set={}", context.key().tenant, leftovers_.backup_set_id))) {}

std::optional<job::Pause> LeftoverJob::run(std::stop_token stop) {
    try {
        clean(std::move(stop));
    } catch (const Error& error) {
        if (error.code() != ErrorCode::Conflict) throw;
        log_->warn("nothing is removed: {}", error.what());
    }
    return std::nullopt;
}

void LeftoverJob::clean(std::stop_token stop) {
    Cleaner cleaner(stores_, context_.key().tenant,
                    {.path = leftovers_.path, .thing = {catalog::DeletedObject::BackupSet, leftovers_.backup_set_id}});
    const auto id = cleaner.offered();
    if (!id) {
        cleaner.removeUnfinished();
        log_->info("removed what was left of it");
    } else if (isSuccess(cleaner.storage(), *id)) {
        cleaner.removeOtherTurns(*id);
        log_->info("only the complete copy is left");
    } else {
        stores_.backups.giveUp(context_.claim(), context_.key().tenant, leftovers_.backup_set_id);
        cleaner.remove(std::move(stop), [](const Extent&) {});
        log_->info("removed all of it, which nobody could have restored");
    }
}

/// Who restores from a destination alone takes what is complete there: a failure must not be.
bool LeftoverJob::isSuccess(storage::Storage& storage, backup_set::SetId id) {
    const auto known = stores_.backups.set(context_.key().tenant, leftovers_.backup_set_id);
    if (!known || known->status != catalog::BackupSetStatus::Failed) return true;
    const auto wrapped = stores_.backups.wrappedKeyOf(context_.key().tenant, leftovers_.backup_set_id);
    const auto key = backup_set::keptKey(wrapped.value_or(""), node_key_);
    try {
        stores_.backups.adopt(context_.claim(), backup::finishedSet(storage, context_.key().tenant, id, key).value());
        log_->info("it is whole, and a success");
        return true;
    } catch (const Error& error) {
        const bool lacks_parent = is(error, Ob::OpNotAllow);
        if (!storage::isLoss(error) && !lacks_parent) throw;
        storage::requireMounted(storage);  // what is not mounted looks like missing objects
        log_->warn("it is complete, but cannot be restored: {}", error.what());
        return false;
    }
}

std::optional<milliseconds> LeftoverJob::retryAfter(const Error&) {
    return longerEachTime(context_.attempt());
}

void LeftoverJob::finish(const catalog::Outcome&) {
    stores_.work.end(context_.claim());
}

}  // namespace tidemark::clean
