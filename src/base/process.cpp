#include "base/process.h"

#include <fcntl.h>
#include <linux/ioprio.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <fstream>
#include <functional>
#include <span>

#include "base/error.h"
#include "base/program_log.h"
#include "base/spawner.h"

namespace tidemark {
namespace {

enum class Lifetime { EndsWithUs, OutlivesUs };

/// A file without a name, for what may not lie on a disk, or not where others could have put something before.
Fd anonymousFile() {
    Fd file(memfd_create("tidemark", MFD_CLOEXEC));
    // MariaDB's programs ignore option files that anybody may write to.
    if (!file.valid() || fchmod(file.get(), 0600) != 0) throwErrno(errno, "making a file in memory");
    return file;
}

Fd openInput(const std::string& text) {
    if (text.empty()) return openFile("/dev/null", O_RDONLY);
    Fd input = anonymousFile();
    writeAt(input.get(), viewOf(text), 0, "a program's input");
    return input;
}

std::string lastLine(std::string text) {
    while (!text.empty() && text.back() == '\n')
        text.pop_back();
    return text.substr(text.rfind('\n') + 1);
}

/// What a new process is given, in this order.
enum PassedFd : std::size_t { kInput, kOutput, kError, kReport, kSandboxOrNone };

/// Everything the child needs, prepared before fork(): after it, only async-signal-safe calls are allowed.
struct Prepared {
    explicit Prepared(const Command& command) : directory(command.directory.string()), priority(command.priority) {
        for (const auto& argument : command.arguments)
            argv.push_back(const_cast<char*>(argument.c_str()));
        argv.push_back(nullptr);
        setEnvironment(command.environment);
        input = openInput(command.input);
        output = sink(command.stdout_file);
        error = sink(command.stderr_file);
        if (command.file_access) sandbox = makeSandbox(*command.file_access);
    }
    static Fd sink(const std::filesystem::path& path) {
        if (path.empty()) return openFile("/dev/null", O_WRONLY);
        return openFile(path, O_WRONLY | O_CREAT | O_APPEND, 0600);
    }

    std::vector<int> passed(int stdout_fd, int report) const {
        std::vector<int> fds{input.get(), stdout_fd, error.get(), report};
        if (sandbox) fds.push_back(sandbox->get());
        return fds;
    }

    void setEnvironment(const std::vector<std::string>& changed) {
        for (char** ours = environ; *ours != nullptr; ++ours) {
            const std::string_view variable(*ours);
            const auto name = variable.substr(0, variable.find('=') + 1);
            const auto replaces = [&](const std::string& one) { return one.starts_with(name); };
            if (std::none_of(changed.begin(), changed.end(), replaces)) environment.push_back(*ours);
        }
        for (const auto& variable : changed)
            environment.push_back(const_cast<char*>(variable.c_str()));
        environment.push_back(nullptr);
    }

    std::vector<char*> argv;
    std::vector<char*> environment;
    std::string directory;
    Fd input, output, error;
    std::optional<Fd> sandbox;
    Priority priority;
};

void giveWay() {
    [[maybe_unused]] const int now = nice(5);  // to give way is always allowed
    syscall(SYS_ioprio_set, IOPRIO_WHO_PROCESS, 0, IOPRIO_PRIO_VALUE(IOPRIO_CLASS_BE, 7));
}

/// `fds` are the numbers of what passed() names. Nothing else is open here (forkApart).
[[noreturn]] void executeChild(const Prepared& prepared, std::span<const int> fds, Lifetime lifetime, pid_t parent) {
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, nullptr);
    std::signal(SIGPIPE, SIG_DFL);
    if (lifetime == Lifetime::EndsWithUs) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() != parent) _exit(127);  // the parent died before prctl took effect
    }
    if (prepared.priority == Priority::Background) giveWay();
    dup2(fds[kInput], 0);
    dup2(fds[kOutput], 1);
    dup2(fds[kError], 2);
    const bool entered = prepared.directory.empty() || chdir(prepared.directory.c_str()) == 0;
    const bool confined = entered && (!prepared.sandbox || enterSandbox(fds[kSandboxOrNone]));
    if (confined) execvpe(prepared.argv[0], prepared.argv.data(), prepared.environment.data());
    const int error_number = errno;
    // If even this cannot be told, the parent sees the exit code 127.
    if (write(fds[kReport], &error_number, sizeof error_number) < 0) _exit(127);
    _exit(127);
}

