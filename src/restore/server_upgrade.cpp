#include "restore/server_upgrade.h"

#include <fmt/format.h>

#include <cstdio>

#include "base/file.h"
#include "base/ob_error.h"
#include "base/process.h"

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
    const auto options = private_directory / "upgrade.cnf";
    replaceFile(options, fmt::format("[client]\nuser={}\npassword={}\nsocket={}\n", endpoint.user, endpoint.password,
                                     endpoint.socket));
    runProgram({.arguments = {"mariadb-upgrade", "--defaults-file=" + options.string(), "--force", "--silent"}});
    std::filesystem::remove(options);
    return true;
}

}  // namespace tidemark::restore
