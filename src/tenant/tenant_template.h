#pragma once

#include <sys/types.h>

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <tuple>

#include "base/mutex.h"
#include "catalog/types.h"
#include "mysql/sql_client.h"

namespace tidemark::tenant {

/// What new tenants have besides what MariaDB and this folder put there.
struct TemplateContent {
    std::string version;  ///< part of the template's name: one of another version is made anew
    /// Puts it there, over a connection of the daemon's account.
    std::function<void(mysql::SqlClient&, catalog::CompatibilityMode)> install;
};

/// A ready data directory that every new tenant is copied from, since mariadb-install-db takes seconds and a sparse
/// copy a tenth of one. Made on first use and again when the version of mariadbd changes, under
/// `<directory>/<version>-<layout>`; from that one those of a mode and with more content, as `…[-oracle][-<content>]`.
/// What an interrupted run left behind is removed.
///
/// It holds utf8mb4 system tables made with lower_case_table_names=1, the tenant's administrator root@'%' or
/// SYS@'%' without password, an empty schema `oceanbase` or `sys`, the tables of time zones, and no binlog: a new
/// tenant's GTID state is empty.
///
/// Thread-safe.
class TenantTemplate {
public:
    explicit TenantTemplate(std::filesystem::path directory) : directory_(std::move(directory)) {}

    /// From now on tenants are made with this content. Call before there are any: it takes away what has another one.
    void setContent(TemplateContent content);

    /// Makes the template if there is none for this mariadbd. Throws NotFound if MariaDB's programs are not installed.
    std::filesystem::path prepare(catalog::CompatibilityMode mode = catalog::CompatibilityMode::Mysql);

    /// Prepares if needed, and copies into `data_directory`, which must not exist. Holes stay holes. The copy is
    /// not durable yet.
    void copyTo(const std::filesystem::path& data_directory, catalog::CompatibilityMode mode);

private:
    /// What tells one program from another: path, inode, size, times.
    using Program = std::tuple<std::filesystem::path, ino_t, off_t, time_t, time_t>;

    std::string installedVersion() REQUIRES(mutex_);
    void install(const std::string& name) REQUIRES(mutex_);
    void derive(const std::filesystem::path& target, const std::filesystem::path& base, catalog::CompatibilityMode mode)
        REQUIRES(mutex_);
    void finish(const std::filesystem::path& making, const std::filesystem::path& target);

    const std::filesystem::path directory_;
    Mutex mutex_;
    Program asked_ GUARDED_BY(mutex_);  // whose version it is
    std::string version_ GUARDED_BY(mutex_);
    std::optional<TemplateContent> content_ GUARDED_BY(mutex_);
};

/// The version of the installed mariadbd, e.g. "10.11.19-MariaDB". Throws NotFound if it is not installed.
std::string installedServerVersion();

}  // namespace tidemark::tenant
