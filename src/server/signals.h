#pragma once

#include <csignal>

#include "base/file.h"

namespace tidemark::server {

/// Signals of the daemon, taken in turn instead of interrupting: make it in main before any other thread starts, since
/// threads inherit what is blocked here. SIGHUP and SIGPIPE are ignored.
class Signals {
public:
    Signals();

    /// Waits until SIGTERM or SIGINT comes, or another thread calls wake().
    void waitForEnd();
    /// Any thread.
    void wake();

private:
    Fd signals_;
    Fd woken_;
};

}  // namespace tidemark::server
