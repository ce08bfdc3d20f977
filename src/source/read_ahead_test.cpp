#include "source/read_ahead.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <vector>

#include "base/file.h"
#include "testing/eventually.h"
#include "testing/mariadb_server.h"

namespace tidemark::source {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kSize = 256 << 10;
constexpr std::size_t kPages = kSize / 4096;

void make(const fs::path& path) {
    fs::create_directories(path.parent_path());
    const Bytes content(kSize, 7);
    const Fd file = openFile(path, O_RDWR | O_CREAT, 0600);
    writeAll(file.get(), content, path);
    ASSERT_EQ(::fsync(file.get()), 0);
    ASSERT_EQ(::posix_fadvise(file.get(), 0, 0, POSIX_FADV_DONTNEED), 0);
}

std::size_t cachedPages(const fs::path& path) {
    const Fd file = openFile(path, O_RDONLY);
    void* at = ::mmap(nullptr, kSize, PROT_READ, MAP_SHARED, file.get(), 0);
    EXPECT_NE(at, MAP_FAILED);
    std::vector<unsigned char> resident(kPages);
    EXPECT_EQ(::mincore(at, kSize, resident.data()), 0);
    ::munmap(at, kSize);
    return static_cast<std::size_t>(
        std::count_if(resident.begin(), resident.end(), [](auto page) { return page & 1; }));
}

TEST(ReadAhead, BringsBeginningsOfTablespacesAndDefinitionsIntoTheCache) {
    const testing::TemporaryDirectory directory;
    std::vector<fs::path> read;
    for (int i = 0; i < 30; ++i) {
        read.push_back(directory.path() / "d" / ("t" + std::to_string(i) + ".ibd"));
        read.push_back(directory.path() / "e" / ("t" + std::to_string(i) + ".frm"));
    }
    for (const fs::path& path : read)
        make(path);
    const fs::path other = directory.path() / "d" / "t.MYD";
    make(other);
    if (cachedPages(other) > 0) GTEST_SKIP() << "no file system there that gives pages up";
    {
        const ReadAhead ahead(directory.path());
        EXPECT_TRUE(testing::eventually([&] {
            return std::all_of(read.begin(), read.end(), [](const fs::path& path) { return cachedPages(path) >= 16; });
        }));
    }
    for (const fs::path& path : read)
        EXPECT_LT(cachedPages(path), kPages) << path;
    EXPECT_EQ(cachedPages(other), 0U);
}

TEST(ReadAhead, EndsWithADirectoryThatIsGone) {
    const ReadAhead ahead("/nowhere/at/all");
}

}  // namespace
}  // namespace tidemark::source
