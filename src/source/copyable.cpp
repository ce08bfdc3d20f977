#include "source/copyable.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>

#include "base/error.h"
#include "base/open_files.h"

namespace tidemark::source {
namespace {

namespace fs = std::filesystem;

/// Logs, libraries, sockets, files being copied: 30 were seen beside the tablespaces.
constexpr std::uint64_t kOtherFiles = 64;

/// Files that mariadb-backup, or its --prepare, makes or looks for where a schema has its directory. Other names of its
/// files have characters that are encoded in a schema's, or are there before any schema, which then cannot be made.
constexpr auto kNamesOfTheTool = std::to_array<std::string_view>(
    {"xtrabackup_info", "xtrabackup_checkpoints", "xtrabackup_binlog_info", "xtrabackup_binlog_pos_innodb",
     "mariadb_backup_info", "mariadb_backup_checkpoints", "mariadb_backup_binlog_info",
     "mariadb_backup_binlog_pos_innodb", "innodb_corrupted_pages", "ib_logfile1"});

void requireOtherNames(const fs::path& data_directory) {
    for (const std::string_view name : kNamesOfTheTool) {
        std::error_code unknown;
        if (!fs::is_directory(data_directory / name, unknown)) continue;
        throw Error(
            ErrorCode::Conflict,
            fmt::format("schema {} has the name of a file of mariadb-backup, which cannot copy or restore it", name),
            "make a schema of another name, RENAME TABLE its tables into that, drop it, and back up again");
    }
}

/// mariadb-backup keeps every tablespace open until its end: a table that is dropped meanwhile must not be lost to it.
std::uint64_t tablespaces(const fs::path& data_directory) {
    std::uint64_t count = 0;
    std::error_code gone;
    fs::recursive_directory_iterator at(data_directory, fs::directory_options::skip_permission_denied, gone);
    for (; !gone && at != fs::recursive_directory_iterator(); at.increment(gone)) {
        count += at->path().extension() == ".ibd" ? 1 : 0;
        if (at.depth() >= 1) at.disable_recursion_pending();
    }
    return count;
}

void requireOpenFiles(std::uint64_t count, std::uint64_t limit) {
    if (count + kOtherFiles <= limit) return;
    throw Error(
        ErrorCode::Conflict,
        fmt::format("mariadb-backup has to open all {} tablespaces at once, but a process may have {} files open",
                    count, limit),
        fmt::format("raise the hard limit of open files to {} or more (LimitNOFILE= of the service, ulimit -Hn) "
                    "and start the daemon again",
                    count + kOtherFiles));
}

}  // namespace

void requireCopyable(const fs::path& data_directory) {
    requireCopyable(data_directory, openFilesLimit(tablespaces(data_directory) + kOtherFiles));
}

void requireCopyable(const fs::path& data_directory, std::uint64_t open_files) {
    requireOtherNames(data_directory);
    requireOpenFiles(tablespaces(data_directory), open_files);
}

}  // namespace tidemark::source
