#pragma once

#include "catalog/types.h"

namespace tidemark::catalog {

/// What a tenant's compatibility mode changes in names. OceanBase's users find these in the mode that they know.

/// Schema of the views. lower_case_table_names=1 stores SYS as `sys`, the name of MariaDB's own schema, which gives
/// way.
constexpr const char* systemSchema(CompatibilityMode mode) {
    return mode == CompatibilityMode::Oracle ? "sys" : "oceanbase";
}

/// The account that administers the tenant, at any host.
constexpr const char* administrator(CompatibilityMode mode) {
    return mode == CompatibilityMode::Oracle ? "SYS" : "root";
}

}  // namespace tidemark::catalog
