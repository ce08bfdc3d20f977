#pragma once

#include <filesystem>
#include <string>

#include "tenant/tenant_config.h"

namespace tidemark::tenant {

/// MariaDB's tables of named time zones, which `SET time_zone = 'Europe/Berlin'` needs: in every tenant's schema
/// `mysql`, made from the system's zone files.

/// Whether the tables in a data directory that no server runs on hold anything. True if they cannot be looked at.
bool hasTimeZones(const std::filesystem::path& data_directory);

/// SQL that fills the empty tables, in pieces that mariadbd's init_file takes. Nothing if this machine has no zone
/// files. Zones that are other names of one another share their rows, and what was before 1970, where TIMESTAMP begins,
/// is left out: 1.3 MB in each tenant instead of the 2.7 MB that mariadb-tzinfo-to-sql takes.
std::string timeZonesSql();

/// For the init file: fills the tables of a tenant that has none (made by an older Tidemark, or restored), and sets the
/// time zone that the tenant chose, which my.cnf cannot: there a name has to be in the tables before they are filled.
std::string timeZoneSql(const TenantSettings& settings);

}  // namespace tidemark::tenant