pid_t forkFor(const Command& command, std::span<const int> fds,
              const std::function<void(std::span<const int>)>& child) {
    try {
        return forkApart(fds, child);
    } catch (const Error& error) {
        throw error.in("starting " + command.arguments.at(0));
    }
}

std::pair<Fd, Fd> makePipe() {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) throwErrno(errno, "making a pipe");
    return {Fd(ends[0]), Fd(ends[1])};
}

/// Whether the socket's buffer could be made that large, by the kernel's count: twice what is asked, for its own
/// records (socket(7)). Beyond net.core.wmem_max that needs CAP_NET_ADMIN.
bool growSendBuffer(const Fd& socket, int bytes) {
    if (setsockopt(socket.get(), SOL_SOCKET, SO_SNDBUFFORCE, &bytes, sizeof bytes) != 0) {
        setsockopt(socket.get(), SOL_SOCKET, SO_SNDBUF, &bytes, sizeof bytes);
    }
    int got = 0;
    socklen_t size = sizeof got;
    return getsockopt(socket.get(), SOL_SOCKET, SO_SNDBUF, &got, &size) == 0 && got >= bytes;
}

/// What is written to the second end is read from the first. A socket where it can hold enough: a pipe takes every 4
/// KiB page from the system and gives it back, which costs two to four times the CPU time; but a small buffer makes
/// both sides wake each other so often that others wait for the CPU (docs/decisions/data_path.md).
std::pair<Fd, Fd> makeStream() {
    constexpr int kBuffer = 1 << 20;
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) throwErrno(errno, "making a pair of sockets");
    std::pair<Fd, Fd> sockets{Fd(ends[0]), Fd(ends[1])};
    if (growSendBuffer(sockets.second, kBuffer)) return sockets;
    std::pair<Fd, Fd> pipe = makePipe();
    fcntl(pipe.first.get(), F_SETPIPE_SZ, kBuffer);  // best effort: limited by /proc/sys/fs/pipe-max-size
    return pipe;
}

/// The report pipe closes on a successful exec; otherwise it carries errno.
void throwIfNotStarted(const Fd& report, const Command& command) {
    int error_number = 0;
    if (read(report.get(), &error_number, sizeof error_number) == sizeof error_number) {
        throwErrno(error_number, "starting " + command.arguments.at(0));
    }
}

ExitStatus decode(int status) {
    if (WIFEXITED(status)) return {.code = WEXITSTATUS(status)};
    return {.code = -1, .signal = WTERMSIG(status)};
}

}  // namespace

bool ExitStatus::killed() const {
    return signal == SIGKILL || signal == SIGTERM || signal == SIGINT || signal == SIGHUP;
}

std::string ExitStatus::text() const {
    if (signal != 0) return "signal " + std::to_string(signal) + " (" + strsignal(signal) + ")";
    return "exit code " + std::to_string(code);
}

Child::Child(const Command& command) {
    const Prepared prepared(command);
    auto [report_read, report_write] = makePipe();
    Fd stdout_write;
    if (command.stdout_is_read) std::tie(output_, stdout_write) = makeStream();
    const int stdout_fd = command.stdout_is_read ? stdout_write.get() : prepared.output.get();
    pid_ = forkFor(command, prepared.passed(stdout_fd, report_write.get()),
                   [&, parent = getpid()](std::span<const int> fds) {
                       executeChild(prepared, fds, Lifetime::EndsWithUs, parent);
                   });
    report_write = Fd();
    try {
        throwIfNotStarted(report_read, command);
    } catch (...) {
        wait();
        throw;
    }
}

Child::~Child() {
    if (status_) return;
    kill(SIGKILL);
    try {
        wait();
    } catch (const Error&) {
        // nothing is left to reap
    }
}

ExitStatus Child::wait() {
    if (status_) return *status_;
    int status = 0;
    struct rusage used {};
    while (wait4(pid_, &status, 0, &used) < 0) {
        if (errno != EINTR) throwErrno(errno, "waiting for process " + std::to_string(pid_));
    }
    constexpr std::uint64_t kBlock = 512;  // of ru_oublock
    status_ = decode(status);
    status_->written_bytes = static_cast<std::uint64_t>(used.ru_oublock) * kBlock;
    return *status_;
}

std::uint64_t Child::writtenBytes() const {
    std::ifstream file("/proc/" + std::to_string(pid_) + "/io");
    std::string name;
    for (std::uint64_t value = 0; file >> name >> value;) {
        if (name == "write_bytes:") return value;
    }
    return 0;
}

