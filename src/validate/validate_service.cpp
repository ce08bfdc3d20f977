#include "validate/validate_service.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/crash_point.h"
#include "oceanbase/ob_error.h"

namespace tidemark::validate {

ValidateService::ValidateService(ValidateJobParts parts, job::WorkEngine& engine)
    : parts_(std::move(parts)), stores_(parts_.stores), engine_(engine) {
    const auto make = [this](job::WorkContext& context) -> std::unique_ptr<job::Job> {
        const auto row = stores_.validations.job(context.key().tenant, context.key().id);
        if (!row || row->end_time) {
            throw Error(ErrorCode::NotFound,
                        fmt::format("tenant {} has no active validation {}", context.key().tenant, context.key().id));
        }
        return std::make_unique<ValidateJob>(parts_, *row, context);
    };
    engine_.add({.name = catalog::kValidateWork,
                 .make = make,
                 .attempts = 3,
                 .interrupted = "the daemon ended while the validation ran, each time it was begun",
                 .hint = "see the log for why it ended, then start the validation again"});
}

void ValidateService::start(const std::vector<catalog::Tenant>& tenants, catalog::TenantId initiator,
                            const std::string& sets, bool with_restore) {
    if (tenants.empty()) throw obError(Ob::NotSupported, "No tenant name specified");
    const std::vector<std::int64_t> numbers = parseSets(sets);
    for (const catalog::Tenant& tenant : tenants) {
        if (planValidation(stores_, tenant.id, numbers).units.empty()) {
            throw obError(Ob::EntryNotExist, "tenant " + tenant.name + " has no complete backup set",
                          "CDB_OB_BACKUP_SET_FILES lists them");
        }
        if (const auto running = stores_.validations.active(tenant.id)) {
            throw obError(
                Ob::OpNotAllow,
                fmt::format("a second validation of tenant {} while job {} runs is", tenant.name, running->job_id),
                "wait for its end in CDB_TM_VALIDATE_JOBS, or ALTER SYSTEM CANCEL VALIDATE");
        }
    }
    for (const catalog::Tenant& tenant : tenants) {
        std::vector<catalog::BackupSet> used = validatableSets(stores_.backups, tenant.id);
        if (!numbers.empty())
            std::erase_if(used, [&](const auto& set) { return std::ranges::count(numbers, set.backup_set_id) == 0; });
        stores_.validations.start(tenant.id, initiator, sets, with_restore, used);
        crashPoint("validate.job-written");
    }
    engine_.wake();
}

void ValidateService::startAll(const std::vector<catalog::Tenant>& tenants, catalog::TenantId initiator,
                               bool with_restore) {
    std::vector<catalog::Tenant> able = tenants;
    std::erase_if(able, [&](const catalog::Tenant& tenant) {
        return validatableSets(stores_.backups, tenant.id).empty() || stores_.validations.active(tenant.id);
    });
    if (able.empty()) {
        throw obError(Ob::EntryNotExist, "no tenant has a backup set that is not validated already",
                      "CDB_OB_BACKUP_SET_FILES lists them");
    }
    start(able, initiator, "ALL", with_restore);
}

void ValidateService::cancel(const std::vector<catalog::Tenant>& tenants) {
    for (const catalog::Tenant& tenant : tenants) {
        for (const catalog::ValidateJobRow& job : stores_.validations.cancel(tenant.id))
            engine_.cancel({.kind = catalog::kValidateWork, .tenant = job.tenant, .id = job.job_id});
    }
}

}  // namespace tidemark::validate
