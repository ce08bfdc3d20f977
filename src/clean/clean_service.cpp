#include "clean/clean_service.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "base/crash_point.h"
#include "catalog/parameter.h"
#include "clean/leftover_job.h"
#include "clean/policy_job.h"
#include "clean/retention.h"
#include "oceanbase/ob_error.h"
#include "tenant/carried_settings.h"
#include "tenant/tenant_variables.h"

namespace tidemark::clean {
namespace {

constexpr const char* kPolicyName = "default";  // there is no other
constexpr const char* kInterval = "backup_clean_interval";
constexpr int kForEver = std::numeric_limits<int>::max();

Error badWindow() {
    return obError(Ob::NotSupported, "recovery window is not be time string", "such as '7d', '12h'; the unit counts");
}

/// With a unit: a plain number would be seconds, where somebody may have meant days.
std::chrono::microseconds windowOf(const std::string& text) {
    if (text.empty() || (text.back() >= '0' && text.back() <= '9')) throw badWindow();
    try {
        return catalog::parseTime(text);
    } catch (const Error&) {
        throw badWindow();
    }
}

void requireOne(const std::optional<std::string>& number, const char* refusal) {
    if (number && *number != "1") throw obError(Ob::NotSupported, refusal);
}

std::string listed(const std::vector<std::int64_t>& ids) {
    return fmt::format("{}", fmt::join(ids, ","));
}

/// All that was asked for, or the error that names what has to stay.
std::vector<catalog::DeletedThing> allOf(Judgement judgement, Ob refusal) {
    if (judgement.held.empty()) return std::move(judgement.remove);
    const auto& [thing, reason] = *judgement.held.begin();
    throw obError(refusal, fmt::format("{} {}: {}", thing.object == catalog::DeletedObject::BackupSet ? "set" : "piece",
                                       thing.id, reason));
}

}  // namespace

CleanService::CleanService(DeleteParts parts, job::WorkEngine& engine)
    : parts_(std::move(parts)), stores_(parts_.stores), engine_(engine), log_(makeLogger("clean")) {
    engine_.add({.name = catalog::kDeleteWork,
                 .make = [this](job::WorkContext& context) { return makeDelete(context); },
                 .attempts = kForEver});
    engine_.add({.name = catalog::kDeleteRestWork,
                 .make = [this](job::WorkContext& context) { return std::make_unique<RestJob>(stores_, context); },
                 .attempts = kForEver});
    engine_.add({.name = catalog::kCleanWork,
                 .make =
                     [this](job::WorkContext& context) {
                         return std::make_unique<LeftoverJob>(stores_, parts_.node_key, context);
                     },
                 .attempts = kForEver});
    const auto begin = [this](const catalog::DeletePolicy& policy) {
        catalog::DeleteRequest request = obsolete(policy);
        request.even_if_nothing = false;
        if (stores_.deletions.start(request)) engine_.wake();
    };
    const auto policy = [this, begin](job::WorkContext& context) {
        return std::make_unique<PolicyJob>(PolicyJob::Parts{stores_.deletions, begin, [this] { return interval(); }},
                                           context);
    };
    engine_.add({.name = catalog::kDeletePolicyWork, .make = policy, .attempts = kForEver});
}

std::unique_ptr<job::Job> CleanService::makeDelete(job::WorkContext& context) {
    const job::JobKey key = context.key();
    const auto row = stores_.deletions.activeJob(key.tenant);
    if (!row || row->job_id != key.id)
        throw Error(ErrorCode::NotFound, fmt::format("tenant {} has no active delete job {}", key.tenant, key.id));
    return std::make_unique<DeleteJob>(parts_, *row, context);
}

std::chrono::milliseconds CleanService::interval() {
    const std::string value = stores_.parameters.value(catalog::kSysTenantId, kInterval);
    return std::chrono::duration_cast<std::chrono::milliseconds>(catalog::parseTime(value));
}

void CleanService::addPolicy(const catalog::Tenant& tenant, const PolicyRequest& request) {
    if (!request.recovery_window && !request.redundancy)
        throw obError(Ob::NotSupported, "Neither recovery_window nor redundancy is set");
    if (request.recovery_window) windowOf(*request.recovery_window);
    requireOne(request.redundancy, "Redundancy not equal to 1 is");
    requireOne(request.backup_copies, "Backup copies not equal to 1 is");
    // The first run comes an interval later: a window that was mistyped can be taken back.
    stores_.deletions.addPolicy(
        {.tenant = tenant.id, .name = kPolicyName, .recovery_window = request.recovery_window.value_or("0s")},
        interval());
    crashPoint("clean.policy-written");
}

void CleanService::dropPolicy(const catalog::Tenant& tenant) {
    stores_.deletions.dropPolicy(tenant.id);
}

void CleanService::intervalChanged() {
    stores_.deletions.hurryPolicies(interval());
    engine_.wake();
}

catalog::DeleteRequest CleanService::obsolete(const catalog::DeletePolicy& policy) const {
    const auto now = parts_.clock.now();
    const Nanos expiry = now - std::chrono::nanoseconds(windowOf(policy.recovery_window)).count();
    return {.tenant = policy.tenant,
            .initiator = policy.tenant,
            .type = catalog::DeleteType::Obsolete,
            .expiry = expiry,
            .decide = [expiry, now](const catalog::BackupInventory& inventory) -> catalog::DeleteDecision {
                Judgement judgement =
                    judgeObsolete(inventory, static_cast<Scn>(std::max<Nanos>(expiry, 0)), static_cast<Scn>(now));
                return {.remove = std::move(judgement.remove), .expired = std::move(judgement.expired)};
            }};
}

catalog::DeletePolicy CleanService::policyOf(const catalog::Tenant& tenant) {
    if (auto policy = stores_.deletions.policy(tenant.id)) return *policy;
    throw obError(Ob::EntryNotExist, "tenant " + tenant.name + " has no delete policy",
                  "ALTER SYSTEM ADD DELETE BACKUP POLICY 'default' RECOVERY_WINDOW '7d'");
}

void CleanService::start(const catalog::DeleteRequest& request) {
    stores_.deletions.start(request);
    crashPoint("clean.job-written");
    engine_.wake();
}

void CleanService::deleteObsolete(const catalog::Tenant& tenant, catalog::TenantId initiator) {
    catalog::DeleteRequest request = obsolete(policyOf(tenant));
    request.initiator = initiator;
    start(request);
}

void CleanService::deleteSets(const catalog::Tenant& tenant, const std::vector<std::int64_t>& ids,
                              catalog::TenantId initiator) {
    const auto now = static_cast<Scn>(parts_.clock.now());
    start({.tenant = tenant.id,
           .initiator = initiator,
           .type = catalog::DeleteType::BackupSet,
           .parameter = listed(ids),
           .decide = [&](const catalog::BackupInventory& inventory) -> catalog::DeleteDecision {
               return {.remove = allOf(judgeSets(inventory, ids, now), Ob::DeleteSetNotAllowed)};
           }});
}

void CleanService::deletePieces(const catalog::Tenant& tenant, const std::vector<std::int64_t>& ids,
                                catalog::TenantId initiator) {
    start({.tenant = tenant.id,
           .initiator = initiator,
           .type = catalog::DeleteType::BackupPiece,
           .parameter = listed(ids),
           .decide = [&](const catalog::BackupInventory& inventory) -> catalog::DeleteDecision {
               return {.remove = allOf(judgePieces(inventory, ids), Ob::DeletePieceNotAllowed)};
           }});
}

std::vector<PreviewRow> CleanService::explainObsolete(const catalog::Tenant& tenant) {
    const auto now = parts_.clock.now();
    const Nanos expiry = now - std::chrono::nanoseconds(windowOf(policyOf(tenant).recovery_window)).count();
    const auto inventory = stores_.deletions.inventory(tenant.id);
    return preview(stores_, tenant.id, inventory,
                   judgeObsolete(inventory, static_cast<Scn>(std::max<Nanos>(expiry, 0)), static_cast<Scn>(now)));
}

std::vector<PreviewRow> CleanService::explainSets(const catalog::Tenant& tenant, const std::vector<std::int64_t>& ids) {
    const auto inventory = stores_.deletions.inventory(tenant.id);
    return preview(stores_, tenant.id, inventory, judgeSets(inventory, ids, static_cast<Scn>(parts_.clock.now())));
}

std::vector<PreviewRow> CleanService::explainPieces(const catalog::Tenant& tenant,
                                                    const std::vector<std::int64_t>& ids) {
    const auto inventory = stores_.deletions.inventory(tenant.id);
    return preview(stores_, tenant.id, inventory, judgePieces(inventory, ids));
}

void CleanService::keep(const catalog::Tenant& tenant, std::int64_t id, const std::optional<std::string>& until) {
    Scn scn = kScnUnlimited;
    if (until) {
        const Nanos time = parseTimestamp(*until, tenant::timeZoneOf(tenant::carriedSettings(tenant)));
        if (time <= parts_.clock.now())
            throw obError(Ob::InvalidArgument, "KEEP … UNTIL, which lies in the past", "NOKEEP ends it now");
        scn = static_cast<Scn>(time);
    }
    stores_.deletions.keep(tenant.id, id, scn);
}

void CleanService::dropKeep(const catalog::Tenant& tenant, std::int64_t id) {
    stores_.deletions.keep(tenant.id, id, std::nullopt);
}

void CleanService::cancel(const std::vector<catalog::Tenant>& tenants) {
    for (const catalog::Tenant& tenant : tenants) {
        for (const catalog::DeleteJobRow& job : stores_.deletions.cancel(tenant.id))
            engine_.cancel({.kind = catalog::kDeleteWork, .tenant = job.tenant, .id = job.job_id});
    }
}

}  // namespace tidemark::clean
