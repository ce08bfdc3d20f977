#pragma once

#include <map>
#include <string>
#include <vector>

#include "catalog/catalog.h"

namespace tidemark::catalog {

/// What a tenant's settings (variables, character set, …) became by an ALTER TENANT, and when.
struct SettingChange {
    TenantId tenant = 0;
    std::int64_t id = 0;  ///< given when it is added; in order
    Scn scn = 0;
    std::string gtid;  ///< of the tenant's binlog then; empty: not known, but behind the change before
    std::map<std::string, std::string> settings;  ///< all of them, as they are from then on
};

/// Changes that are on their way to the archive of a tenant: kept until they are durable there, so that none is lost
/// while the archive or the daemon is away. Thread-safe.
class SettingChangeStore {
public:
    explicit SettingChangeStore(Catalog& catalog) : catalog_(catalog) {}

    void add(const SettingChange& change);
    /// In order.
    std::vector<SettingChange> of(TenantId tenant);
    /// Of all tenants, in order for each.
    std::vector<SettingChange> all();
    void remove(TenantId tenant, std::int64_t id);

private:
    Catalog& catalog_;
};

}  // namespace tidemark::catalog
