#pragma once

#include <functional>
#include <map>
#include <string>

#include "archive/records.h"
#include "base/clock.h"
#include "catalog/stores.h"
#include "mysql/sql_client.h"

namespace tidemark::archive {

/// What the settings of a tenant are now: tenant::carriedSettings(). No such tenant: throws.
using SettingsOf = std::function<std::map<std::string, std::string>(catalog::TenantId)>;

/// Puts what a tenant's settings were, and each change of them, beside its archived log: a replay sets them as they
/// were at each moment. Used by one thread.
class SettingsLog {
public:
    SettingsLog(catalog::TenantId tenant, const RoundKey& round, mysql::Endpoint server, storage::Storage& destination,
                catalog::Stores& stores, const Clock& clock, SettingsOf settings);

    /// Writes what is not there yet. Once a round that has begun, and before a checkpoint of it is made known: whoever
    /// restores to that finds the changes up to it. Throws what prevents that.
    void write();

private:
    void settle();

    const catalog::TenantId tenant_;
    const RoundKey round_;
    const mysql::Endpoint server_;
    storage::Storage& destination_;
    catalog::Stores& stores_;
    const Clock& clock_;
    const SettingsOf settings_;
    bool settled_ = false;
};

}  // namespace tidemark::archive
