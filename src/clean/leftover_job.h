#pragma once

#include "backup/backup_progress.h"
#include "backup_set/backup_set.h"
#include "base/log.h"
#include "catalog/stores.h"
#include "job/job.h"
#include "job/work_context.h"

namespace tidemark::clean {

/// Removes from a destination what a backup left that has ended: its set, if it is unfinished, or else the turns that
/// the set does not consist of. A set that is whole, and whose backup could not ask for it at its end, becomes a
/// success in the catalog; one that is complete and cannot be restored, as when what it leans on was removed meanwhile,
/// goes as an unfinished one does.
///
/// The record is written in the transaction that ends the backup, so nobody works on the set any more. What cannot be
/// removed now is tried again, less and less often; that costs nobody anything.
class LeftoverJob : public job::Job {
public:
    LeftoverJob(catalog::Stores& stores, const NodeKey& node_key, job::WorkContext& context);

    std::optional<job::Pause> run(std::stop_token stop) override;
    std::optional<std::chrono::milliseconds> retryAfter(const Error& error) override;
    void finish(const catalog::Outcome& outcome) override;

private:
    void clean(std::stop_token stop);
    bool isSuccess(storage::Storage& storage, backup_set::SetId id);

    catalog::Stores& stores_;
    const NodeKey& node_key_;
    job::WorkContext& context_;
    const backup::Leftovers leftovers_;
    const Logger log_;
};

}  // namespace tidemark::clean
