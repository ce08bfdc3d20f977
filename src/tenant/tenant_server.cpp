#include "tenant/tenant_server.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <charconv>
#include <csignal>
#include <cstring>

#include "base/error.h"
#include "base/growing_pause.h"
#include "base/program.h"

namespace tidemark::tenant {
namespace {

namespace fs = std::filesystem;

constexpr std::chrono::minutes kStatementLimit{5};
/// Between two looks at a server that starts: the first come soon, for most need a tenth of a second.
constexpr std::chrono::milliseconds kLongestPause{10};
/// mariadbd appends to its error log for ever; it is put aside at a start when it has grown beyond this.
constexpr std::uintmax_t kLongestLog = 16ULL << 20;

bool belongsToUs(pid_t pid) {
    struct stat info {};
    return ::stat(fmt::format("/proc/{}", pid).c_str(), &info) == 0 && info.st_uid == geteuid();
}

/// The process of that id, if it is ours and was started with exactly these arguments. The handle is opened first, so
/// that what is looked at is what is held.
std::optional<ProcessHandle> handleIfRuns(pid_t pid, const std::vector<std::string>& arguments) {
    auto handle = ProcessHandle::open(pid);
    if (!handle || !belongsToUs(pid) || commandLine(pid) != arguments || handle->ended()) return std::nullopt;
    return handle;
}

std::optional<pid_t> number(std::string_view text) {
    pid_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end == text.data() || value <= 0) return std::nullopt;
    return value;
}

void rotateLog(const fs::path& log) {
    std::error_code ignored;
    if (fs::file_size(log, ignored) > kLongestLog && !ignored) fs::rename(log, log.string() + ".old", ignored);
}

}  // namespace

Command TenantServer::command(const std::string& system_time_zone) const {
    Command command;
    command.arguments = {"mariadbd", "--defaults-file=" + paths_.config().string()};
    command.directory = paths_.directory;
    command.stdout_file = paths_.log();
    command.stderr_file = paths_.log();
    // Whatever a session manages to become in there, other tenants' files and the host's are out of reach.
    command.file_access = accessOf("mariadbd", {paths_.directory});
    command.priority = priority_;
    if (!system_time_zone.empty()) command.environment.push_back("TZ=" + system_time_zone);
    return command;
}

std::shared_ptr<const ProcessHandle> TenantServer::current() const {
    std::shared_ptr<const ProcessHandle> process;
    {
        const MutexLock lock(process_mutex_);
        process = process_;
    }
    return process && !process->ended() ? process : nullptr;
}

void TenantServer::hold(std::optional<ProcessHandle> process) {
    std::shared_ptr<const ProcessHandle> held;
    if (process) held = std::make_shared<const ProcessHandle>(std::move(*process));
    {
        const MutexLock lock(process_mutex_);
        process_.swap(held);
    }
    const MutexLock lock(mutex_);
    if (!process || keeper_) return;
    keeper_ = std::make_shared<AccountKeeper>(weak_from_this());
    mysql::guardAccount(socket(), kDaemonAccount, keeper_);
}

/// `running`: what runs on this machine; null: to be looked for, if need be. The daemon may have ended between starting
/// the process and the process writing its pid file, so that file alone does not tell.
bool TenantServer::adoptWhileStarting(const RunningServers* running) {
    if (current()) return true;
    if (looked_) return false;
    const auto arguments = command().arguments;
    std::optional<ProcessHandle> found;
    if (const auto hint = number(readFile(paths_.pidFile()).value_or(""))) found = handleIfRuns(*hint, arguments);
    if (!found) {
        const auto pid = running != nullptr ? running->find(arguments) : RunningServers::look().find(arguments);
        if (pid) found = handleIfRuns(*pid, arguments);
    }
    const bool any = found.has_value();
    hold(std::move(found));
    looked_ = true;
    return any;
}

bool TenantServer::adopt() {
    const MutexLock starting(starting_);
    return adoptWhileStarting(nullptr);
}

bool TenantServer::adopt(const RunningServers& running) {
    const MutexLock starting(starting_);
    return adoptWhileStarting(&running);
}

void TenantServer::launch() {
    const MutexLock starting(starting_);
    if (adoptWhileStarting(nullptr)) return;
    if (!exists())
        throw Error(ErrorCode::NotFound, "tenant " + name() + " has no directory " + paths_.directory.string());
    ground_.lay(paths_);
    rotateLog(paths_.log());
    std::string zone;  // a copy: what follows takes its time
    {
        const MutexLock lock(mutex_);
        zone = system_time_zone_;
    }
    hold(ProcessHandle::open(startDetached(command(zone))));
}

void TenantServer::awaitReady(std::chrono::milliseconds limit) {
    const auto deadline = std::chrono::steady_clock::now() + limit;
    for (GrowingPause pauses(std::chrono::milliseconds(2), kLongestPause);;) {
        const auto handle = process();
        try {
            if (handle) {
                const mysql::SqlClient client(probe());
                return;
            }
        } catch (const Error& error) {
            // The account's keeper could not help either.
            if (mysql::refusesAccount(error)) throw error.in("tenant " + name());
        }
        // There is no event for "accepts connections"; the wait ends early if the process does.
        if (!handle || handle->ended(pauses.next())) {
            throw Error(ErrorCode::Unavailable,
                        fmt::format("mariadbd of tenant {} ended at its start: {}", name(), logTail()),
                        "the whole story is in " + paths_.log().string());
        }
        if (std::chrono::steady_clock::now() > deadline) {
            throw Error(ErrorCode::Unavailable,
                        fmt::format("mariadbd of tenant {} accepts no connection after {} s: {}", name(),
                                    limit.count() / 1000, logTail()),
                        "it goes on starting; see " + paths_.log().string());
        }
    }
}

bool TenantServer::stop(std::chrono::milliseconds limit) {
    if (!adopt()) return true;
    const auto handle = process();
    if (!handle) return true;
    handle->kill(SIGTERM);
    // Ended is not enough: it may have crashed while it wrote its pages.
    if (handle->ended(limit)) return logTail(3).find("Shutdown complete") != std::string::npos;
    kill();
    return false;
}

void TenantServer::kill() {
    if (!adopt()) return;
    const auto handle = process();
    if (!handle) return;
    handle->kill(SIGKILL);
    if (!handle->ended(std::chrono::seconds(30))) {
        throw Error(ErrorCode::Unavailable,
                    fmt::format("process {} of tenant {} does not end, even when killed", handle->pid(), name()),
                    "it waits for its disk; see the kernel's log");
    }
}

bool TenantServer::running() const {
    return current() != nullptr;
}

std::optional<pid_t> TenantServer::pid() const {
    const auto process = current();
    return process ? std::optional(process->pid()) : std::nullopt;
}

std::optional<ProcessHandle> TenantServer::process() const {
    const auto process = current();
    return process ? std::optional(process->duplicate()) : std::nullopt;
}

/// A server that hangs is not to hold up whoever waits for its start, beyond the limit that he has set.
mysql::Endpoint TenantServer::probe() const {
    mysql::Endpoint endpoint = this->endpoint();
    endpoint.connect_timeout = std::chrono::seconds(2);
    endpoint.statement_timeout = std::chrono::seconds(5);
    return endpoint;
}

mysql::Endpoint TenantServer::endpoint() const {
    mysql::Endpoint endpoint;
    endpoint.socket = socket();
    endpoint.user = kDaemonAccount;
    endpoint.password = readFile(paths_.secret()).value_or("");
    endpoint.statement_timeout = kStatementLimit;
    return endpoint;
}

}  // namespace tidemark::tenant
