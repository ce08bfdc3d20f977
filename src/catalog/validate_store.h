#pragma once

#include <string>
#include <vector>

#include "catalog/backup_store.h"
#include "catalog/work_store.h"

namespace tidemark::catalog {

constexpr const char* kValidateWork = "validate";

/// A row of *_TM_VALIDATE_JOBS. Bytes and objects are those at the destinations, as they were listed when it began.
struct ValidateJobRow {
    TenantId tenant = 0;
    JobId job_id = 0;  ///< from 1, per tenant
    TenantId initiator_tenant = 0;
    std::string sets;  ///< as asked for: numbers, comma-separated, or "ALL"
    bool with_restore = false;
    ValidateStatus status = ValidateStatus::Init;
    Nanos start_time = 0;
    std::optional<Nanos> end_time;
    ValidateStage stage = ValidateStage::None;
    std::int64_t stage_set_id = 0;  ///< the set that is restored; 0: none
    std::int64_t table_count = 0;   ///< that the stage goes through
    std::int64_t finish_table_count = 0;
    std::int64_t set_count = 0;  ///< also those that a set leans on
    std::int64_t piece_count = 0;
    std::uint64_t total_bytes = 0;
    std::uint64_t finish_bytes = 0;
    std::int64_t object_count = 0;
    std::int64_t finish_object_count = 0;
    std::int64_t finding_count = 0;
    std::string lost_sets;    ///< numbers, comma-separated
    std::string lost_ranges;  ///< "from-to" of SCNs, comma-separated
    int result = 0;
    std::string comment;
};

/// A part of a validation, which findings are of: a set; a piece of a round; a round without a piece: its own records;
/// none of them: the destination's.
struct ValidateUnit {
    std::int64_t dest_id = 0;
    std::int64_t backup_set_id = 0;
    std::int64_t round_id = 0;
    std::int64_t piece_id = 0;
    bool by_restore = false;  ///< a set: not its objects, but what it restores to

    bool operator==(const ValidateUnit&) const = default;
};

/// Whether something is wrong, and not only unknown.
constexpr bool isDamage(FindingKind kind) {
    return kind != FindingKind::NewerVersion && kind != FindingKind::NoKey && kind != FindingKind::SourcePage &&
           kind != FindingKind::NotCompared;
}

/// A row of *_TM_VALIDATE_FINDINGS.
struct FindingRow {
    std::int64_t finding_id = 0;  ///< from 1, per tenant
    ValidateUnit unit;
    FindingStatus status = FindingStatus::Open;
    FindingKind kind = FindingKind::Damaged;
    std::string object;  ///< URI
    std::string what;    ///< for people
    JobId first_job = 0;
    JobId last_job = 0;
    Nanos first_seen = 0;
    Nanos last_seen = 0;
    std::optional<Nanos> closed_time;
    Harm harm = Harm::None;
    Scn harm_from = 0;  ///< of Harm::Log: transactions behind this one…
    Scn harm_to = 0;    ///< …up to this one
    std::string lost_sets;
    std::string lost_ranges;
};

/// Validations and findings. Each call is one transaction. Life of a job: start() → INIT, with a record of work of kind
/// "validate"; begin() → DOING; progress(); note() for each unit; finish(). What the job writes it writes under its
/// claim, and throws as requireClaim() does. Thread-safe.
class ValidateStore {
public:
    explicit ValidateStore(Catalog& catalog) : catalog_(catalog) {}

    /// Throws Ob::OpNotAllow if the tenant has one that runs.
    /// From then on the sets with these ids, and the log behind them, are in use: nobody removes them. Throws
    /// Ob::OpNotAllow if somebody does already.
    ValidateJobRow start(TenantId tenant, TenantId initiator, const std::string& sets, bool with_restore,
                         const std::vector<BackupSet>& used);
    /// INIT → DOING, with counts and totals; also in a later attempt. The sets of `used` are in use from then on, if
    /// they were not before; throws Ob::OpNotAllow, and has done nothing, if somebody removes one.
    void begin(const WorkClaim& claim, const ValidateJobRow& job, const std::vector<BackupSet>& used,
               const std::string& work_progress);
    /// Bytes, objects, stage and tables. At most a few times a second.
    void progress(const WorkClaim& claim, const ValidateJobRow& job);
    /// A unit has been checked: `found` is all that is wrong with it. What was found before and is not among it is
    /// CLOSED, as far as `looked` goes, and but for a table that could not be compared this time. The set, or the piece, becomes BROKEN or AVAILABLE, unless it is neither (it is being deleted, say).
    void note(const WorkClaim& claim, const ValidateJobRow& job, const ValidateUnit& unit,
              const std::vector<FindingRow>& found, const std::string& work_progress, Looked looked = Looked::All);
    /// A backup, whose claim it is, has found pages wrong in the tenant itself; the set is none the worse for it.
    void noteSource(const WorkClaim& claim, TenantId tenant, const ValidateUnit& set,
                    const std::vector<FindingRow>& found);
    /// The same by who is no validation, of a set that is not in the catalog yet, or is there without its key: `found`
    /// is noted, and nothing is CLOSED. Returns whether something is wrong with it, by all that is open.
    bool noteCataloged(TenantId tenant, const ValidateUnit& set, const std::vector<FindingRow>& found);
    /// The end, also of the record of work. `lost` has finding_count, lost_sets and lost_ranges.
    void finish(const WorkClaim& claim, const ValidateJobRow& lost, const Outcome& outcome);
    /// INIT or DOING → CANCELING. Returns those of the tenant that are now CANCELING.
    std::vector<ValidateJobRow> cancel(TenantId tenant);

    std::optional<ValidateJobRow> job(TenantId tenant, JobId job_id);
    std::optional<ValidateJobRow> active(TenantId tenant);
    std::vector<FindingRow> openFindings(TenantId tenant);

private:
    Catalog& catalog_;
};

}  // namespace tidemark::catalog
