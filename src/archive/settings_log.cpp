#include "archive/settings_log.h"

namespace tidemark::archive {

SettingsLog::SettingsLog(catalog::TenantId tenant, const RoundKey& round, mysql::Endpoint server,
                         storage::Storage& destination, catalog::Stores& stores, const Clock& clock,
                         SettingsOf settings)
    : tenant_(tenant),
      round_(round),
      server_(std::move(server)),
      destination_(destination),
      stores_(stores),
      clock_(clock),
      settings_(std::move(settings)) {}

void SettingsLog::write() {
    if (!settled_) settle();
    settled_ = true;
    for (const catalog::SettingChange& change : stores_.setting_changes.of(tenant_)) {
        putRecord(destination_,
                  SettingsRecord{round_, change.scn, mysql::GtidPosition::parse(change.gtid), change.settings});
        stores_.setting_changes.remove(tenant_, change.id);
    }
}

/// The first of a round are those that it begins with. Later, in a round that an older version began, or if a change
/// was made that nobody noted, those of now.
void SettingsLog::settle() {
    const auto records = readSettings(destination_, round_);
    const auto changes = stores_.setting_changes.of(tenant_);
    const auto settings = settings_(tenant_);
    const auto piece = stores_.archive.lastPiece(tenant_);
    const bool begun = piece && piece->round_id == static_cast<std::int64_t>(round_.round);
    if (records.empty() && !begun) {
        const RoundStart start = readRoundStart(destination_, round_);
        // Of a time that is not archived.
        for (const catalog::SettingChange& change : changes) {
            if (change.scn <= start.scn) stores_.setting_changes.remove(tenant_, change.id);
        }
        putRecord(destination_, SettingsRecord{round_, start.scn, start.position, settings});
    } else if (changes.empty() && (records.empty() || records.back().settings != settings)) {
        const auto scn = static_cast<Scn>(clock_.now());
        const auto position = mysql::SqlClient(server_).scalar("SELECT @@gtid_binlog_pos").value_or("");
        putRecord(destination_, SettingsRecord{round_, scn, mysql::GtidPosition::parse(position), settings});
    }
}

}  // namespace tidemark::archive
