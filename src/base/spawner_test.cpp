#include "base/spawner.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <latch>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "base/process.h"

namespace tidemark {
namespace {

std::pair<Fd, Fd> pipeEnds() {
    int ends[2];
    EXPECT_EQ(pipe2(ends, O_CLOEXEC), 0);
    return {Fd(ends[0]), Fd(ends[1])};
}

/// What a process that was made with forkApart() writes to the pipe that it is given.
int answerOf(const std::function<int(std::span<const int>)>& child) {
    auto [read_end, write_end] = pipeEnds();
    const int passed[] = {write_end.get()};
    const pid_t pid = forkApart(passed, [&](std::span<const int> fds) {
        const int answer = child(fds);
        _exit(write(fds[0], &answer, sizeof answer) == sizeof answer ? 0 : 1);
    });
    int answer = -1;
    EXPECT_EQ(read(read_end.get(), &answer, sizeof answer), static_cast<ssize_t>(sizeof answer));
    int status = 0;
    EXPECT_EQ(waitpid(pid, &status, 0), pid);
    EXPECT_EQ(status, 0);
    return answer;
}

bool isOpen(int fd) {
    return fcntl(fd, F_GETFD) >= 0;
}

TEST(Spawner, MakesProcessesInWhichNothingOfOursIsOpen) {
    startSpawner();
    constexpr int kFar = 200;
    const Fd near = openFile("/dev/null", O_RDONLY);
    const Fd far(fcntl(near.get(), F_DUPFD_CLOEXEC, kFar));
    ASSERT_TRUE(isOpen(far.get()));
    // Before exec(), which would close them, and wait for the file systems that they are of.
    EXPECT_EQ(answerOf([](std::span<const int> fds) {
                  int open = 0;
                  for (int fd = 0; fd < 1024; ++fd)
                      open += isOpen(fd) ? 1 : 0;
                  return open - static_cast<int>(fds.size());
              }),
              4)
        << "0, 1, 2 and the spawner's socket";
}

TEST(Spawner, KeepsNothingOfWhatItPassedOn) {
    auto [read_end, write_end] = pipeEnds();
    const int passed[] = {write_end.get()};
    const pid_t pid = forkApart(passed, [](std::span<const int>) { _exit(0); });
    ASSERT_EQ(waitpid(pid, nullptr, 0), pid);
    answerOf([](std::span<const int>) { return 0; });  // until the spawner has closed what the one before was given
    write_end = Fd();
    fcntl(read_end.get(), F_SETFL, O_NONBLOCK);
    char byte = 0;
    EXPECT_EQ(read(read_end.get(), &byte, 1), 0) << "the pipe's end";
}

/// What a shell that was started as a child says its process id is, and what we think it is.
std::pair<std::string, std::string> saidAndBelieved() {
    const Child child({.arguments = {"sh", "-c", "echo $$"}, .stdout_is_read = true});
    char said[32] = "";
    EXPECT_GT(read(child.output(), said, sizeof said - 1), 0);
    return {said, std::to_string(child.pid()) + "\n"};
}

TEST(Spawner, TellsEachItsOwnWhenManyAreStartedAtOnce) {
    constexpr int kThreads = 50;
    std::latch together(kThreads);
    std::array<std::pair<std::string, std::string>, kThreads> pids;
    std::vector<std::thread> threads;
    for (int i = 0; i < kThreads; ++i) {
        threads.emplace_back([&, i] {
            together.arrive_and_wait();
            pids[i] = saidAndBelieved();
        });
    }
    for (auto& thread : threads)
        thread.join();
    for (const auto& [said, believed] : pids)
        EXPECT_EQ(said, believed);
}

TEST(Spawner, StartsProgramsWithoutItsBlockedSignals) {
    EXPECT_EQ(runProgram({.arguments = {"sh", "-c", "grep SigBlk /proc/self/status"}}), "SigBlk:\t0000000000000000\n");
}

TEST(Spawner, LeavesTheSignalsOfTheProcessToOthers) {
    startSpawner();
    sigset_t one, before;
    sigemptyset(&one);
    sigaddset(&one, SIGUSR1);
    ASSERT_EQ(pthread_sigmask(SIG_BLOCK, &one, &before), 0);
    // A thread that did not block it would be the end of this process.
    ASSERT_EQ(kill(getpid(), SIGUSR1), 0);
    int taken = 0;
    EXPECT_EQ(sigwait(&one, &taken), 0);
    EXPECT_EQ(taken, SIGUSR1);
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

TEST(Spawner, AChildOutlivesTheThreadThatStartedIt) {
    std::unique_ptr<Child> child;
    std::string thread;
    std::thread([&] {
        thread = "/proc/self/task/" + std::to_string(gettid());
        child = std::make_unique<Child>(Command{.arguments = {"sleep", "1000"}});
    }).join();
    while (access(thread.c_str(), F_OK) == 0) {  // join() returns a moment before the kernel is done with it
    }
    child->kill(SIGTERM);
    EXPECT_EQ(child->wait().signal, SIGTERM);
}

TEST(Spawner, AChildDiesWithTheProcessThatStartedIt) {
    auto [read_end, write_end] = pipeEnds();
    const pid_t daemon = fork();
    if (daemon == 0) {
        // It has no spawner of its own yet: threads stay with the parent.
        const Child child({.arguments = {"sleep", "1000"}});
        const pid_t pid = child.pid();
        if (write(write_end.get(), &pid, sizeof pid) != sizeof pid) _exit(1);
        ::kill(getpid(), SIGKILL);
    }
    pid_t pid = -1;
    ASSERT_EQ(read(read_end.get(), &pid, sizeof pid), static_cast<ssize_t>(sizeof pid));
    const auto child = ProcessHandle::open(pid);
    int status = 0;
    ASSERT_EQ(waitpid(daemon, &status, 0), daemon);
    EXPECT_EQ(WTERMSIG(status), SIGKILL);
    EXPECT_TRUE(!child || child->ended(std::chrono::seconds(30)));
}

TEST(Spawner, ADetachedProgramOutlivesTheProcessThatStartedIt) {
    auto [read_end, write_end] = pipeEnds();
    const pid_t daemon = fork();
    if (daemon == 0) {
        const pid_t pid = startDetached({.arguments = {"sleep", "1000"}});
        _exit(write(write_end.get(), &pid, sizeof pid) == sizeof pid ? 0 : 1);
    }
    pid_t pid = -1;
    ASSERT_EQ(read(read_end.get(), &pid, sizeof pid), static_cast<ssize_t>(sizeof pid));
    ASSERT_EQ(waitpid(daemon, nullptr, 0), daemon);
    const auto program = ProcessHandle::open(pid);
    ASSERT_TRUE(program);
    EXPECT_FALSE(program->ended());
    EXPECT_NE(getpgid(pid), getpgid(0));  // the signals of a terminal do not reach it
    program->kill(SIGKILL);
    EXPECT_TRUE(program->ended(std::chrono::seconds(30)));
}

}  // namespace
}  // namespace tidemark