std::optional<ExitStatus> Child::waitFor(std::chrono::milliseconds limit) {
    if (status_) return status_;
    const auto handle = ProcessHandle::open(pid_);
    if (handle && !handle->ended(limit)) return std::nullopt;
    return wait();
}

void Child::kill(int signal) {
    if (!status_) ::kill(pid_, signal);
}

pid_t startDetached(const Command& command) {
    const Prepared prepared(command);
    auto [report_read, report_write] = makePipe();
    auto [pid_read, pid_write] = makePipe();
    auto passed = prepared.passed(prepared.output.get(), report_write.get());
    passed.push_back(pid_write.get());
    const pid_t middle = forkFor(command, passed, [&](std::span<const int> fds) {
        // The grandchild becomes init's child, so it is never our zombie. Not a session of its own, which would be a
        // scheduling group of its own: docs/decisions/scheduling.md.
        setpgid(0, 0);
        const pid_t grandchild = fork();
        if (grandchild == 0) executeChild(prepared, fds, Lifetime::OutlivesUs, 0);
        _exit(write(fds.back(), &grandchild, sizeof grandchild) == sizeof grandchild ? 0 : 127);
    });
    report_write = Fd();
    pid_write = Fd();
    int status = 0;
    while (waitpid(middle, &status, 0) < 0 && errno == EINTR) {
    }
    pid_t pid = -1;
    if (read(pid_read.get(), &pid, sizeof pid) != sizeof pid || pid < 0) {
        throw Error(ErrorCode::Unavailable, "starting " + command.arguments.at(0) + ": no process could be made");
    }
    throwIfNotStarted(report_read, command);
    return pid;
}

std::string runProgram(const Command& command) {
    Command with_output = command;
    with_output.stdout_is_read = true;
    const Fd own_stderr = anonymousFile();
    const std::string own_stderr_path = "/proc/self/fd/" + std::to_string(own_stderr.get());
    if (command.stderr_file.empty()) with_output.stderr_file = own_stderr_path;
    Child child(with_output);
    std::string output;
    char buffer[65536];
    for (;;) {
        const ssize_t got = read(child.output(), buffer, sizeof buffer);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) break;
        output.append(buffer, static_cast<std::size_t>(got));
    }
    const ExitStatus status = child.wait();
    if (status.ok()) return output;
    const std::string complaint =
        command.stderr_file.empty() ? withoutContent(lastLine(readFile(own_stderr_path).value_or(""))) : std::string();
    throw Error(status.killed() ? ErrorCode::Unavailable : ErrorCode::Internal,
                command.arguments.at(0) + " ended with " + status.text() + (complaint.empty() ? "" : ": " + complaint));
}

std::optional<ProcessHandle> ProcessHandle::open(pid_t pid) {
    const int fd = static_cast<int>(syscall(SYS_pidfd_open, pid, 0));
    if (fd < 0 && (errno == ESRCH || errno == EINVAL)) return std::nullopt;
    if (fd < 0) throwErrno(errno, "opening process " + std::to_string(pid));
    return ProcessHandle(pid, Fd(fd));
}

ProcessHandle ProcessHandle::duplicate() const {
    const int fd = fcntl(fd_.get(), F_DUPFD_CLOEXEC, 0);
    if (fd < 0) throwErrno(errno, "duplicating the handle of process " + std::to_string(pid_));
    return {pid_, Fd(fd)};
}

bool ProcessHandle::ended(std::chrono::milliseconds limit) const {
    pollfd wanted{.fd = fd_.get(), .events = POLLIN, .revents = 0};
    const auto deadline = std::chrono::steady_clock::now() + limit;
    for (;;) {
        const auto left =
            std::chrono::duration_cast<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
        const int ready = poll(&wanted, 1, static_cast<int>(std::max<std::int64_t>(0, left.count())));
        if (ready < 0 && errno == EINTR) continue;
        if (ready < 0) throwErrno(errno, "watching process " + std::to_string(pid_));
        return ready > 0;
    }
}

void ProcessHandle::kill(int signal) const {
    syscall(SYS_pidfd_send_signal, fd_.get(), signal, nullptr, 0);
}

std::vector<std::string> commandLine(pid_t pid) {
    std::ifstream file("/proc/" + std::to_string(pid) + "/cmdline");
    std::vector<std::string> arguments;
    for (std::string argument; std::getline(file, argument, '\0');)
        arguments.push_back(argument);
    return arguments;
}

}  // namespace tidemark
