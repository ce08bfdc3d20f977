#pragma once

#include <map>
#include <string>

#include "catalog/tenant_store.h"
#include "tenant/tenant_items.h"

namespace tidemark::tenant {

/// What of a tenant is in no file of its database, but belongs to it: a backup set carries it
/// (backup_set::BackupSetDescription::tenant_settings), a restored tenant gets it back. The names: `charset`,
/// `collation`, `compatibility_mode`; all others are variables of CREATE TENANT … SET, see tenant_variables.h.
std::map<std::string, std::string> carriedSettings(const catalog::Tenant& tenant);

/// Puts carried settings into what a tenant is to be made with. They are checked when it is made, as a statement's are.
void takeCarriedSettings(const std::map<std::string, std::string>& carried, TenantItems& items);

/// The time zone of carried settings, for parseTimestamp(); "SYSTEM" if they are older than the recording of it.
std::string timeZoneOf(const std::map<std::string, std::string>& carried);

}  // namespace tidemark::tenant
