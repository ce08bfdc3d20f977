#pragma once

#include <optional>
#include <string>
#include <vector>

#include "mysql/sql_client.h"

/// The commands of the `tidemark` program. Each returns its exit code: 0 done, 1 the job failed. Errors are thrown.
namespace tidemark::cli {

int showStatus(mysql::SqlClient& client, bool json);

struct BackupCommand {
    std::vector<std::string> tenants;  ///< empty: all that can be backed up
    std::string description;
    bool wait = true;
};
int runBackup(mysql::SqlClient& client, const BackupCommand& command);

struct RestoreCommand {
    std::string tenant;
    std::string from;
    std::optional<std::string> until_time;
    std::optional<std::string> until_scn;
    std::string pools;
    std::string description;
    bool wait = true;
    bool activate = false;
};
int runRestore(mysql::SqlClient& client, const RestoreCommand& command);

/// Bars of everything that runs; ends when nothing does, or never with `forever`.
int watch(mysql::SqlClient& client, bool forever, bool json);

int shutdownNode(mysql::SqlClient& client);

}  // namespace tidemark::cli
