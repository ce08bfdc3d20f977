#include <arpa/inet.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_future.hpp>
#include <filesystem>
#include <future>
#include <map>
#include <mutex>
#include <set>

#include "base/error.h"
#include "net/listener.h"
#include "net/on_workers.h"
#include "net/stream.h"
#include "testing/mariadb_server.h"

namespace tidemark::net {
namespace {

/// Runs a coroutine on the loop's first thread and waits for its end.
template <typename T>
T runOn(EventLoop& loop, Awaitable<T> coroutine) {
    return asio::co_spawn(loop.context(0), std::move(coroutine), asio::use_future).get();
}

Fd connectTo(std::uint16_t port) {
    Fd fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (connect(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) throwErrno(errno, "connect");
    return fd;
}

sockaddr_un unixAddress(const std::filesystem::path& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.string().copy(address.sun_path, sizeof address.sun_path - 1);
    return address;
}

Fd listenUnix(const std::filesystem::path& path, int backlog) {
    Fd fd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const sockaddr_un address = unixAddress(path);
    if (bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
        listen(fd.get(), backlog) != 0) {
        throwErrno(errno, "listen");
    }
    return fd;
}

Awaitable<std::pair<std::thread::id, std::thread::id>> whereWorkRuns(Workers& workers) {
    auto work = [] { return std::this_thread::get_id(); };
    const auto there = co_await onWorkers(workers, "acme", std::move(work));
    co_return std::pair(there, std::this_thread::get_id());
}

Awaitable<std::thread::id> here() {
    co_return std::this_thread::get_id();
}

TEST(OnWorkers, RunsElsewhereAndComesBack) {
    EventLoop loop({.threads = 1});
    loop.start();
    const auto home = runOn(loop, here());
    const auto [there, back] = runOn(loop, whereWorkRuns(loop.workers()));
    EXPECT_NE(there, home);
    EXPECT_EQ(back, home);
}

Awaitable<std::string> failing(Workers& workers) {
    auto work = [] { throw Error(ErrorCode::Conflict, "not now", "later"); };
    try {
        co_await onWorkers(workers, "acme", std::move(work));
    } catch (const Error& error) {
        co_return std::string(error.what()) + ", " + error.hint();
    }
    co_return "no error";
}

TEST(OnWorkers, CarriesTheException) {
    EventLoop loop;
    loop.start();
    EXPECT_EQ(runOn(loop, failing(loop.workers())), "not now, later");
}

TEST(Listener, SpreadsConnectionsOverTheThreadsAndTellsWhoTheyAre) {
    EventLoop loop({.threads = 2});
    const auto listener = Listener::open(loop, listenOn("127.0.0.1", 0));
    std::mutex mutex;
    std::vector<std::pair<std::thread::id, Peer>> accepted;
    listener->start([&](const Socket&, const Peer& peer) {
        const std::lock_guard lock(mutex);
        accepted.emplace_back(std::this_thread::get_id(), peer);
    });
    loop.start();
    for (int i = 0; i < 10; ++i) {
        const Fd client = connectTo(listener->port());
        char end = 0;
        EXPECT_EQ(recv(client.get(), &end, 1, 0), 0) << "dropping the socket closes it";
    }
    std::map<std::thread::id, int> per_thread;
    const std::lock_guard lock(mutex);
    for (const auto& [thread, peer] : accepted) {
        ++per_thread[thread];
        EXPECT_EQ(peer.address, "127.0.0.1");
        EXPECT_EQ(peer.local_port, listener->port());
        EXPECT_TRUE(peer.loopback && !peer.v6);
    }
    ASSERT_EQ(per_thread.size(), 2U);
    EXPECT_EQ(per_thread.begin()->second, 5);
}

std::set<int> descriptors() {
    std::set<int> open;
    for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
        open.insert(std::stoi(entry.path().filename()));
    }
    return open;
}

TEST(Listener, RefusesAPortThatIsTaken) {
    EventLoop loop;
    const auto listener = Listener::open(loop, listenOn("127.0.0.1", 0));
    try {
        listenOn("127.0.0.1", listener->port());
        FAIL() << "no error";
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), ErrorCode::Conflict);
        EXPECT_NE(std::string(error.what()).find(std::to_string(listener->port())), std::string::npos);
    }
    EXPECT_THROW(listenOn("localhost", 0), Error) << "only numeric addresses";
}

