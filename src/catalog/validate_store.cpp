#include "catalog/validate_store.h"

#include <fmt/format.h>

#include <algorithm>

#include "catalog/backup_use.h"
#include "catalog/sql_row.h"
#include "oceanbase/ob_error.h"

namespace tidemark::catalog {
namespace {

constexpr std::size_t kTextLimit = 4096;

ValidateJobRow validateJobFrom(const mysql::Row& row) {
    return {.tenant = row.integer("tenant_id"),
            .job_id = row.integer("job_id"),
            .initiator_tenant = row.integer("initiator_tenant_id"),
            .sets = row.text("sets"),
            .with_restore = row.integer("with_restore") != 0,
            .status = parseText<ValidateStatus>(row.text("status")),
            .start_time = timeOf(row, "start_time"),
            .end_time = maybeTimeOf(row, "end_time"),
            .stage = parseText<ValidateStage>(row.text("stage")),
            .stage_set_id = row.integer("stage_set_id"),
            .table_count = row.integer("table_count"),
            .finish_table_count = row.integer("finish_table_count"),
            .set_count = row.integer("set_count"),
            .piece_count = row.integer("piece_count"),
            .total_bytes = row.unsignedInteger("total_bytes"),
            .finish_bytes = row.unsignedInteger("finish_bytes"),
            .object_count = row.integer("object_count"),
            .finish_object_count = row.integer("finish_object_count"),
            .finding_count = row.integer("finding_count"),
            .lost_sets = row.text("lost_sets"),
            .lost_ranges = row.text("lost_ranges"),
            .result = static_cast<int>(row.integer("result")),
            .comment = row.text("comment")};
}

FindingRow findingFrom(const mysql::Row& row) {
    const auto kind = parseText<FindingKind>(row.text("kind"));
    return {.finding_id = row.integer("finding_id"),
            .unit = {.dest_id = row.integer("dest_id"),
                     .backup_set_id = row.integer("backup_set_id"),
                     .round_id = row.integer("round_id"),
                     .piece_id = row.integer("piece_id"),
                     .by_restore = isByRestore(kind)},
            .status = parseText<FindingStatus>(row.text("status")),
            .kind = kind,
            .object = row.text("object"),
            .what = row.text("what"),
            .first_job = row.integer("first_job_id"),
            .last_job = row.integer("last_job_id"),
            .first_seen = timeOf(row, "first_seen"),
            .last_seen = timeOf(row, "last_seen"),
            .closed_time = maybeTimeOf(row, "closed_time"),
            .harm = parseText<Harm>(row.text("harm")),
            .harm_from = row.unsignedInteger("harm_from_scn"),
            .harm_to = row.unsignedInteger("harm_to_scn"),
            .lost_sets = row.text("lost_sets"),
            .lost_ranges = row.text("lost_ranges")};
}

Columns validateJobKey(const ValidateJobRow& job) {
    return {{"tenant_id", job.tenant}, {"job_id", job.job_id}};
}

/// What may be different each time that the same thing is found.
Columns seenColumns(const FindingRow& finding, JobId job, Nanos now) {
    return {{"what", fitting(finding.what, kTextLimit)},
            {"last_job_id", job},
            {"last_seen", sqlTime(now)},
            {"harm", text(finding.harm)},
            {"harm_from_scn", finding.harm_from},
            {"harm_to_scn", finding.harm_to},
            {"lost_sets", finding.lost_sets},
            {"lost_ranges", finding.lost_ranges}};
}

void insertFinding(mysql::SqlClient& client, TenantId tenant, JobId job, const FindingRow& finding, Nanos now) {
    Columns columns = seenColumns(finding, job, now);
    columns.insert(columns.end(), {{"tenant_id", tenant},
                                   {"finding_id", nextId(client, "validate_finding", tenant)},
                                   {"status", text(FindingStatus::Open)},
                                   {"kind", text(finding.kind)},
                                   {"object", fitting(finding.object, kTextLimit)},
                                   {"dest_id", finding.unit.dest_id},
                                   {"backup_set_id", finding.unit.backup_set_id},
                                   {"round_id", finding.unit.round_id},
                                   {"piece_id", finding.unit.piece_id},
                                   {"first_job_id", job},
                                   {"first_seen", sqlTime(now)}});
    insertRow(client, "validate_finding", columns);
}

std::vector<FindingRow> openOf(mysql::SqlClient& client, TenantId tenant) {
    return rowsAs<FindingRow>(
        client.query("SELECT * FROM tidemark.validate_finding WHERE tenant_id = ? AND status = 'OPEN' "
                     "ORDER BY finding_id",
                     {tenant}),
        findingFrom);
}

/// Whether an earlier finding that was not found now is no more.
bool isOver(const FindingRow& gone, const std::vector<FindingRow>& found, Looked looked) {
    // What was so when the set was made stays so; a validation that lacks the key of the set cannot see it.
    if (gone.kind == FindingKind::SourcePage) return false;
    if (gone.kind == FindingKind::NotCompared || looked == Looked::All) {
        return gone.kind != FindingKind::RowsDiffer || std::ranges::none_of(found, [&](const FindingRow& one) {
                   return one.kind == FindingKind::NotCompared && one.object == gone.object;
               });
    }
    return looked == Looked::Tables && gone.kind != FindingKind::RowsDiffer;
}

void noteFindings(mysql::SqlClient& client, const ValidateJobRow& job, const ValidateUnit& unit,
                  const std::vector<FindingRow>& found, Looked looked, Nanos now) {
    std::vector<FindingRow> known = openOf(client, job.tenant);
    std::erase_if(known, [&](const FindingRow& finding) { return finding.unit != unit; });
    for (const FindingRow& finding : found) {
        const auto same = std::ranges::find_if(known, [&](const FindingRow& one) {
            return one.kind == finding.kind && one.object == fitting(finding.object, kTextLimit);
        });
        if (same == known.end()) {
            insertFinding(client, job.tenant, job.job_id, finding, now);
        } else {
            updateRows(client, "validate_finding", seenColumns(finding, job.job_id, now),
                       {{"tenant_id", job.tenant}, {"finding_id", same->finding_id}});
            known.erase(same);
        }
    }
    for (const FindingRow& gone : known) {
        if (!isOver(gone, found, looked)) continue;
        updateRows(client, "validate_finding", {{"status", text(FindingStatus::Closed)}, {"closed_time", sqlTime(now)}},
                   {{"tenant_id", job.tenant}, {"finding_id", gone.finding_id}});
    }
}

/// Log behind a set that cannot be replayed onto it is not the set: a restore to a point before takes the set.
bool isOfObject(const FindingRow& finding) {
    return finding.kind != FindingKind::NotRestorable || finding.harm != Harm::Log;
}

/// Whether something is wrong with it, found now or earlier, by whichever check.
bool isBroken(mysql::SqlClient& client, TenantId tenant, const ValidateUnit& unit) {
    return std::ranges::any_of(openOf(client, tenant), [&](const FindingRow& finding) {
        const bool same = unit.backup_set_id != 0 ? finding.unit.backup_set_id == unit.backup_set_id
                                                  : finding.unit.piece_id == unit.piece_id;
        return same && isDamage(finding.kind) && isOfObject(finding);
    });
}

/// `broken`: the object is not what it should be. What is being deleted, or was never whole, stays what it is.
void noteFileStatus(mysql::SqlClient& client, TenantId tenant, const ValidateUnit& unit, bool broken) {
    const bool is_set = unit.backup_set_id != 0;
    if (!is_set && unit.piece_id == 0) return;
    // What was EXPIRED before it was BROKEN is so again when the policy has looked at it.
    client.query(fmt::format("UPDATE tidemark.{} SET file_status = ? WHERE tenant_id = ? AND {} = ? AND file_status {}",
                             is_set ? "backup_set" : "archive_piece", is_set ? "backup_set_id" : "piece_id",
                             broken ? "IN ('AVAILABLE', 'EXPIRED', 'BROKEN')" : "= 'BROKEN'"),
                 {text(broken ? FileStatus::Broken : FileStatus::Available), tenant,
                  is_set ? unit.backup_set_id : unit.piece_id});
}

Columns progressColumns(const ValidateJobRow& job) {
    return {{"total_bytes", job.total_bytes},   {"finish_bytes", job.finish_bytes},
            {"object_count", job.object_count}, {"finish_object_count", job.finish_object_count},
            {"stage", text(job.stage)},         {"stage_set_id", job.stage_set_id},
            {"table_count", job.table_count},   {"finish_table_count", job.finish_table_count}};
}

std::vector<Change> validateChanges(TenantId tenant) {
    return {{kSysTenantId, Topic::Validate}, {tenant, Topic::Validate}};
}

ValidateStatus endOf(Outcome::State state) {
    switch (state) {
        case Outcome::State::Completed:
            return ValidateStatus::Completed;
        case Outcome::State::Canceled:
            return ValidateStatus::Canceled;
        case Outcome::State::Failed:
            break;
    }
    return ValidateStatus::Failed;
}

BackupUse useOf(const ValidateJobRow& job, const BackupSet& set) {
    return {.tenant = job.tenant,
            .backup_set_id = set.backup_set_id,
            .kind = kValidateWork,
            .work_tenant = job.tenant,
            .job_id = job.job_id,
            .log_from = set.start_replay_scn,
            .log_until = kScnUnlimited};
}

constexpr const char* kActiveValidation =
    "SELECT * FROM tidemark.validate_job WHERE end_time IS NULL AND tenant_id = ?";

}  // namespace

ValidateJobRow ValidateStore::start(TenantId tenant, TenantId initiator, const std::string& sets, bool with_restore,
                                    const std::vector<BackupSet>& used) {
    return catalog_.write(validateChanges(tenant), [&](mysql::SqlClient& client) {
        client.query("SELECT id FROM tidemark.cluster FOR UPDATE");  // one start at a time
        if (!client.query(kActiveValidation, {tenant}).empty()) {
            throw obError(Ob::OpNotAllow, fmt::format("a second validation of tenant {} while one runs is", tenant),
                          "wait for its end in CDB_TM_VALIDATE_JOBS, or ALTER SYSTEM CANCEL VALIDATE");
        }
        const ValidateJobRow job{.tenant = tenant,
                                 .job_id = nextId(client, "validate_job", tenant),
                                 .initiator_tenant = initiator,
                                 .sets = sets,
                                 .with_restore = with_restore,
                                 .start_time = catalog_.clock().now()};
        insertRow(client, "validate_job",
                  {{"tenant_id", tenant},
                   {"job_id", job.job_id},
                   {"initiator_tenant_id", initiator},
                   {"sets", fitting(sets, kTextLimit)},
                   {"with_restore", std::int64_t{with_restore}},
                   {"status", text(job.status)},
                   {"start_time", sqlTime(job.start_time)}});
        addWork(client, kValidateWork, tenant, job.job_id);
        for (const BackupSet& set : used)
            useBackup(client, useOf(job, set));
        return job;
    });
}

void ValidateStore::begin(const WorkClaim& claim, const ValidateJobRow& job, const std::vector<BackupSet>& used,
                          const std::string& work_progress) {
    catalog_.write(validateChanges(job.tenant), [&](mysql::SqlClient& client) {
        requireClaim(client, claim);
        const std::vector<BackupUse> known = backupUses(client, job.tenant);
        for (const BackupSet& set : used) {
            const bool held = std::ranges::any_of(known, [&](const BackupUse& use) {
                return use.kind == kValidateWork && use.job_id == job.job_id && use.backup_set_id == set.backup_set_id;
            });
            if (!held) useBackup(client, useOf(job, set));
        }
        setWorkProgress(client, claim, work_progress);
        Columns columns = progressColumns(job);
        columns.insert(columns.end(), {{"set_count", job.set_count}, {"piece_count", job.piece_count}});
        updateRows(client, "validate_job", columns, validateJobKey(job));
        updateRows(client, "validate_job", {{"status", text(ValidateStatus::Doing)}},
                   {{"tenant_id", job.tenant}, {"job_id", job.job_id}, {"status", text(ValidateStatus::Init)}});
    });
}

void ValidateStore::progress(const WorkClaim& claim, const ValidateJobRow& job) {
    catalog_.write({{job.tenant, Topic::ValidateProgress}}, [&](mysql::SqlClient& client) {
        requireClaim(client, claim);
        updateRows(client, "validate_job", progressColumns(job), validateJobKey(job));
    });
}

void ValidateStore::note(const WorkClaim& claim, const ValidateJobRow& job, const ValidateUnit& unit,
                         const std::vector<FindingRow>& found, const std::string& work_progress, Looked looked) {
    const Topic topics = Topic::Validate | Topic::Backup | Topic::Archive;
    catalog_.write({{kSysTenantId, topics}, {job.tenant, topics}}, [&](mysql::SqlClient& client) {
        requireClaim(client, claim);
        // It was dropped meanwhile, and its rows with it.
        if (client
                .query("SELECT 1 FROM tidemark.validate_job WHERE tenant_id = ? AND job_id = ?",
                       {job.tenant, job.job_id})
                .empty()) {
            throw Error(ErrorCode::Cancelled, fmt::format("tenant {} is gone", job.tenant));
        }
        setWorkProgress(client, claim, work_progress);
        noteFindings(client, job, unit, found, looked, catalog_.clock().now());
        noteFileStatus(client, job.tenant, unit, isBroken(client, job.tenant, unit));
        Columns columns = progressColumns(job);
        columns.emplace_back("finding_count", job.finding_count);
        updateRows(client, "validate_job", columns, validateJobKey(job));
    });
}

void ValidateStore::noteSource(const WorkClaim& claim, TenantId tenant, const ValidateUnit& set,
                               const std::vector<FindingRow>& found) {
    catalog_.write(validateChanges(tenant), [&](mysql::SqlClient& client) {
        requireClaim(client, claim);
        noteFindings(client, ValidateJobRow{.tenant = tenant}, set, found, Looked::All, catalog_.clock().now());
    });
}

bool ValidateStore::noteCataloged(TenantId tenant, const ValidateUnit& set, const std::vector<FindingRow>& found) {
    const Topic topics = Topic::Validate | Topic::Backup;
    return catalog_.write({{kSysTenantId, topics}, {tenant, topics}}, [&](mysql::SqlClient& client) {
        const Nanos now = catalog_.clock().now();
        // What was found where the catalog had a set of this number before says nothing of this place.
        client.query(
            "UPDATE tidemark.validate_finding SET status = 'CLOSED', closed_time = ? WHERE tenant_id = ? AND "
            "backup_set_id = ? AND dest_id <> ? AND status = 'OPEN' AND kind <> ?",
            {sqlTime(now), tenant, set.backup_set_id, set.dest_id, text(FindingKind::SourcePage)});
        noteFindings(client, ValidateJobRow{.tenant = tenant}, set, found, Looked::Nothing, now);
        const bool broken = isBroken(client, tenant, set);
        noteFileStatus(client, tenant, set, broken);
        return broken;
    });
}

void ValidateStore::finish(const WorkClaim& claim, const ValidateJobRow& job, const Outcome& outcome) {
    catalog_.write(validateChanges(job.tenant), [&](mysql::SqlClient& client) {
        endWork(client, claim);
        updateRows(client, "validate_job",
                   {{"status", text(endOf(outcome.state))},
                    {"end_time", sqlTime(catalog_.clock().now())},
                    {"stage", text(ValidateStage::None)},
                    {"stage_set_id", std::int64_t{0}},
                    {"lost_sets", job.lost_sets},
                    {"lost_ranges", job.lost_ranges},
                    {"result", std::int64_t{outcome.result}},
                    {"comment", fitting(outcome.comment, kTextLimit)}},
                   validateJobKey(job));
    });
}

std::vector<ValidateJobRow> ValidateStore::cancel(TenantId tenant) {
    return catalog_.write(validateChanges(tenant), [&](mysql::SqlClient& client) {
        cancelWork(client, kValidateWork, tenant);
        client.query("UPDATE tidemark.validate_job SET status = 'CANCELING' WHERE tenant_id = ? AND end_time IS NULL",
                     {tenant});
        return rowsAs<ValidateJobRow>(client.query(kActiveValidation, {tenant}), validateJobFrom);
    });
}

std::optional<ValidateJobRow> ValidateStore::job(TenantId tenant, JobId job_id) {
    return catalog_.read([&](mysql::SqlClient& client) {
        return firstAs<ValidateJobRow>(
            client.query("SELECT * FROM tidemark.validate_job WHERE tenant_id = ? AND job_id = ?", {tenant, job_id}),
            validateJobFrom);
    });
}

std::optional<ValidateJobRow> ValidateStore::active(TenantId tenant) {
    return catalog_.read([&](mysql::SqlClient& client) {
        return firstAs<ValidateJobRow>(client.query(kActiveValidation, {tenant}), validateJobFrom);
    });
}

std::vector<FindingRow> ValidateStore::openFindings(TenantId tenant) {
    return catalog_.read([&](mysql::SqlClient& client) { return openOf(client, tenant); });
}

}  // namespace tidemark::catalog
