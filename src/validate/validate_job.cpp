#include "validate/validate_job.h"

#include <fmt/format.h>
#include <pthread.h>

#include <algorithm>
#include <thread>

#include "backup_set/kept_key.h"
#include "base/crash_point.h"
#include "base/stop_sleep.h"
#include "job/shown_stage.h"
#include "oceanbase/ob_error.h"
#include "storage/open_storage.h"
#include "storage/throttled_storage.h"
#include "validate/lost.h"
#include "validate/unit_check.h"

namespace tidemark::validate {

namespace {

constexpr std::chrono::milliseconds kShowInterval{200};
/// So often an object is read that a destination which answers does not give, before that is its damage.
constexpr int kReadAttempts = 3;

/// What passes, or is the destination's: not the object's.
bool isPassing(const Error& error) {
    return error.code() == ErrorCode::Unavailable || error.code() == ErrorCode::Denied;
}

/// Gives back what was taken, if anything was.
class Turn {
public:
    explicit Turn(std::atomic_flag* taken) : taken_(taken) {}
    ~Turn() {
        if (taken_ != nullptr) taken_->clear();
    }
    Turn(const Turn&) = delete;
    Turn& operator=(const Turn&) = delete;

private:
    std::atomic_flag* const taken_;
};

/// A set that was found to be validated, and was removed then: there is another plan without it.
bool isBeingRemoved(const Error& error) {
    return is(error, Ob::OpNotAllow);
}

}  // namespace

ValidateJob::ValidateJob(const ValidateJobParts& parts, catalog::ValidateJobRow row, job::WorkContext& context)
    : parts_(parts),
      row_(std::move(row)),
      context_(context),
      log_(makeLogger(fmt::format("validate tenant={} job={}", row_.tenant, row_.job_id))),
      plan_(ValidatePlan::from(context.progress())) {}

std::optional<job::Pause> ValidateJob::ask() {
    try {
        requireThere(*storage::openStorage(plan_.units[plan_.next].path));
        return std::nullopt;
    } catch (const Error& error) {
        if (!isPassing(error)) throw;
        return job::pauseFor(wait_, error.what());
    }
}

std::optional<job::Pause> ValidateJob::run(std::stop_token stop) {
    endLeftReadings();
    try {
        if (!begun_) {
            begin();
        } else if (plan_.next < plan_.units.size()) {
            if (const auto pause = checkNext(std::move(stop))) return pause;
        }
    } catch (const Error& error) {
        const bool replan = !begun_ && isBeingRemoved(error);
        if (!isPassing(error) && !replan) throw;
        if (replan) plan_ = {};
        return goOnLater(error);
    }
    wait_.reset();
    if (begun_ && plan_.next == plan_.units.size()) return std::nullopt;
    return job::Pause{};
}

/// What an attempt that was killed has left running in the tenant: the server does not look whether anybody waits for
/// the answer.
void ValidateJob::endLeftReadings() {
    if (readings_ended_ || context_.attempt() < 2 || !row_.with_restore) return;
    readings_ended_ = true;
    try {
        mysql::Endpoint server = parts_.tenants.server(row_.tenant)->endpoint();
        server.connect_timeout = server.statement_timeout = std::chrono::seconds(5);
        mysql::SqlClient session(server);
        endReadings(session);
    } catch (const Error& error) {
        log_->warn("whether an earlier attempt still reads the tenant is not known: {}", error.what());
    }
}

/// Chooses what is checked and measures it; a later attempt keeps to what was chosen.
void ValidateJob::begin() {
    if (plan_.units.empty()) {
        ValidatePlan plan = planValidation(parts_.stores, row_.tenant, parseSets(row_.sets), row_.with_restore);
        for (PlannedUnit& unit : plan.units) {
            const auto storage = storage::openStorage(unit.path);
            requireThere(*storage);
            measure(*storage, unit);
        }
        plan_ = std::move(plan);
    }
    row_.set_count = std::ranges::count(plan_.units, PlannedUnit::Kind::Set, &PlannedUnit::kind);
    row_.piece_count = std::ranges::count(plan_.units, PlannedUnit::Kind::Piece, &PlannedUnit::kind);
    countTotals();
    // Those that have come since the statement are in use from here on.
    std::vector<catalog::BackupSet> used = validatableSets(parts_.stores.backups, row_.tenant);
    std::erase_if(used, [&](const catalog::BackupSet& set) {
        return std::ranges::count(plan_.units, set.backup_set_id,
                                  [](const auto& unit) { return unit.id.backup_set_id; }) == 0;
    });
    row_.stage = catalog::ValidateStage::Objects;
    parts_.stores.validations.begin(context_.claim(), row_, used, plan_.text());
    crashPoint("validate.planned");
    begun_ = true;
    log_->info("begins with {} sets and {} pieces, {} bytes", row_.set_count, row_.piece_count, row_.total_bytes);
}

/// Of the units that are over what was read, of the others what was listed.
void ValidateJob::countTotals() {
    row_.total_bytes = row_.finish_bytes = plan_.bytes;
    row_.object_count = row_.finish_object_count = plan_.objects;
    for (std::size_t i = plan_.next; i < plan_.units.size(); ++i) {
        row_.total_bytes += plan_.units[i].bytes;
        row_.object_count += plan_.units[i].objects;
    }
}

std::optional<job::Pause> ValidateJob::checkNext(std::stop_token stop) {
    const PlannedUnit& unit = plan_.units[plan_.next];
    const bool restores = unit.kind == PlannedUnit::Kind::Restore;
    if (restores && parts_.restoring->test_and_set())
        return job::pauseFor(wait_, "another validation of this node to restore its set");
    const Turn turn(restores ? parts_.restoring.get() : nullptr);
    const auto storage = storage::openStorage(unit.path);
    CheckProgress progress;
    std::vector<Finding> findings;
    {
        std::jthread ticker([&](std::stop_token done) {
            pthread_setname_np(pthread_self(), "validate-show");
            while (sleepFor(done, kShowInterval))
                showProgress(progress);
        });
        findings = check(unit, *storage, progress, std::move(stop));
    }
    confirm(*storage, findings);
    crashPoint("validate.unit-checked");
    note(unit, findings, progress);
    crashPoint("validate.unit-noted");
    return std::nullopt;
}

std::vector<Finding> ValidateJob::check(const PlannedUnit& unit, storage::Storage& storage, CheckProgress& progress,
                                        std::stop_token stop) {
    job::Capacity& capacity = parts_.capacity;
    storage::ThrottledStorage throttled(storage, capacity.destination_reading, capacity.destination_writing,
                                        {.stop = stop});
    job::Share share(capacity, job::backupShare(row_.tenant));
    const Checking with{.storage = throttled,
                        .lane = share.lane(),
                        .progress = progress,
                        .scratch = parts_.own_directory,
                        .stop = stop,
                        .unreadable_is_finding = failures_ >= kReadAttempts,
                        .key_of = [this](const backup_set::SetId& id) { return keyOf(id); },
                        .on_stage = [&](catalog::ValidateStage stage) { show(unit, stage, progress); }};
    return checkUnit({.stores = parts_.stores,
                      .tenant = row_.tenant,
                      .plan = plan_,
                      .restoring = {.stores = parts_.stores,
                                    .tenants = parts_.tenants,
                                    .tenant = row_.tenant,
                                    .servers = parts_.servers,
                                    .write_archive = parts_.write_archive,
                                    .present = present_}},
                     unit, with);
}

/// Of a set that was made here; the node that has its key may be another.
block::ChainKeyPtr ValidateJob::keyOf(const backup_set::SetId& id) const {
    const auto wrapped = parts_.stores.backups.wrappedKeyOf(row_.tenant, id.number);
    try {
        return backup_set::keptKey(wrapped.value_or(""), parts_.node_key);
    } catch (const Error& error) {
        log_->warn("the key of set {} cannot be opened: {}", id.number, error.what());
        return nullptr;
    }
}

/// What is missing may be so because the destination went away in the midst, and is there again.
void ValidateJob::confirm(storage::Storage& storage, const std::vector<Finding>& findings) const {
    requireThere(storage);
    for (const Finding& finding : findings) {
        const std::string prefix = storage.url() + "/";
        if (finding.kind != catalog::FindingKind::Missing || !finding.object.starts_with(prefix)) continue;
        const std::string key = finding.object.substr(prefix.size());
        if (key.find('*') == std::string::npos && storage.stat(key))
            throw Error(ErrorCode::Unavailable, finding.object + " was not there a moment ago, and is there again");
    }
}

void ValidateJob::note(const PlannedUnit& unit, const std::vector<Finding>& findings, const CheckProgress& progress) {
    const auto all =
        restorable(validatableSets(parts_.stores.backups, row_.tenant), parts_.stores.archive.rounds(row_.tenant));
    std::vector<catalog::FindingRow> rows;
    for (const Finding& finding : findings) {
        catalog::FindingRow row{.unit = unit.id,
                                .kind = finding.kind,
                                .object = finding.object,
                                .what = finding.what,
                                .harm = finding.harm,
                                .harm_from = finding.harm_from,
                                .harm_to = finding.harm_to};
        const Lost lost = lostBy(all, {row});
        row.lost_sets = lost.setList();
        row.lost_ranges = lost.rangeList();
        log_->warn("found {}: {}: {}", catalog::text(finding.kind), finding.object, finding.what);
        rows.push_back(std::move(row));
    }
    plan_.bytes += progress.allBytes();
    plan_.objects += progress.objects;
    plan_.findings += static_cast<std::int64_t>(findings.size());
    ++plan_.next;
    failures_ = 0;
    // What was listed and has changed since is told as it was read.
    countTotals();
    row_.finding_count = plan_.findings;
    context_.moved();
    parts_.stores.validations.note(context_.claim(), row_, unit.id, rows, plan_.text(), progress.looked);
}

void ValidateJob::showProgress(const CheckProgress& progress) {
    const MutexLock lock(showing_);
    const bool moved =
        plan_.bytes + progress.allBytes() > row_.finish_bytes || progress.finished_tables != row_.finish_table_count;
    if (!moved) return;
    context_.moved();
    writeProgress(progress);
}

void ValidateJob::writeProgress(const CheckProgress& progress) {
    row_.finish_bytes = std::max(row_.finish_bytes, plan_.bytes + progress.allBytes());
    row_.finish_object_count = plan_.objects + progress.objects;
    row_.table_count = progress.tables;
    row_.finish_table_count = progress.finished_tables;
    // What a set restores to is more than was known, if there is log.
    row_.total_bytes = std::max(row_.total_bytes, row_.finish_bytes);
    try {
        parts_.stores.validations.progress(context_.claim(), row_);
    } catch (const Error& error) {
        log_->warn("progress could not be recorded: {}", error.what());
    }
}

/// As long as a backup's and a restore's are shown.
void ValidateJob::show(const PlannedUnit& unit, catalog::ValidateStage stage, const CheckProgress& progress) {
    {
        const MutexLock lock(showing_);
        row_.stage = stage;
        row_.stage_set_id = unit.id.backup_set_id;
        writeProgress(progress);
    }
    context_.moved();
    job::ShownStage().awaitShown();
}

/// The unit is checked again, when its destination is there.
job::Pause ValidateJob::goOnLater(const Error& error) {
    try {
        if (begun_) {
            requireThere(*storage::openStorage(plan_.units[plan_.next].path));
            ++failures_;
        }
    } catch (const Error&) {
        failures_ = 0;
    }
    log_->info("waits: {}", error.what());
    return job::pauseFor(wait_, error.what());
}

/// What the job says at its end of all that it has found.
catalog::Outcome ValidateJob::found() {
    catalog::Outcome outcome = catalog::Outcome::completed();
    std::vector<catalog::FindingRow> findings = parts_.stores.validations.openFindings(row_.tenant);
    std::erase_if(findings, [&](const catalog::FindingRow& finding) { return finding.last_job != row_.job_id; });
    if (findings.empty()) return outcome;
    const Lost lost = lostBy(
        restorable(validatableSets(parts_.stores.backups, row_.tenant), parts_.stores.archive.rounds(row_.tenant)),
        findings);
    row_.lost_sets = lost.setList();
    row_.lost_ranges = lost.rangeList();
    if (std::ranges::any_of(findings, [](const auto& finding) { return catalog::isDamage(finding.kind); }))
        outcome.result = obResult(Error(ErrorCode::Corrupt, ""));
    outcome.comment = fmt::format("{} findings, the first: {}: {}; CDB_TM_VALIDATE_FINDINGS has all of them",
                                  findings.size(), findings.front().object, findings.front().what);
    return outcome;
}

void ValidateJob::finish(const catalog::Outcome& outcome) {
    endLeftReadings();
    const bool completed = outcome.state == catalog::Outcome::State::Completed;
    const catalog::Outcome end = completed ? found() : outcome;
    parts_.stores.validations.finish(context_.claim(), row_, end);
    crashPoint("validate.end-recorded");
    if (completed)
        log_->info("complete: {} bytes in {} objects, {} findings", plan_.bytes, plan_.objects, plan_.findings);
}

}  // namespace tidemark::validate