TEST(Listener, LeavesNoDescriptorToPrograms) {
    const std::set<int> before = descriptors();
    EventLoop loop;
    const auto listener = Listener::open(loop, listenOn("127.0.0.1", 0));
    std::promise<Socket> promise;
    listener->start([&](Socket socket, const Peer&) { promise.set_value(std::move(socket)); });
    loop.start();
    const Fd client = connectTo(listener->port());
    Socket server_side = promise.get_future().get();
    int ours = 0;
    for (const int fd : descriptors()) {
        const int flags = fcntl(fd, F_GETFD);
        if (flags < 0 || before.contains(fd)) continue;  // the listing's own descriptor is gone again
        ++ours;
        EXPECT_NE(flags & FD_CLOEXEC, 0) << "descriptor " << fd << " is inherited";
    }
    EXPECT_GE(ours, 3) << "listener, client and accepted socket were not seen";
}

/// Below those that the kernel gives to outgoing connections, so that while nobody listens there, none of them takes
/// it.
std::uint16_t quietPort() {
    for (std::uint16_t port = 20000 + getpid() % 10000;; ++port) {
        try {
            listenOn("127.0.0.1", port);
            return port;
        } catch (const Error&) {
            if (port == 32000) throw;
        }
    }
}

TEST(Listener, ItsPortIsFreeAgainAtOnce) {
    const std::uint16_t port = quietPort();
    for (int i = 0; i < 3; ++i) {
        EventLoop loop;
        const auto listener = Listener::open(loop, listenOn("127.0.0.1", port));
        listener->start([](const Socket&, const Peer&) {});
        loop.start();
        const Fd client = connectTo(port);
        char end = 0;
        recv(client.get(), &end, 1, 0);
    }
}

/// Three bytes and how often the end was met, or the kind of error. Nothing is thrown across threads: ThreadSanitizer
/// cannot see how libstdc++ counts the references to an exception.
Awaitable<std::string> connectAndRead(std::string path, std::chrono::milliseconds limit) {
    std::optional<Stream> stream;
    try {
        stream.emplace("server", co_await connectUnix(path, limit));
    } catch (const Error& error) {
        co_return name(error.code());
    }
    co_await stream->need(3);
    std::string text(textOf(stream->buffered()));
    stream->consume(3);
    for (int i = 0; i < 2; ++i) {  // reading again after the end must not wait for more
        try {
            co_await stream->fill();
        } catch (const StreamClosed& closed) {
            text += closed.of(*stream) ? " closed" : " other";
        }
    }
    co_return text;
}

TEST(ConnectUnix, WaitsWhileTheQueueIsFull) {
    const testing::TemporaryDirectory directory;
    const auto path = directory.path() / "s";
    const Fd server = listenUnix(path, 0);
    // Fill the queue until the kernel says so.
    std::vector<Fd> waiting;
    const sockaddr_un address = unixAddress(path);
    for (;;) {
        Fd fd(socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
        if (connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) break;
        waiting.push_back(std::move(fd));
    }
    EventLoop loop;
    loop.start();
    EXPECT_EQ(runOn(loop, connectAndRead(path, std::chrono::milliseconds(30))), "unavailable");
    auto answer = asio::co_spawn(loop.context(0), connectAndRead(path, std::chrono::seconds(20)), asio::use_future);
    for (std::size_t i = 0; i < waiting.size(); ++i)
        Fd(accept(server.get(), nullptr, nullptr));
    const Fd accepted(accept(server.get(), nullptr, nullptr));
    EXPECT_EQ(send(accepted.get(), "abc", 3, 0), 3);
    shutdown(accepted.get(), SHUT_RDWR);
    EXPECT_EQ(answer.get(), "abc closed closed");
}

TEST(ConnectUnix, SaysThatNobodyListens) {
    const testing::TemporaryDirectory directory;
    EventLoop loop;
    loop.start();
    const auto outcome = [&](const std::filesystem::path& path) {
        return runOn(loop, connectAndRead(path, std::chrono::seconds(1)));
    };
    EXPECT_EQ(outcome(directory.path() / "none"), "not found");
    listenUnix(directory.path() / "left", 1);
    EXPECT_EQ(outcome(directory.path() / "left"), "unavailable");
    EXPECT_EQ(outcome(std::string(200, 'x')), "invalid request");
}

}  // namespace
}  // namespace tidemark::net
