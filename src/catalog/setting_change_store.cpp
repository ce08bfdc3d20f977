#include "catalog/setting_change_store.h"

#include "catalog/sql_row.h"

namespace tidemark::catalog {

static SettingChange changeFrom(const mysql::Row& row) {
    return {.tenant = row.integer("tenant_id"),
            .id = row.integer("change_id"),
            .scn = row.unsignedInteger("scn"),
            .gtid = row.text("gtid"),
            .settings = variablesFrom(row.text("settings"))};
}

void SettingChangeStore::add(const SettingChange& change) {
    catalog_.write({}, [&](mysql::SqlClient& client) {
        insertRow(client, "setting_change",
                  {{"tenant_id", change.tenant},
                   {"change_id", nextId(client, "setting_change", change.tenant)},
                   {"scn", change.scn},
                   {"gtid", change.gtid},
                   {"settings", variablesText(change.settings)}});
    });
}

std::vector<SettingChange> SettingChangeStore::of(TenantId tenant) {
    return catalog_.read([&](mysql::SqlClient& client) {
        return rowsAs<SettingChange>(
            client.query("SELECT * FROM tidemark.setting_change WHERE tenant_id = ? ORDER BY change_id", {tenant}),
            changeFrom);
    });
}

std::vector<SettingChange> SettingChangeStore::all() {
    return catalog_.read([&](mysql::SqlClient& client) {
        return rowsAs<SettingChange>(
            client.query("SELECT * FROM tidemark.setting_change ORDER BY tenant_id, change_id"), changeFrom);
    });
}

void SettingChangeStore::remove(TenantId tenant, std::int64_t id) {
    catalog_.write({}, [&](mysql::SqlClient& client) {
        deleteRows(client, "setting_change", {{"tenant_id", tenant}, {"change_id", id}});
    });
}

}  // namespace tidemark::catalog
