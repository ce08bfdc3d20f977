#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "archive/archiver.h"
#include "catalog/stores.h"

namespace tidemark::archive {

/// What the settings of a tenant are now: tenant::carriedSettings(). No such tenant: throws.
using SettingsOf = std::function<std::map<std::string, std::string>(catalog::TenantId)>;

/// What is to be put beside a tenant's archived log: what its settings were, and each change of them. A replay sets
/// them as they were at each moment.
struct SettingsToStore {
    std::vector<SettingsRecord> records;
    std::vector<std::int64_t> changes;  ///< of setting_change; done with once the records are there
};

/// Of a round that was just opened. The first settings are those that it begins with. Later, in a round that an older
/// version began, or if a change was made that nobody noted, those of now. `changes` are the tenant's that wait,
/// `begun` whether the catalog knows a piece of the round, and `settings` are read after `now`.
SettingsToStore settingsAtOpening(const OpenedRound& round, const std::vector<catalog::SettingChange>& changes,
                                  bool begun, Scn now, const std::map<std::string, std::string>& settings);

/// Of one that goes on.
SettingsToStore settingsChanged(const RoundKey& round, const std::vector<catalog::SettingChange>& changes);

}  // namespace tidemark::archive
