#include "base/process.h"

#include <gtest/gtest.h>
#include <linux/magic.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/error.h"

namespace tidemark {
namespace {

namespace fs = std::filesystem;

/// TMPDIR of this process is an empty directory.
class Process : public ::testing::Test {
protected:
    void SetUp() override {
        std::string pattern = (fs::temp_directory_path() / "tidemark-process-XXXXXX").string();
        ASSERT_NE(mkdtemp(pattern.data()), nullptr);
        place_ = pattern;
        if (const char* before = getenv("TMPDIR")) before_ = before;
        setenv("TMPDIR", place_.c_str(), 1);
    }
    void TearDown() override {
        before_ ? setenv("TMPDIR", before_->c_str(), 1) : unsetenv("TMPDIR");
        fs::remove_all(place_);
    }

    fs::path place_;
    std::optional<std::string> before_;
};

std::string failureOf(const Command& command) {
    try {
        runProgram(command);
    } catch (const Error& error) {
        return error.what();
    }
    return "no failure";
}

TEST_F(Process, SaysTheLastLineOfStderrOfAProgramThatFails) {
    EXPECT_EQ(failureOf({.arguments = {"sh", "-c", "echo first >&2; echo last >&2; exit 3"}}),
              "sh ended with exit code 3: last");
    EXPECT_EQ(failureOf({.arguments = {"sh", "-c", "exit 3"}}), "sh ended with exit code 3");
    EXPECT_EQ(runProgram({.arguments = {"sh", "-c", "echo out; echo err >&2"}}), "out\n");
}

TEST_F(Process, TakesNoNameInTheTemporaryDirectoryThatSomebodyCouldHavePutThereBefore) {
    EXPECT_EQ(runProgram({.arguments = {"sh", "-c", "ls -A \"$TMPDIR\""}}), "");
}

TEST_F(Process, HandsOnNothingElseThatIsOpen) {
    int ends[2];
    ASSERT_EQ(pipe(ends), 0);  // without CLOEXEC, as libraries open theirs
    const std::string script = "[ -e /proc/self/fd/" + std::to_string(ends[1]) + " ] && echo open || echo closed";
    EXPECT_EQ(runProgram({.arguments = {"sh", "-c", script}}), "closed\n");
    close(ends[0]);
    close(ends[1]);
}

TEST_F(Process, HandsItsInputOverWithoutAFileAsOftenAsItIsOpened) {
    const std::string script = "cat /dev/stdin /dev/stdin; stat -L -c ' %a' /dev/stdin; ls -A \"$TMPDIR\"";
    EXPECT_EQ(runProgram({.arguments = {"sh", "-c", script}, .input = "secret"}), "secretsecret 600\n");
    EXPECT_EQ(runProgram({.arguments = {"cat"}}), "");
}

std::string autogroup(const std::string& process) {
    return readFile("/proc/" + process + "/autogroup").value_or("");
}

TEST_F(Process, WhatOutlivesUsCompetesForTheProcessorsAsOurThreadsDoAndGetsNoSignalOfOurTerminal) {
    const pid_t pid = startDetached({.arguments = {"sleep", "60"}});
    EXPECT_EQ(autogroup(std::to_string(pid)), autogroup("self"));
    EXPECT_NE(getpgid(pid), getpgrp());
    ProcessHandle::open(pid)->kill(SIGKILL);
}

TEST_F(Process, TellsHowMuchWasWritten) {
    struct statfs disk {};
    ASSERT_EQ(::statfs(place_.c_str(), &disk), 0);
    if (disk.f_type == TMPFS_MAGIC) GTEST_SKIP() << "files in memory are never dirty";
    const std::string write = "dd if=/dev/zero of=" + (place_ / "f").string() + " bs=64k count=32 2>/dev/null";
    Child child({.arguments = {"sh", "-c", write}});
    EXPECT_GE(child.wait().written_bytes, 2U << 20);
    Child running({.arguments = {"sh", "-c", write + "; echo done; sleep 100"}, .stdout_is_read = true});
    char line = 0;
    ASSERT_EQ(::read(running.output(), &line, 1), 1);
    EXPECT_GE(running.writtenBytes(), 2U << 20);
    running.kill(SIGKILL);
    EXPECT_GE(running.wait().written_bytes, 2U << 20);
    EXPECT_EQ(Child({.arguments = {"true"}}).wait().written_bytes, 0U);
}

TEST_F(Process, LetsOthersGoFirstWhereThatIsAskedFor) {
    Command command{.arguments = {"sh", "-c", "nice; ionice"}};
    const int own = getpriority(PRIO_PROCESS, 0);
    EXPECT_TRUE(runProgram(command).starts_with(std::to_string(own) + "\n"));
    command.priority = Priority::Background;
    EXPECT_EQ(runProgram(command), std::to_string(std::min(own + 5, 19)) + "\nbest-effort: prio 7\n");
}

}  // namespace
}  // namespace tidemark
