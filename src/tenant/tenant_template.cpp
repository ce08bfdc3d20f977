#include "tenant/tenant_template.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <sstream>

#include "base/error.h"
#include "base/process.h"
#include "base/program.h"
#include "base/program_log.h"
#include "base/random.h"
#include "catalog/compatibility.h"
#include "mysql/sql_client.h"
#include "tenant/tenant_config.h"
#include "tenant/time_zone_tables.h"

namespace tidemark::tenant {

using catalog::CompatibilityMode;

namespace {

namespace fs = std::filesystem;

/// Part of the template's name: to be counted up when what is put into it changes.
constexpr int kLayout = 2;

/// Written as holes where the source has zeros: a fresh data directory is 33 MiB long but holds 6 MiB.
void copySparse(const fs::path& from, const fs::path& to) {
    constexpr std::size_t kPiece = 65536;
    const Fd source = openFile(from, O_RDONLY);
    const Fd target = openFile(to, O_WRONLY | O_CREAT | O_EXCL, 0600);
    std::array<std::uint8_t, kPiece> piece;
    std::uint64_t offset = 0;
    for (;;) {
        const std::size_t got = readAt(source.get(), piece, offset, from);
        if (got == 0) break;
        const bool zeros = std::all_of(piece.begin(), piece.begin() + static_cast<std::ptrdiff_t>(got),
                                       [](std::uint8_t byte) { return byte == 0; });
        if (!zeros) writeAt(target.get(), ByteView(piece.data(), got), offset, to);
        offset += got;
    }
    if (ftruncate(target.get(), static_cast<off_t>(offset)) != 0) throwErrno(errno, "sizing " + to.string());
}

/// Where the source has holes already, as copySparse() makes them: the kernel copies what lies between them, and the 27
/// MiB of zeros are not looked at again. False if it cannot copy from this file system.
bool copyData(const fs::path& from, const fs::path& to) {
    const Fd source = openFile(from, O_RDONLY);
    const Fd target = openFile(to, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    struct stat info {};
    if (::fstat(source.get(), &info) != 0) throwErrno(errno, "looking at " + from.string());
    off_t at = 0;
    while ((at = ::lseek(source.get(), at, SEEK_DATA)) >= 0 && at < info.st_size) {
        const off_t hole = ::lseek(source.get(), at, SEEK_HOLE);
        while (at < hole) {
            off_t in = at, out = at;
            const ssize_t copied =
                ::copy_file_range(source.get(), &in, target.get(), &out, static_cast<std::size_t>(hole - at), 0);
            if (copied <= 0 && errno == ENOSPC) throwErrno(errno, "copying " + from.string());
            if (copied <= 0) return false;
            at += copied;
        }
    }
    if (at < 0 && errno != ENXIO) return false;  // ENXIO: no more data
    if (::ftruncate(target.get(), info.st_size) != 0) throwErrno(errno, "sizing " + to.string());
    return true;
}

template <typename CopyFile>
void copyTree(const fs::path& from, const fs::path& to, CopyFile copy_file) {
    fs::create_directory(to);
    fs::permissions(to, fs::perms::owner_all);
    for (const auto& entry : fs::directory_iterator(from)) {
        const fs::path target = to / entry.path().filename();
        if (entry.is_directory()) {
            copyTree(entry.path(), target, copy_file);
        } else {
            copy_file(entry.path(), target);
        }
    }
}

/// One call for all the files of a tree: a sync of each of 200 would take a journal commit each.
void syncFileSystemOf(const fs::path& directory) {
    const Fd fd = openFile(directory, O_RDONLY | O_DIRECTORY);
    if (syncfs(fd.get()) != 0) throwErrno(errno, "syncing the file system of " + directory.string());
}

/// mariadbd goes on after an error in its init_file and says so only in its log.
void throwIfInitFileFailed(const fs::path& log) {
    std::istringstream lines(readFile(log).value_or(""));
    for (std::string line; std::getline(lines, line);) {
        if (line.find("[ERROR]") != std::string::npos) {
            throw Error(ErrorCode::Internal, "making the template for tenants: " + withoutContent(line));
        }
    }
}

/// Starts mariadbd once on the new data directory, which runs `sql` and brings the redo log to its size; lets `use` do
/// what it has to, over a connection as `account`, and stops it cleanly.
void startOnce(const fs::path& directory, const std::string& sql, const mysql::Endpoint& account,
               const std::function<void(mysql::SqlClient&)>& use) {
    const fs::path data = directory / "data";
    const fs::path log = directory / "log";
    replaceFile(directory / "init.sql", sql);
    Command command;
    command.arguments = {"mariadbd",
                         "--no-defaults",
                         "--datadir=" + data.string(),
                         "--socket=" + (directory / "s").string(),
                         "--pid-file=" + (directory / "pid").string(),
                         "--tmpdir=" + (directory / "tmp").string(),
                         "--init-file=" + (directory / "init.sql").string(),
                         "--skip-networking",
                         "--skip-log-bin",
                         "--skip-name-resolve",
                         "--lower-case-table-names=1",
                         "--character-set-server=utf8mb4",
                         "--innodb-buffer-pool-size=32M",
                         "--innodb-log-file-size=16M",
                         "--performance-schema=OFF",
                         "--unix-socket=OFF"};
    if (geteuid() == 0) command.arguments.emplace_back("--user=root");
    command.stderr_file = log;
    command.file_access = accessOf("mariadbd", {directory});
    Child server(command);
    mysql::Endpoint endpoint = account;
    endpoint.socket = (directory / "s").string();
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::minutes(1);
    // init_file runs before the first connection is accepted, so being let in means that it has been run.
    std::optional<mysql::SqlClient> client;
    while (!client) {
        try {
            client.emplace(endpoint);
        } catch (const Error&) {
            throwIfInitFileFailed(log);
            const auto ended = server.waitFor(std::chrono::milliseconds(20));
            if (ended || std::chrono::steady_clock::now() > deadline) {
                throw Error(ErrorCode::Internal, "mariadbd does not start on the template for tenants: " +
                                                     fmt::format("{}", fmt::join(lastLines(log), "; ")));
            }
        }
    }
    throwIfInitFileFailed(log);
    use(*client);
    client.reset();
    server.kill(SIGTERM);
    const auto status = server.waitFor(std::chrono::minutes(1));
    if (!status || !status->ok())
        throw Error(ErrorCode::Internal, "mariadbd does not stop on the template for tenants");
}

/// An empty place to make a template in, whatever a crash left there before.
fs::path beginMaking(const fs::path& directory) {
    const fs::path making = directory / "making";
    fs::remove_all(making);
    fs::remove_all(directory / "copied");
    fs::create_directories(making / "tmp");
    return making;
}

/// Templates that were made out of `base` with another content.
void removeOutdated(const fs::path& directory, const fs::path& base, const std::string& content) {
    std::vector<fs::path> outdated;
    for (const auto& entry : fs::directory_iterator(directory)) {
        if (entry.path() != base && !entry.path().filename().string().ends_with("-" + content))
            outdated.push_back(entry.path());
    }
    for (const fs::path& path : outdated)
        fs::remove_all(path);
}

}  // namespace

std::string installedServerVersion() {
    std::istringstream words(
        runProgram({.arguments = {"mariadbd", "--version"}, .file_access = accessOf("mariadbd", {})}));
    std::string program, ver, version;
    words >> program >> ver >> version;
    if (version.empty()) throw Error(ErrorCode::Internal, "mariadbd --version names no version");
    return version;
}

void TenantTemplate::setContent(TemplateContent content) {
    const MutexLock lock(mutex_);
    content_ = std::move(content);
}

fs::path TenantTemplate::prepare(CompatibilityMode mode) {
    const MutexLock lock(mutex_);
    const std::string name = fmt::format("{}-{}", installedVersion(), kLayout);
    if (!fs::exists(directory_ / name)) install(name);
    const std::string suffix =
        (mode == CompatibilityMode::Oracle ? "-oracle" : "") + (content_ ? "-" + content_->version : "");
    if (!suffix.empty() && !fs::exists(directory_ / (name + suffix)))
        derive(directory_ / (name + suffix), directory_ / name, mode);
    return directory_ / (name + suffix);
}

/// Asking mariadbd takes as long as a fifth of its start, so it is asked again only when the program has become
/// another.
std::string TenantTemplate::installedVersion() {
    struct stat info {};
    const fs::path program = findProgram("mariadbd");
    if (::stat(program.c_str(), &info) != 0) return installedServerVersion();
    const Program found{program, info.st_ino, info.st_size, info.st_mtim.tv_sec, info.st_ctim.tv_sec};
    if (version_.empty() || found != asked_) {
        version_ = installedServerVersion();
        asked_ = found;
    }
    return version_;
}

/// Makes the first template, of MariaDB's own files. Takes away those of other versions: a running tenant does not need
/// the one it was copied from.
void TenantTemplate::install(const std::string& name) {
    fs::remove_all(directory_);
    const fs::path making = beginMaking(directory_);
    fs::permissions(directory_, fs::perms::owner_all);
    std::vector<std::string> arguments = {
        "mariadb-install-db", "--no-defaults", "--datadir=" + (making / "data").string(),
        "--auth-root-authentication-method=normal", "--skip-test-db", "--skip-name-resolve",
        "--lower-case-table-names=1", "--innodb-log-file-size=16M",
        // Never a shared one: a mariadbd that starts deletes all #sql* files in its tmpdir.
        "--tmpdir=" + (making / "tmp").string()};
    if (geteuid() == 0) arguments.emplace_back("--user=root");
    runProgram({.arguments = std::move(arguments), .file_access = accessOf("mariadb-install-db", {making})});
    const auto mode = CompatibilityMode::Mysql;
    startOnce(making, systemSchemaSql(mode) + administratorSql(mode) + timeZonesSql(), {.user = administrator(mode)},
              [](mysql::SqlClient&) {});
    finish(making, directory_ / name);
}

/// Makes one of another mode or with the content, out of the first one.
void TenantTemplate::derive(const fs::path& target, const fs::path& base, CompatibilityMode mode) {
    if (content_) removeOutdated(directory_, base, content_->version);
    const fs::path making = beginMaking(directory_);
    copyTree(base, making / "data", copySparse);
    std::string sql;
    if (mode == CompatibilityMode::Oracle) sql = systemSchemaSql(mode) + administratorSql(mode);
    if (!content_) {
        startOnce(making, sql, {.user = administrator(mode)}, [](mysql::SqlClient&) {});
    } else {
        const std::string secret = randomPassword();
        startOnce(making, sql + initFileText(secret, Profile::Upgrade, mode),
                  {.user = kDaemonAccount, .password = secret}, [&](mysql::SqlClient& client) REQUIRES(mutex_) {
                      content_->install(client, mode);
                      // Each tenant makes its own.
                      client.query("DROP USER tidemark@localhost");
                  });
    }
    finish(making, target);
}

/// What has been made is the template that is found from now on.
void TenantTemplate::finish(const fs::path& making, const fs::path& target) {
    fs::remove(making / "data" / "ib_buffer_pool");
    copyTree(making / "data", directory_ / "copied", copySparse);
    fs::remove_all(making);
    syncFileSystemOf(directory_);
    fs::rename(directory_ / "copied", target);
    syncDirectory(directory_);
}

void TenantTemplate::copyTo(const fs::path& data_directory, CompatibilityMode mode) {
    copyTree(prepare(mode), data_directory, [](const fs::path& from, const fs::path& to) {
        if (copyData(from, to)) return;
        fs::remove(to);
        copySparse(from, to);
    });
}

}  // namespace tidemark::tenant
