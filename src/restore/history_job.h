#pragma once

#include "base/crash_point.h"
#include "catalog/restore_store.h"
#include "job/work_context.h"

namespace tidemark::restore {

/// Moves a restore that has ended from PROGRESS to HISTORY. Its record of work is due once the end has been shown long
/// enough. Nobody waits for that: the restore is over, its tenant is open.
class HistoryJob : public job::Job {
public:
    HistoryJob(catalog::RestoreStore& store, job::WorkContext& context) : store_(store), context_(context) {}

    std::optional<job::Pause> run(std::stop_token) override { return std::nullopt; }
    void finish(const catalog::Outcome&) override {
        store_.moveToHistory(context_.claim(), context_.key().id);
        crashPoint("restore.in-history");
    }

private:
    catalog::RestoreStore& store_;
    job::WorkContext& context_;
};

}  // namespace tidemark::restore
