#include "server/signals.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <cerrno>

#include "base/error.h"

namespace tidemark::server {

Signals::Signals() {
    sigset_t taken;
    sigemptyset(&taken);
    sigaddset(&taken, SIGTERM);
    sigaddset(&taken, SIGINT);
    pthread_sigmask(SIG_BLOCK, &taken, nullptr);
    std::signal(SIGHUP, SIG_IGN);
    std::signal(SIGPIPE, SIG_IGN);
    signals_ = Fd(signalfd(-1, &taken, SFD_CLOEXEC));
    woken_ = Fd(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    if (!signals_.valid() || !woken_.valid()) throwErrno(errno, "making a signalfd");
}

void Signals::waitForEnd() {
    pollfd wanted[] = {{.fd = signals_.get(), .events = POLLIN, .revents = 0},
                       {.fd = woken_.get(), .events = POLLIN, .revents = 0}};
    while (::poll(wanted, 2, -1) < 0) {
        if (errno != EINTR) throwErrno(errno, "waiting for signals");
    }
}

void Signals::wake() {
    const std::uint64_t one = 1;
    // It can only fail when the counter is full, and then the waiter is awake anyway.
    [[maybe_unused]] const ssize_t written = ::write(woken_.get(), &one, sizeof one);
}

}  // namespace tidemark::server
