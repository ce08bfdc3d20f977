#pragma once

#include <sys/types.h>

#include <filesystem>
#include <mutex>
#include <string>
#include <tuple>

#include "catalog/types.h"

namespace tidemark::tenant {

/// A ready data directory that every new tenant is copied from, since mariadb-install-db takes seconds and a sparse
/// copy a tenth of one. Made on first use and again when the version of mariadbd changes, under
/// `<directory>/<version>-<layout>`, with `-oracle` for tenants in ORACLE mode; what an interrupted run left behind is
/// removed.
///
/// It holds utf8mb4 system tables made with lower_case_table_names=1, the tenant's administrator root@'%' or
/// SYS@'%' without password, an empty schema `oceanbase` or `sys`, the tables of time zones, and no binlog: a new
/// tenant's GTID state is empty.
///
/// Thread-safe.
class TenantTemplate {
public:
    explicit TenantTemplate(std::filesystem::path directory) : directory_(std::move(directory)) {}

    /// Makes the template if there is none for this mariadbd. Throws NotFound if MariaDB's programs are not installed.
    std::filesystem::path prepare(catalog::CompatibilityMode mode = catalog::CompatibilityMode::Mysql);

    /// Prepares if needed, and copies into `data_directory`, which must not exist. Holes stay holes. The copy is
    /// not durable yet.
    void copyTo(const std::filesystem::path& data_directory, catalog::CompatibilityMode mode);

private:
    /// What tells one program from another: path, inode, size, times.
    using Program = std::tuple<std::filesystem::path, ino_t, off_t, time_t, time_t>;

    std::string installedVersion();
    void install(const std::string& name);
    void makeOracle(const std::filesystem::path& target, const std::filesystem::path& from);
    void finish(const std::filesystem::path& making, const std::filesystem::path& target,
                catalog::CompatibilityMode mode, const std::string& sql);

    const std::filesystem::path directory_;
    std::mutex mutex_;
    Program asked_;        // guarded by mutex_: whose version it is
    std::string version_;  // guarded by mutex_
};

/// The version of the installed mariadbd, e.g. "10.11.19-MariaDB". Throws NotFound if it is not installed.
std::string installedServerVersion();

}  // namespace tidemark::tenant
