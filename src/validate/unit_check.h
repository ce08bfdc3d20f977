#pragma once

#include <vector>

#include "catalog/stores.h"
#include "validate/checking.h"
#include "validate/finding.h"
#include "validate/restore_check.h"
#include "validate/validate_plan.h"

namespace tidemark::validate {

/// What one unit of a plan is checked with beside its storage.
struct UnitCheckParts {
    catalog::Stores& stores;
    catalog::TenantId tenant = 0;
    ValidatePlan& plan;  ///< learns where the log of a set goes on
    RestoreCheckParts restoring;
};

/// Throws Unavailable if the destination does not give something, Cancelled.
std::vector<Finding> checkUnit(const UnitCheckParts& parts, const PlannedUnit& unit, const Checking& with);

/// Throws Unavailable unless the destination is there: its marker, or, of one whose marker was lost, anything that we
/// have written. What is not mounted must not look like damage. May hang if the server behind a file system does.
void requireThere(storage::Storage& storage);

}  // namespace tidemark::validate
