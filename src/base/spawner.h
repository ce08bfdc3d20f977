#pragma once

#include <sys/types.h>

#include <functional>
#include <span>

namespace tidemark {

/// Starts the thread that makes processes. Call it first thing in main(), before anything is opened that may hang.
/// Without that, the first process that is started does it.
///
/// A process is born with a copy of all that its parent has open, and exec() closes the copies. Closing a file of a
/// file system that hangs (FUSE, NFS) waits for that file system: one tenant's destination would hold up the start of
/// everybody's programs. So processes are forked by a thread that has a table of open files of its own, with nothing in
/// it but stdin, stdout, stderr and its socket. See docs/decisions/processes.md.
void startSpawner();

/// Forks in that thread. The new process has open: 0, 1, 2 and copies of `fds`, whose numbers there `child` is given,
/// in order. `child` must not return, and call nothing but what is async-signal-safe. The result is a child of ours
/// like any other; with PR_SET_PDEATHSIG it dies with us, and not with the thread that called this. Thread-safe. Throws
/// an Error made from errno if it cannot.
pid_t forkApart(std::span<const int> fds, const std::function<void(std::span<const int>)>& child);

}  // namespace tidemark
