#include "archive/settings_log.h"

namespace tidemark::archive {

SettingsToStore settingsChanged(const RoundKey& round, const std::vector<catalog::SettingChange>& changes) {
    SettingsToStore store;
    for (const catalog::SettingChange& change : changes) {
        store.records.push_back({round, change.scn, mysql::GtidPosition::parse(change.gtid), change.settings});
        store.changes.push_back(change.id);
    }
    return store;
}

SettingsToStore settingsAtOpening(const OpenedRound& round, const std::vector<catalog::SettingChange>& changes,
                                  bool begun, Scn now, const std::map<std::string, std::string>& settings) {
    const RoundStart& start = round.start;
    if (!round.settings.empty() || begun) {
        SettingsToStore store = settingsChanged(start.key, changes);
        const bool unknown = round.settings.empty() || round.settings.back().settings != settings;
        if (changes.empty() && unknown) store.records.push_back({start.key, now, {}, settings});
        return store;
    }
    // What was changed before is of a time that is not archived, and part of what it begins with.
    std::vector<catalog::SettingChange> later;
    std::vector<std::int64_t> before;
    for (const catalog::SettingChange& change : changes) {
        if (change.scn > start.scn)
            later.push_back(change);
        else
            before.push_back(change.id);
    }
    SettingsToStore store = settingsChanged(start.key, later);
    store.records.insert(store.records.begin(), {start.key, start.scn, start.position, settings});
    store.changes.insert(store.changes.end(), before.begin(), before.end());
    return store;
}

}  // namespace tidemark::archive
