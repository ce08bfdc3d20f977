#include "restore/server_upgrade.h"

#include <fmt/format.h>

#include <cstdio>

#include "base/process.h"
#include "base/program.h"
#include "mysql/option_file.h"
#include "oceanbase/ob_error.h"
#include "source/private_directory.h"

namespace tidemark::restore {
namespace {

std::pair<int, int> majorMinor(const std::string& version) {
    int major = 0;
    int minor = 0;
    if (std::sscanf(version.c_str(), "%d.%d", &major, &minor) != 2) {
        throw Error(ErrorCode::Corrupt, "not a server version: " + version);
    }
    return {major, minor};
}

}  // namespace

bool needsUpgrade(const std::string& from, const std::string& to) {
    if (majorMinor(from) > majorMinor(to)) {
        throw obError(Ob::OpNotAllow, fmt::format("restoring a backup of MariaDB {} under {} is", from, to),
                      "install the newer MariaDB first");
    }
    return majorMinor(from) < majorMinor(to);
}

bool upgradeServer(const mysql::Endpoint& endpoint, const std::string& from,
                   const std::filesystem::path& private_directory) {
    const std::string to = mysql::SqlClient(endpoint).scalar("SELECT VERSION()").value_or("");
    if (!needsUpgrade(from, to)) return false;
    // mariadb-upgrade writes the password into an option file of its own there, for the programs that it starts.
    const source::PrivateDirectory temporary(private_directory);
    runProgram({.arguments = {"mariadb-upgrade", "--defaults-file=/dev/stdin", "--force", "--silent",
                              "--tmpdir=" + temporary.path().string()},
                .input = mysql::optionFile("client", endpoint),
                .file_access = accessOf("mariadb-upgrade", {private_directory}),
                .priority = Priority::Background});
    return true;
}

}  // namespace tidemark::restore
