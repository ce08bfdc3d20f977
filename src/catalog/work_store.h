#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "catalog/catalog.h"

namespace tidemark::catalog {

/// Who works: a node, in one life of its daemon. Another session of the same node is known to be dead, for the data
/// directory is locked by one daemon at a time.
struct WorkOwner {
    std::int64_t node = 0;      ///< tidemark.server's id; 0: nobody
    std::uint64_t session = 0;  ///< random, new at each start of the daemon

    bool operator==(const WorkOwner&) const = default;
};

/// The right to work on one record. Whatever a job writes to the catalog, it writes under its claim.
struct WorkClaim {
    std::int64_t work_id = 0;
    WorkOwner owner;
    std::uint64_t epoch = 0;  ///< grows each time the work is taken: an older one is void

    bool operator==(const WorkClaim&) const = default;
};

/// One piece of work, from the statement (or the schedule) that asked for it until its end. Its kind has its own rows
/// besides, which the views show.
struct WorkRow {
    std::int64_t work_id = 0;
    std::string kind;  ///< "backup", "restore", "clean", …
    TenantId tenant = 0;
    JobId job_id = 0;  ///< unique with kind and tenant
    WorkState state = WorkState::Ready;
    WorkOwner owner;
    std::uint64_t epoch = 0;
    std::uint64_t renewals = 0;  ///< of the lease
    int attempt = 1;             ///< one more when what an owner had begun was left by it, and at each retry
    bool cancelled = false;      ///< somebody asked for its end
    std::string waiting_for;     ///< while WAITING, for people
    std::string progress;        ///< JSON of the kind: where a later attempt goes on; empty at first

    // As seen by sys's clock when the row was read.
    bool lease_over = true;                           ///< what an owner has longer may not be taken from it
    std::optional<std::chrono::milliseconds> due_in;  ///< not to be run before; none or ≤ 0: now

    WorkClaim claim() const { return {.work_id = work_id, .owner = owner, .epoch = epoch}; }
};

/// What is left of a claim, as renew() found it.
struct HeldWork {
    WorkClaim claim;
    bool cancelled = false;
};

// For the stores of the kinds, inside the transaction in which they write their own rows. The record of work is locked
// before other rows, so that transactions of one job come one after the other.

/// The work exists from the same commit on as its kind's row. Wake the engine afterwards. Throws AlreadyExists if the
/// kind has one of this tenant and id. It is not begun before `delay` is over.
void addWork(mysql::SqlClient& client, const std::string& kind, TenantId tenant, JobId job_id,
             const std::string& progress = {}, std::chrono::milliseconds delay = {});
/// Holds the record until the commit. Throws Conflict if the claim is void (another one has the work, or it is over):
/// nothing may be written then. Throws Unavailable while the lease has run out: Catalog tries such a call again, as it
/// does when sys is away, and it goes through once the owner has renewed the lease.
void requireClaim(mysql::SqlClient& client, const WorkClaim& claim);
/// requireClaim(), and the record is gone: for the transaction that writes the kind's end.
void endWork(mysql::SqlClient& client, const WorkClaim& claim);
/// Asks for the end, whoever has the work; then tell the engine, with WorkEngine::cancel. False: there is no such work.
bool cancelWork(mysql::SqlClient& client, const std::string& kind, TenantId tenant, JobId job_id);
/// All work of the kind, or all of a tenant's.
void cancelWork(mysql::SqlClient& client, const std::string& kind, std::optional<TenantId> tenant);
/// Where a later attempt goes on, under a claim that the caller has required.
void setWorkProgress(mysql::SqlClient& client, const WorkClaim& claim, const std::string& progress);

/// The records of work: who does what, and who may go on with it. See docs/decisions/work.md. Leases are measured by
/// sys's clock. Each call is one transaction. Thread-safe.
class WorkStore {
public:
    explicit WorkStore(Catalog& catalog) : catalog_(catalog) {}

    /// addWork(), for work without rows of its own.
    void add(const std::string& kind, TenantId tenant, JobId job_id, const std::string& progress = {});
    /// endWork(), likewise.
    void end(const WorkClaim& claim);

    /// Everything that `owner` does not hold. Commits nothing.
    std::vector<WorkRow> othersThan(const WorkOwner& owner);
    std::optional<WorkRow> find(const std::string& kind, TenantId tenant, JobId job_id);

    /// Makes `owner` the owner, in a new epoch, if nothing has happened to the record since `seen` was read and it may
    /// be taken: it is due, and nobody has it, or another session of the same node, or another node whose lease is
    /// over.
    std::optional<WorkRow> take(const WorkRow& seen, const WorkOwner& owner, std::chrono::milliseconds lease);
    /// Prolongs the lease of everything that `owner` has, and returns it. What is not returned is lost.
    std::vector<HeldWork> renew(const WorkOwner& owner, std::chrono::milliseconds lease);
    /// Everything that `owner` has is READY for anyone, where it stands.
    void giveBack(const WorkOwner& owner);
    void giveBack(const WorkClaim& claim);

    // Under a claim; they throw as requireClaim() does.

    /// RUNNING again.
    void setRunning(const WorkClaim& claim);
    void setWaiting(const WorkClaim& claim, const std::string& waiting_for);
    void setProgress(const WorkClaim& claim, const std::string& progress);
    /// Gives the work back; it is to be begun again, in its next attempt, after `pause`.
    void retryLater(const WorkClaim& claim, std::chrono::milliseconds pause, const std::string& why);

private:
    Catalog& catalog_;
};

}  // namespace tidemark::catalog
