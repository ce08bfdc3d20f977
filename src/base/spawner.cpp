#include "base/spawner.h"

#include <fcntl.h>
#include <linux/close_range.h>
#include <pthread.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <string>
#include <thread>

#include "base/error.h"
#include "base/file.h"
#include "base/mutex.h"

namespace tidemark {
namespace {

constexpr std::size_t kMostFds = 8;

/// Points into the memory of who asks, who waits for the answer.
struct ForkRequest {
    const std::function<void(std::span<const int>)>* child = nullptr;
};

struct ForkAnswer {
    pid_t pid = -1;
    int error = 0;
};

/// A message on a SOCK_SEQPACKET socket: a request's bytes, and file descriptors.
struct Message {
    explicit Message(ForkRequest& request) : bytes{&request, sizeof request} {
        header.msg_iov = &bytes;
        header.msg_iovlen = 1;
        header.msg_control = control.data();
        header.msg_controllen = control.size();
    }

    iovec bytes;
    alignas(cmsghdr) std::array<char, CMSG_SPACE(kMostFds * sizeof(int))> control{};
    msghdr header{};
};

bool sendRequest(int socket, ForkRequest request, std::span<const int> fds) {
    Message message(request);
    message.header.msg_controllen = CMSG_SPACE(fds.size_bytes());
    cmsghdr* rights = CMSG_FIRSTHDR(&message.header);
    rights->cmsg_level = SOL_SOCKET;
    rights->cmsg_type = SCM_RIGHTS;
    rights->cmsg_len = CMSG_LEN(fds.size_bytes());
    std::memcpy(CMSG_DATA(rights), fds.data(), fds.size_bytes());
    ssize_t sent = 0;
    do {
        sent = sendmsg(socket, &message.header, MSG_NOSIGNAL);
    } while (sent < 0 && errno == EINTR);
    return sent == sizeof request;
}

/// The spawner's own calls go to the kernel directly: ThreadSanitizer knows one table of open files per process, and
/// would take a number in this thread's for the same number in the others'.
struct Received {
    ForkRequest request;
    std::array<int, kMostFds> numbers{};
    std::size_t count = 0;
    bool whole = false;

    std::span<const int> fds() const { return {numbers.data(), count}; }
};

Received receiveRequest(int socket) {
    Received received;
    Message message(received.request);
    long got = 0;
    do {
        got = syscall(SYS_recvmsg, socket, &message.header, MSG_CMSG_CLOEXEC);
    } while (got < 0 && errno == EINTR);
    if (const cmsghdr* rights = CMSG_FIRSTHDR(&message.header)) {
        received.count = (rights->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        std::memcpy(received.numbers.data(), CMSG_DATA(rights), received.count * sizeof(int));
    }
    received.whole = got == sizeof received.request && (message.header.msg_flags & MSG_CTRUNC) == 0;
    return received;
}

ForkAnswer answer(const Received& received) {
    if (!received.whole) return {.error = EMFILE};  // the table is full: what was sent with it was cut off
    const pid_t pid = fork();
    if (pid == 0) {
        (*received.request.child)(received.fds());
        _exit(127);
    }
    return {.pid = pid, .error = pid < 0 ? errno : 0};
}

/// Leaves this thread a table of its own with 0, 1, 2 and `socket`. What is above is not even copied.
int leaveSharedTable(int socket) {
    const auto above = static_cast<unsigned>(socket) + 1;
    if (syscall(SYS_close_range, above, ~0U, CLOSE_RANGE_UNSHARE) != 0) return errno;
    if (socket > 3 && syscall(SYS_close_range, 3, socket - 1, 0) != 0) return errno;
    return 0;
}

void serve(int socket) {
    pthread_setname_np(pthread_self(), "spawner");
    const auto tell = [&](ForkAnswer told) { return syscall(SYS_write, socket, &told, sizeof told) == sizeof told; };
    const int error = leaveSharedTable(socket);
    bool going_on = tell({.error = error}) && error == 0;
    while (going_on) {
        const Received received = receiveRequest(socket);
        going_on = tell(answer(received));
        for (const int fd : received.fds())
            syscall(SYS_close, fd);
    }
}

/// A number below 3 would be taken for a standard stream.
Fd aboveStandardStreams(int fd) {
    const Fd low(fd);
    Fd moved(fcntl(fd, F_DUPFD_CLOEXEC, 3));
    if (!moved.valid()) throwErrno(errno, "making a pair of sockets");
    return moved;
}

class Spawner {
public:
    Spawner() : process_(getpid()) {
        int ends[2];
        if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) {
            throwErrno(errno, "making a pair of sockets");
        }
        Fd theirs = aboveStandardStreams(ends[1]);
        ours_ = aboveStandardStreams(ends[0]);
        startThread(theirs.get());
        // What others open from now on is not in its table.
        if (const int error = receiveAnswer().error) {
            throw Error(ErrorCode::Unavailable,
                        std::string("giving a thread its own table of open files: ") + strerror(error),
                        "Linux 5.9 or newer is needed, and a container must allow close_range(2)");
        }
    }

    /// After fork() the thread is the parent's.
    bool ofThisProcess() const { return process_ == getpid(); }

    pid_t forkFor(std::span<const int> fds, const std::function<void(std::span<const int>)>& child) {
        const MutexLock lock(mutex_);
        if (!sendRequest(ours_.get(), {.child = &child}, fds)) throwErrno(errno, "asking for a new process");
        const ForkAnswer made = receiveAnswer();
        if (made.error != 0) throwErrno(made.error, "forking");
        return made.pid;
    }

private:
    /// With all signals blocked: they are for other threads.
    static void startThread(int socket) {
        sigset_t all, before;
        sigfillset(&all);
        pthread_sigmask(SIG_SETMASK, &all, &before);
        std::thread(serve, socket).detach();
        pthread_sigmask(SIG_SETMASK, &before, nullptr);
    }

    ForkAnswer receiveAnswer() const {
        ForkAnswer made;
        ssize_t got = 0;
        do {
            got = read(ours_.get(), &made, sizeof made);
        } while (got < 0 && errno == EINTR);
        return got == sizeof made ? made : ForkAnswer{.error = EPIPE};
    }

    const pid_t process_;
    Fd ours_;
    Mutex mutex_;  // held from a request to its answer
};

/// Lives as long as the process: what it has started dies with its thread.
Spawner& spawner() {
    static Mutex mutex;
    static Spawner* current = nullptr;  // guarded by mutex
    const MutexLock lock(mutex);
    if (current == nullptr || !current->ofThisProcess()) current = new Spawner;
    return *current;
}

}  // namespace

void startSpawner() {
    spawner();
}

pid_t forkApart(std::span<const int> fds, const std::function<void(std::span<const int>)>& child) {
    if (fds.size() > kMostFds) throw Error(ErrorCode::Internal, "a new process is given too many open files");
    return spawner().forkFor(fds, child);
}

}  // namespace tidemark
