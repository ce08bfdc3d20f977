#include "base/available_memory.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <fstream>

namespace tidemark {
namespace {

namespace fs = std::filesystem;

class AvailableMemoryTest : public ::testing::Test {
protected:
    AvailableMemoryTest() {
        std::string name = fs::temp_directory_path() / "tidemark-memory-XXXXXX";
        root_ = ::mkdtemp(name.data());
        put("proc/meminfo", "MemTotal:  4000000 kB\nMemFree: 1 kB\nMemAvailable:    1000000 kB\n");
    }
    ~AvailableMemoryTest() override { fs::remove_all(root_); }

    void put(const fs::path& name, const std::string& text) const {
        fs::create_directories((root_ / name).parent_path());
        std::ofstream(root_ / name) << text;
    }
    std::uint64_t available() const { return availableMemory(root_ / "proc", root_ / "cgroup"); }

    fs::path root_;
};

TEST_F(AvailableMemoryTest, IsWhatTheKernelSaysWhereNoGroupBoundsIt) {
    EXPECT_EQ(available(), 1'024'000'000U);
    put("proc/self/cgroup", "0::/a\n");
    put("cgroup/a/memory.max", "max\n");
    put("cgroup/a/memory.current", "5\n");
    EXPECT_EQ(available(), 1'024'000'000U);
    EXPECT_GT(availableMemory(), 1 << 20) << "this machine";
}

TEST_F(AvailableMemoryTest, IsWhatTheTightestGroupLeaves) {
    put("proc/self/cgroup", "0::/a/b\n");
    put("cgroup/a/memory.max", "1000\n");
    put("cgroup/a/memory.current", "900\n");
    put("cgroup/a/memory.stat", "anon 5\nactive_file 7\ninactive_file 300\n");
    put("cgroup/a/b/memory.max", "800\n");
    put("cgroup/a/b/memory.current", "100\n");
    EXPECT_EQ(available(), 400U) << "files in the cache that nobody uses are given up first";
    put("cgroup/a/b/memory.current", "790\n");
    EXPECT_EQ(available(), 10U);
    put("cgroup/a/b/memory.current", "9999\n");
    EXPECT_EQ(available(), 0U);
}

TEST_F(AvailableMemoryTest, KnowsGroupsOfVersion1) {
    put("proc/self/cgroup", "5:cpu,cpuacct:/x\n4:hugetlb,memory:/api/1\n0::/\n");
    put("cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n");
    put("cgroup/memory/memory.usage_in_bytes", "77\n");
    put("cgroup/memory/api/1/memory.limit_in_bytes", "5000\n");
    put("cgroup/memory/api/1/memory.usage_in_bytes", "3000\n");
    put("cgroup/memory/api/1/memory.stat", "inactive_file 9\ntotal_inactive_file 1000\n");
    EXPECT_EQ(available(), 3000U);
}

TEST_F(AvailableMemoryTest, IsNothingWhereItCannotBeKnown) {
    put("proc/meminfo", "MemTotal: 5 kB\n");
    EXPECT_EQ(available(), 0U);
    fs::remove_all(root_ / "proc");
    EXPECT_EQ(available(), 0U);
}

}  // namespace
}  // namespace tidemark
