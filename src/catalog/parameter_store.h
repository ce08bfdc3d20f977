#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "catalog/catalog.h"
#include "catalog/parameter.h"

namespace tidemark::catalog {

/// Values of the parameters of parameter.h. A tenant without a value of its own has the default. Thread-safe.
class ParameterStore {
public:
    explicit ParameterStore(Catalog& catalog) : catalog_(catalog) {}

    /// Sets a parameter: of `tenant` if its scope is Tenant, else of the cluster (`tenant` must then be sys).
    /// Throws Ob::ConfigUnknown, Ob::InvalidArgument (value, or a cluster parameter from a user tenant).
    void set(TenantId tenant, std::string_view name, std::string_view value);
    /// Back to the default.
    void reset(TenantId tenant, std::string_view name);

    /// The value in force. Throws Ob::ConfigUnknown.
    std::string value(TenantId tenant, std::string_view name);
    /// Whether that is one that was set, and not the default.
    bool isSet(TenantId tenant, std::string_view name);
    std::int64_t integer(TenantId tenant, std::string_view name);
    std::chrono::microseconds time(TenantId tenant, std::string_view name);
    std::int64_t bytes(TenantId tenant, std::string_view name);
    /// Of any of these types, in its unit: a number, microseconds, bytes.
    std::int64_t number(TenantId tenant, std::string_view name);

private:
    Catalog& catalog_;
};

}  // namespace tidemark::catalog
