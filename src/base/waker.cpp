#include "base/waker.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>

#include "base/error.h"

namespace tidemark {

Waker::Waker() : fd_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
    if (!fd_.valid()) throwErrno(errno, "making an eventfd");
}

void Waker::wake() {
    const std::uint64_t one = 1;
    // It fails only when it is readable already.
    [[maybe_unused]] const ssize_t written = write(fd_.get(), &one, sizeof one);
}

void Waker::clear() {
    std::uint64_t count = 0;
    [[maybe_unused]] const ssize_t got = read(fd_.get(), &count, sizeof count);
}

}  // namespace tidemark
