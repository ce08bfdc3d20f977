#include "source/small_reads.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cerrno>
#include <random>

#include "base/file.h"
#include "testing/mariadb_server.h"

namespace tidemark::source {
namespace {

/// The preloaded pread, called by hand on a file of `kSize` bytes.
class SmallReadsTest : public ::testing::Test {
protected:
    static constexpr std::size_t kSize = (5 << 20) / 2 + 7;  // some parts and a bit

    SmallReadsTest() {
        std::string content(kSize, '\0');
        std::minstd_rand random(1);
        for (char& c : content)
            c = static_cast<char>(random());
        content_ = content;
        replaceFile(place_.path() / "file", content);
        replaceFile(place_.path() / "library.so", textOf(smallReadsLibrary()), 0500);
        library_ = dlopen((place_.path() / "library.so").c_str(), RTLD_NOW | RTLD_LOCAL);
        file_ = openFile(place_.path() / "file", O_RDONLY);
    }
    ~SmallReadsTest() override {
        if (library_ != nullptr) dlclose(library_);
    }
    ssize_t read(const char* name, int fd, std::string& into, off_t offset) {
        using Read = ssize_t (*)(int, void*, std::size_t, off_t);
        const auto function = reinterpret_cast<Read>(dlsym(library_, name));
        return function(fd, into.data(), into.size(), offset);
    }

    testing::TemporaryDirectory place_;
    std::string content_;
    void* library_ = nullptr;
    Fd file_;
};

TEST_F(SmallReadsTest, ReadsWhatPreadReads) {
    ASSERT_NE(library_, nullptr) << dlerror();
    for (const char* name : {"pread", "pread64"}) {
        for (const std::size_t size : {std::size_t{0}, std::size_t{1}, std::size_t{512 << 10}, std::size_t{2 << 20}}) {
            std::string into(size, '?');
            EXPECT_EQ(read(name, file_.get(), into, 3), static_cast<ssize_t>(size));
            EXPECT_TRUE(into == content_.substr(3, size)) << size;
        }
    }
}

TEST_F(SmallReadsTest, EndsAtTheEndAndTellsErrors) {
    ASSERT_NE(library_, nullptr) << dlerror();
    std::string into(10 << 20, '?');
    EXPECT_EQ(read("pread", file_.get(), into, 1 << 20), static_cast<ssize_t>(kSize - (1 << 20)));
    EXPECT_TRUE(into.substr(0, kSize - (1 << 20)) == content_.substr(1 << 20));
    EXPECT_EQ(read("pread", file_.get(), into, kSize), 0);
    EXPECT_EQ(read("pread", -1, into, 0), -1);
    EXPECT_EQ(errno, EBADF);
}

}  // namespace
}  // namespace tidemark::source
