#include "base/program.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>

#include "base/file.h"

namespace tidemark {
namespace {

namespace fs = std::filesystem;

TEST(Program, IsFoundInPathWithItsOwnTree) {
    const fs::path root = fs::canonical(::testing::TempDir()) / ("tidemark-program-" + std::to_string(getpid()));
    const fs::path sbin = root / "mariadb" / "sbin";
    fs::create_directories(sbin);
    replaceFile(sbin / "a-program", "");
    const std::string before = std::getenv("PATH");
    ASSERT_EQ(setenv("PATH", (sbin.string() + ":" + before).c_str(), 1), 0);
    EXPECT_EQ(findProgram("a-program"), "") << "it cannot be executed";
    fs::permissions(sbin / "a-program", fs::perms::owner_all);
    EXPECT_EQ(findProgram("a-program"), sbin / "a-program");
    EXPECT_EQ(treesOf("a-program").back(), sbin.parent_path());
    EXPECT_EQ(treesOf("a-program").front(), "/usr");
    fs::create_symlink(sbin / "a-program", sbin / "its-other-name");
    EXPECT_EQ(findProgram("its-other-name"), sbin / "a-program");
    ASSERT_EQ(setenv("PATH", before.c_str(), 1), 0);
    EXPECT_EQ(findProgram("a-program"), "");
    fs::remove_all(root);
}

}  // namespace
}  // namespace tidemark
