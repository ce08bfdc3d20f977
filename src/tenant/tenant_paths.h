#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "catalog/types.h"

namespace tidemark::tenant {

/// Where the files of one tenant lie: everything in one directory of mode 0700, `<tenants>/<id>/`. The names are short
/// because the path of a unix socket has 107 bytes at most.
struct TenantPaths {
    std::filesystem::path directory;

    std::filesystem::path data() const { return directory / "data"; }      ///< mariadbd's data directory
    std::filesystem::path temporary() const { return directory / "tmp"; }  ///< mariadbd's tmpdir
    std::filesystem::path socket() const { return directory / "s"; }
    std::filesystem::path config() const { return directory / "my.cnf"; }
    std::filesystem::path initFile() const { return directory / "init.sql"; }  ///< 0600: holds the secret
    std::filesystem::path secret() const { return directory / "secret"; }  ///< 0600: password of the daemon's account
    std::filesystem::path pidFile() const { return directory / "pid"; }
    std::filesystem::path log() const { return directory / "log"; }  ///< mariadbd's error log
};

/// Paths of tenant `id` below `tenants`. Throws InvalidRequest if the socket's path would be too long for the kernel.
TenantPaths pathsOf(const std::filesystem::path& tenants, catalog::TenantId id);

}  // namespace tidemark::tenant
