#include "catalog/work_store.h"

#include <fmt/format.h>

#include "catalog/sql_row.h"

namespace tidemark::catalog {
namespace {

using std::chrono::milliseconds;

// What the clock of sys says is asked with the row: no node's clock counts.
constexpr const char* kSelectWork =
    "SELECT *, COALESCE(lease_until <= NOW(6), 1) AS lease_over, "
    "TIMESTAMPDIFF(MICROSECOND, NOW(6), next_run) AS due_in FROM tidemark.work ";

// The end does not wait for the time of the next attempt.
constexpr const char* kCancel = "UPDATE tidemark.work SET cancelled = 1, next_run = NULL ";

constexpr const char* kGiveBack =
    "UPDATE tidemark.work SET state = 'READY', owner_node = 0, owner_session = 0, lease_until = NULL, "
    "waiting_for = '' ";

WorkRow workFrom(const mysql::Row& row) {
    WorkRow work;
    work.work_id = row.integer("work_id");
    work.kind = row.text("kind");
    work.tenant = row.integer("tenant_id");
    work.job_id = row.integer("job_id");
    work.state = parseText<WorkState>(row.text("state"));
    work.owner = {.node = row.integer("owner_node"), .session = row.unsignedInteger("owner_session")};
    work.epoch = row.unsignedInteger("epoch");
    work.renewals = row.unsignedInteger("renewals");
    work.attempt = static_cast<int>(row.integer("attempt"));
    work.cancelled = row.integer("cancelled") != 0;
    work.waiting_for = row.text("waiting_for");
    work.progress = row.text("progress");
    work.lease_over = row.integer("lease_over") != 0;
    // Rounded up: what is due in a part of a millisecond is not due yet.
    if (row.maybe("due_in"))
        work.due_in = std::chrono::ceil<milliseconds>(std::chrono::microseconds(row.integer("due_in")));
    return work;
}

std::int64_t microsecondsOf(milliseconds time) {
    return std::chrono::microseconds(time).count();
}

/// Whether `owner` may take the work from who has it, as far as sys knows.
bool isFree(const WorkRow& row, const WorkOwner& owner) {
    if (row.owner.node == 0) return true;
    if (row.owner.node == owner.node) return row.owner.session != owner.session;
    return row.lease_over;
}

/// A change of the one record of a claim.
void updateClaimed(mysql::SqlClient& client, const WorkClaim& claim, const Columns& columns) {
    updateRows(client, "work", columns, {{"work_id", claim.work_id}});
}

}  // namespace

void addWork(mysql::SqlClient& client, const std::string& kind, TenantId tenant, JobId job_id,
             const std::string& progress, milliseconds delay) {
    const auto present = client.scalar(
        "SELECT work_id FROM tidemark.work WHERE kind = ? AND tenant_id = ? AND job_id = ?", {kind, tenant, job_id});
    if (present) {
        throw Error(ErrorCode::AlreadyExists,
                    fmt::format("{} {} of tenant {} has a record of work already", kind, job_id, tenant));
    }
    client.query(
        "INSERT INTO tidemark.work (work_id, kind, tenant_id, job_id, state, progress, next_run, create_time) "
        "VALUES (?, ?, ?, ?, 'READY', ?, IF(? > 0, NOW(6) + INTERVAL ? MICROSECOND, NULL), NOW(6))",
        {nextId(client, "work", 0), kind, tenant, job_id, progress, microsecondsOf(delay), microsecondsOf(delay)});
}

void requireClaim(mysql::SqlClient& client, const WorkClaim& claim) {
    const auto row = firstAs<WorkRow>(
        client.query(std::string(kSelectWork) + "WHERE work_id = ? FOR UPDATE", {claim.work_id}), workFrom);
    if (!row || row->claim() != claim) {
        throw Error(ErrorCode::Conflict,
                    fmt::format("work {} is over, or in other hands: what node {} still did for it does not count",
                                claim.work_id, claim.owner.node));
    }
    if (row->lease_over) {
        throw Error(ErrorCode::Unavailable,
                    fmt::format("the lease of work {} has run out and is not renewed yet", claim.work_id));
    }
}

void endWork(mysql::SqlClient& client, const WorkClaim& claim) {
    requireClaim(client, claim);
    deleteRows(client, "work", {{"work_id", claim.work_id}});
}

bool cancelWork(mysql::SqlClient& client, const std::string& kind, TenantId tenant, JobId job_id) {
    const auto found =
        client.scalar("SELECT work_id FROM tidemark.work WHERE kind = ? AND tenant_id = ? AND job_id = ? FOR UPDATE",
                      {kind, tenant, job_id});
    if (!found) return false;
    client.query(std::string(kCancel) + "WHERE work_id = ?", {*found});
    return true;
}

void cancelWork(mysql::SqlClient& client, const std::string& kind, std::optional<TenantId> tenant) {
    const std::string of_tenant = tenant ? " AND tenant_id = " + std::to_string(*tenant) : "";
    client.query(std::string(kCancel) + "WHERE kind = ?" + of_tenant, {kind});
}

void setWorkProgress(mysql::SqlClient& client, const WorkClaim& claim, const std::string& progress) {
    updateClaimed(client, claim, {{"progress", progress}});
}

void WorkStore::add(const std::string& kind, TenantId tenant, JobId job_id, const std::string& progress) {
    catalog_.write({}, [&](mysql::SqlClient& client) { addWork(client, kind, tenant, job_id, progress); });
}

void WorkStore::end(const WorkClaim& claim) {
    catalog_.write({}, [&](mysql::SqlClient& client) { endWork(client, claim); });
}

std::vector<WorkRow> WorkStore::othersThan(const WorkOwner& owner) {
    return catalog_.read([&](mysql::SqlClient& client) {
        return rowsAs<WorkRow>(
            client.query(std::string(kSelectWork) + "WHERE NOT (owner_node = ? AND owner_session = ?) ORDER BY work_id",
                         {owner.node, owner.session}),
            workFrom);
    });
}

std::optional<WorkRow> WorkStore::find(const std::string& kind, TenantId tenant, JobId job_id) {
    return catalog_.read([&](mysql::SqlClient& client) {
        return firstAs<WorkRow>(
            client.query(std::string(kSelectWork) + "WHERE kind = ? AND tenant_id = ? AND job_id = ?",
                         {kind, tenant, job_id}),
            workFrom);
    });
}

std::optional<WorkRow> WorkStore::take(const WorkRow& seen, const WorkOwner& owner, milliseconds lease) {
    return catalog_.write({}, [&](mysql::SqlClient& client) -> std::optional<WorkRow> {
        auto row = firstAs<WorkRow>(
            client.query(std::string(kSelectWork) + "WHERE work_id = ? FOR UPDATE", {seen.work_id}), workFrom);
        if (!row || row->epoch != seen.epoch || row->renewals != seen.renewals) return std::nullopt;
        if (!isFree(*row, owner) || row->due_in.value_or(milliseconds(0)).count() > 0) return std::nullopt;
        const bool left_behind = row->owner.node != 0 && row->state == WorkState::Running;
        row->attempt += left_behind ? 1 : 0;
        row->owner = owner;
        row->state = WorkState::Running;
        row->lease_over = false;
        row->waiting_for.clear();
        ++row->epoch;
        client.query(
            "UPDATE tidemark.work SET state = 'RUNNING', owner_node = ?, owner_session = ?, epoch = ?, attempt = ?, "
            "waiting_for = '', next_run = NULL, lease_until = NOW(6) + INTERVAL ? MICROSECOND WHERE work_id = ?",
            {owner.node, owner.session, row->epoch, std::int64_t{row->attempt}, microsecondsOf(lease), row->work_id});
        return row;
    });
}

std::vector<HeldWork> WorkStore::renew(const WorkOwner& owner, milliseconds lease) {
    return catalog_.write({}, [&](mysql::SqlClient& client) {
        client.query(
            "UPDATE tidemark.work SET lease_until = NOW(6) + INTERVAL ? MICROSECOND, renewals = renewals + 1 "
            "WHERE owner_node = ? AND owner_session = ?",
            {microsecondsOf(lease), owner.node, owner.session});
        std::vector<HeldWork> held;
        for (const mysql::Row& row : client
                                         .query("SELECT work_id, epoch, cancelled FROM tidemark.work "
                                                "WHERE owner_node = ? AND owner_session = ?",
                                                {owner.node, owner.session})
                                         .rows) {
            held.push_back(
                {.claim = {.work_id = row.integer("work_id"), .owner = owner, .epoch = row.unsignedInteger("epoch")},
                 .cancelled = row.integer("cancelled") != 0});
        }
        return held;
    });
}

void WorkStore::giveBack(const WorkOwner& owner) {
    catalog_.write({}, [&](mysql::SqlClient& client) {
        client.query(std::string(kGiveBack) + "WHERE owner_node = ? AND owner_session = ?",
                     {owner.node, owner.session});
    });
}

void WorkStore::giveBack(const WorkClaim& claim) {
    catalog_.write({}, [&](mysql::SqlClient& client) {
        requireClaim(client, claim);
        client.query(std::string(kGiveBack) + "WHERE work_id = ?", {claim.work_id});
    });
}

void WorkStore::setRunning(const WorkClaim& claim) {
    catalog_.write({}, [&](mysql::SqlClient& client) {
        requireClaim(client, claim);
        updateClaimed(client, claim, {{"state", text(WorkState::Running)}, {"waiting_for", std::string()}});
    });
}

void WorkStore::setWaiting(const WorkClaim& claim, const std::string& waiting_for) {
    catalog_.write({}, [&](mysql::SqlClient& client) {
        requireClaim(client, claim);
        updateClaimed(client, claim,
                      {{"state", text(WorkState::Waiting)}, {"waiting_for", fitting(waiting_for, 1024)}});
    });
}

void WorkStore::setProgress(const WorkClaim& claim, const std::string& progress) {
    catalog_.write({}, [&](mysql::SqlClient& client) {
        requireClaim(client, claim);
        setWorkProgress(client, claim, progress);
    });
}

void WorkStore::retryLater(const WorkClaim& claim, milliseconds pause, const std::string& why) {
    catalog_.write({}, [&](mysql::SqlClient& client) {
        requireClaim(client, claim);
        client.query(
            "UPDATE tidemark.work SET state = 'WAITING', owner_node = 0, owner_session = 0, lease_until = NULL, "
            "attempt = attempt + 1, waiting_for = ?, next_run = NOW(6) + INTERVAL ? MICROSECOND WHERE work_id = ?",
            {fitting(why, 1024), microsecondsOf(pause), claim.work_id});
    });
}

}  // namespace tidemark::catalog
