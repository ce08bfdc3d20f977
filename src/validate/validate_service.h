#pragma once

#include <string>
#include <vector>

#include "catalog/stores.h"
#include "job/work_engine.h"
#include "validate/validate_job.h"

namespace tidemark::validate {

/// VALIDATE BACKUPSET and CANCEL VALIDATE: checks what can be refused and writes the jobs, which the engine then does.
/// Thread-safe.
class ValidateService {
public:
    /// Adds its kind of work to the engine, which is started later.
    ValidateService(ValidateJobParts parts, job::WorkEngine& engine);

    /// `sets`: numbers as written, comma-separated, or "ALL". `with_restore`: each is restored as well. Throws
    /// Ob::EntryNotExist if a tenant has no such set, Ob::OpNotAllow if a validation of it runs: then nothing is
    /// started.
    void start(const std::vector<catalog::Tenant>& tenants, catalog::TenantId initiator, const std::string& sets,
               bool with_restore);
    /// All sets of all tenants that have any, and no validation that runs. Throws Ob::EntryNotExist if there is none.
    void startAll(const std::vector<catalog::Tenant>& tenants, catalog::TenantId initiator, bool with_restore);
    /// Nothing running is no error.
    void cancel(const std::vector<catalog::Tenant>& tenants);

private:
    const ValidateJobParts parts_;
    catalog::Stores& stores_;
    job::WorkEngine& engine_;
};

}  // namespace tidemark::validate
