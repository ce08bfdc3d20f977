#pragma once

#include <sys/types.h>

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/file.h"
#include "base/sandbox.h"

namespace tidemark {

/// What gives way when there is too little for all.
enum class Priority {
    Normal,
    /// Copies and repairs, beside which databases serve clients: a third of a database's share of a busy CPU (nice 5),
    /// and the disk last among those that want it (best effort, 7). No less: a copy that holds up commits has to get to
    /// its end.
    Background,
};

/// How to start a program. Never put a secret into `arguments`: everybody can read them in the process list.
struct Command {
    std::vector<std::string> arguments;  ///< program (looked up in PATH) and its arguments
    std::filesystem::path directory;     ///< working directory; empty: ours
    /// What it reads from stdin; empty: nothing. Never on a disk, and can be opened again and again as /dev/stdin: the
    /// place for an option file with a password.
    std::string input;
    std::filesystem::path stderr_file;      ///< stderr is appended here; empty: discarded
    std::filesystem::path stdout_file;      ///< stdout is appended here; empty: discarded, unless stdout_is_read
    bool stdout_is_read = false;            ///< stdout can be read from Child::output()
    std::vector<std::string> environment;   ///< NAME=value, each in place of ours of that name
    std::optional<FileAccess> file_access;  ///< confines it to these files, where the kernel can
    Priority priority = Priority::Normal;
};

/// How a program ended.
struct ExitStatus {
    int code = -1;   ///< exit code, or -1 if a signal ended it
    int signal = 0;  ///< the signal, or 0
    /// Bytes that it, and what it has waited for, wrote to files on disks, by pages: they may be in the page cache yet.
    std::uint64_t written_bytes = 0;
    bool ok() const { return code == 0; }
    /// Somebody has ended it (the kernel, for want of memory; an operator), and not what it was doing.
    bool killed() const;
    std::string text() const;  ///< "exit code 1" or "signal 9 (Killed)"
};

/// A child that must not outlive us: the kernel kills it when we end (PR_SET_PDEATHSIG), so a `kill -9` of the daemon
/// leaves no mariadb-backup holding locks. The destructor kills and reaps what still runs. Like all programs here it is
/// started by the spawner (base/spawner.h), so nothing that we have open is open in it. Not thread-safe, except kill().
class Child {
public:
    /// Throws NotFound if the program cannot be executed.
    explicit Child(const Command& command);
    ~Child();
    Child(const Child&) = delete;
    Child& operator=(const Child&) = delete;

    pid_t pid() const { return pid_; }
    /// The reading end of stdout, a stream socket or a pipe; only with stdout_is_read.
    int output() const { return output_.get(); }

    ExitStatus wait();
    /// nullopt if it still runs after `limit`.
    std::optional<ExitStatus> waitFor(std::chrono::milliseconds limit);
    void kill(int signal);
    /// ExitStatus::written_bytes so far; 0 if that cannot be known. Only until it was waited for.
    std::uint64_t writtenBytes() const;

private:
    pid_t pid_ = -1;
    Fd output_;
    std::optional<ExitStatus> status_;
};

/// Starts a program that outlives us, in a process group of its own, and returns its process id. It is nobody's child
/// here: watch it with ProcessHandle. Throws NotFound if the program cannot be executed.
pid_t startDetached(const Command& command);

/// Runs a program to its end; returns its stdout. Throws, with the last line of stderr (base/program_log.h), Internal
/// if it fails and Unavailable if somebody has ended it.
std::string runProgram(const Command& command);

/// A process that need not be our child, held by a pidfd so that a reused process id cannot be confused with it.
class ProcessHandle {
public:
    /// nullopt if there is no such process.
    static std::optional<ProcessHandle> open(pid_t pid);

    pid_t pid() const { return pid_; }
    /// Another handle of the same process, for another thread to watch.
    ProcessHandle duplicate() const;
    /// True once it has ended; waits up to `limit` for that.
    bool ended(std::chrono::milliseconds limit = {}) const;
    void kill(int signal) const;
    int fd() const { return fd_.get(); }

private:
    ProcessHandle(pid_t pid, Fd fd) : pid_(pid), fd_(std::move(fd)) {}

    pid_t pid_;
    Fd fd_;
};

/// The arguments that a running process was started with; empty if it is gone.
std::vector<std::string> commandLine(pid_t pid);

}  // namespace tidemark
