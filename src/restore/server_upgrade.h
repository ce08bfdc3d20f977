#pragma once

#include <filesystem>
#include <string>

#include "mysql/sql_client.h"

namespace tidemark::restore {

/// Whether data of server version `from` ("10.11.6-MariaDB-…") needs mariadb-upgrade under `to`: another major or minor
/// version. Throws Ob::OpNotAllow if `from` is the newer one: MariaDB does not go back.
bool needsUpgrade(const std::string& from, const std::string& to);

/// Runs mariadb-upgrade at a running server if its version is newer than the data's. The program reaches
/// `private_directory`, the tenant's, and no other files of ours; the account's password is never on the command line,
/// and not on the disk once this returns or throws. True if there was something to do.
bool upgradeServer(const mysql::Endpoint& endpoint, const std::string& from,
                   const std::filesystem::path& private_directory);

}  // namespace tidemark::restore
