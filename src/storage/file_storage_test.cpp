#include "storage/file_storage.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <limits.h>
#include <linux/magic.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <thread>

#include "base/error.h"
#include "storage/file_writer.h"
#include "testing/mariadb_server.h"

namespace tidemark::storage {
namespace {

namespace fs = std::filesystem;

std::size_t filesIn(const fs::path& directory) {
    std::size_t count = 0;
    for (const auto& entry : fs::recursive_directory_iterator(directory))
        count += entry.is_regular_file() ? 1 : 0;
    return count;
}

/// Bytes of a file that the page cache holds.
std::size_t cachedBytes(const fs::path& path) {
    const std::size_t size = fs::file_size(path);
    const std::size_t page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
    const Fd fd = openFile(path, O_RDONLY);
    void* const mapped = mmap(nullptr, size, PROT_READ, MAP_SHARED, fd.get(), 0);
    std::vector<unsigned char> resident((size + page - 1) / page);
    EXPECT_EQ(mincore(mapped, size, resident.data()), 0);
    munmap(mapped, size);
    return page * static_cast<std::size_t>(
                      std::count_if(resident.begin(), resident.end(), [](unsigned char one) { return one & 1; }));
}

class FileStorageTest : public ::testing::Test {
protected:
    testing::TemporaryDirectory directory_;
    fs::path root_ = directory_.path() / "root";
    FileStorage storage_{root_};

    void SetUp() override { fs::create_directory(root_); }
};

TEST_F(FileStorageTest, HidesContentFromOtherUsers) {
    storage_.put("d/a", viewOf("secret rows"));
    EXPECT_EQ(fs::status(root_ / "d/a").permissions(), fs::perms::owner_read | fs::perms::owner_write);
    EXPECT_EQ(fs::status(root_ / "d").permissions(), fs::perms::owner_all);
}

TEST_F(FileStorageTest, TakesDirectoriesAwayWithTheirLastObject) {
    storage_.put("d/e/a", viewOf("x"));
    storage_.put("d/b", viewOf("x"));
    storage_.remove("d/e/a");
    EXPECT_FALSE(fs::exists(root_ / "d/e"));
    storage_.remove("d/b");
    EXPECT_TRUE(fs::is_empty(root_));
}

TEST_F(FileStorageTest, StoresAnObjectThatAnotherRemovesAsSoonAsItIsThere) {
    std::jthread other([&](std::stop_token stop) {
        while (!stop.stop_requested()) {  // as remove() does, without waiting for the disk
            if (::unlink((root_ / "d/a").c_str()) == 0) ::rmdir((root_ / "d").c_str());
        }
    });
    for (int i = 0; i < 1000; ++i) {
        try {
            storage_.put("d/a", viewOf("x"));
        } catch (const Error& error) {
            ASSERT_EQ(error.code(), ErrorCode::AlreadyExists) << i << ": " << error.what();
        }
    }
}

TEST_F(FileStorageTest, ReportsAMissingRootInsteadOfMissingObjects) {
    fs::remove(root_);
    const auto code = [](auto work) {
        try {
            work();
        } catch (const Error& error) {
            EXPECT_FALSE(error.hint().empty());
            return error.code();
        }
        return ErrorCode::Internal;
    };
    EXPECT_EQ(code([&] { storage_.put("a", viewOf("x")); }), ErrorCode::Unavailable);
    EXPECT_EQ(code([&] { storage_.stat("d/a"); }), ErrorCode::Unavailable);
    EXPECT_EQ(code([&] { storage_.get("a", 0, 1); }), ErrorCode::Unavailable);
    EXPECT_EQ(code([&] { storage_.list("d/"); }), ErrorCode::Unavailable);
    EXPECT_EQ(code([&] { storage_.any(""); }), ErrorCode::Unavailable);
    EXPECT_EQ(code([&] { storage_.remove("a"); }), ErrorCode::Unavailable);
    EXPECT_FALSE(fs::exists(root_));
}

/// As when its file system is unmounted meanwhile.
TEST_F(FileStorageTest, SaysThatTheRootIsAwayToWhoeverIsWriting) {
    const fs::path away = directory_.path() / "away";
    const auto expectAway = [&](const auto& work) {
        try {
            work();
            ADD_FAILURE() << "it was written";
        } catch (const Error& error) {
            EXPECT_EQ(error.code(), ErrorCode::Unavailable) << error.what();
            EXPECT_NE(error.hint().find("mounted"), std::string::npos) << error.hint();
        }
    };
    const auto whole = storage_.create("d/whole");
    whole->append(viewOf("x"));
    auto broken_off = storage_.create("d/broken off");
    fs::rename(root_, away);
    expectAway([&] { broken_off->finish(); });
    broken_off.reset();
    expectAway([&] { FileWriter(root_, root_ / "d/begun", storage_.url() + "/d/begun"); });
    EXPECT_FALSE(fs::exists(root_)) << "what is away is not made";
    fs::rename(away, root_);
    whole->finish();
    EXPECT_EQ(storage_.list("").size(), 1U);
    EXPECT_EQ(storage_.removeUnfinished(""), 1U) << "of the one that ended while the root was away";

    // It was away for so short that the root is there again when it is asked for.
    const auto late = storage_.create("d/late");
    fs::rename(root_ / "d", away);
    expectAway([&] { late->finish(); });
}

/// A name that the system refuses to look at, as a broken disk or network would: not the same as one that is gone.
TEST_F(FileStorageTest, DoesNotPassOverWhatItCannotLookAt) {
    fs::path deep = root_;
    while (deep.native().size() < PATH_MAX - 220)
        deep /= std::string(std::min<std::size_t>(100, PATH_MAX - 110 - deep.native().size()), 'd');
    fs::create_directories(deep);
    FileStorage storage(deep);
    storage.put("a", viewOf("x"));
    EXPECT_EQ(storage.list("").size(), 1U);
    const Fd directory = openFile(deep, O_RDONLY | O_DIRECTORY);
    const std::string too_long(250, 'z');
    const Fd created(::openat(directory.get(), too_long.c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
    ASSERT_TRUE(created.valid());
    EXPECT_THROW(storage.list(""), Error);
    EXPECT_THROW(storage.any("b"), Error);
    ASSERT_EQ(::unlinkat(directory.get(), too_long.c_str(), 0), 0);
    EXPECT_EQ(storage.list("").size(), 1U);
}

TEST_F(FileStorageTest, RemovesWhatAKilledWriterLeftAndNothingElse) {
    storage_.put("d/kept", viewOf("x"));
    int ready[2];
    ASSERT_EQ(pipe(ready), 0);
    const pid_t child = fork();
    if (child == 0) {
        const auto writer = storage_.create("d/half");
        writer->append(Bytes(4 << 20));
        (void)!write(ready[1], "x", 1);
        pause();
        _exit(0);
    }
    char byte = 0;
    ASSERT_EQ(read(ready[0], &byte, 1), 1);
    EXPECT_EQ(filesIn(root_), 2U);
    EXPECT_EQ(storage_.removeUnfinished(""), 0U) << "its writer still runs";

    kill(child, SIGKILL);
    waitpid(child, nullptr, 0);
    const auto alive = storage_.create("d/alive");
    EXPECT_EQ(storage_.removeUnfinished("d/"), 1U);
    alive->append(viewOf("y"));
    alive->finish();
    EXPECT_EQ(storage_.list("").size(), 2U);
    EXPECT_EQ(filesIn(root_), 2U);
    close(ready[0]);
    close(ready[1]);
}

TEST_F(FileStorageTest, KeepsWritersRunningWhileACleanerWorks) {
    std::jthread cleaner([&](const std::stop_token& stop) {
        while (!stop.stop_requested())
            storage_.removeUnfinished("");
    });
    for (int i = 0; i < 300; ++i)
        storage_.put("d/" + std::to_string(i), viewOf("x"));
    cleaner.request_stop();
    cleaner.join();
    EXPECT_EQ(storage_.list("d/").size(), 300U);
}

/// A file system of a few MiB of its own, which only root can mount.
class SmallDisk {
public:
    explicit SmallDisk(const fs::path& at, const char* options = "size=8m") : at_(at) {
        fs::create_directories(at_);
        mounted_ = mount("tmpfs", at_.c_str(), "tmpfs", 0, options) == 0;
    }
    ~SmallDisk() {
        if (mounted_) umount(at_.c_str());
    }
    bool mounted() const { return mounted_; }

private:
    fs::path at_;
    bool mounted_ = false;
};

TEST_F(FileStorageTest, ReportsAFullDiskAndFreesWhatItTook) {
    const SmallDisk disk(root_);
    if (!disk.mounted()) {
        ASSERT_NE(geteuid(), 0U) << "mounting failed";
        GTEST_SKIP() << "mounting needs root; FaultyStorage covers a full disk elsewhere";
    }
    {
        const auto writer = storage_.create("d/large");
        try {
            for (int i = 0; i < 20; ++i)
                writer->append(Bytes(1 << 20, 1));
            ADD_FAILURE() << "20 MiB fitted into 8 MiB";
        } catch (const Error& error) {
            EXPECT_EQ(error.code(), ErrorCode::NoSpace);
            EXPECT_NE(std::string(error.what()).find(storage_.url() + "/d/large"), std::string::npos) << error.what();
        }
    }
    EXPECT_TRUE(storage_.list("").empty());
    EXPECT_EQ(filesIn(root_), 0U);
    storage_.put("d/small", Bytes(6 << 20));
}

TEST_F(FileStorageTest, ReportsAReadOnlyFileSystemAsDenied) {
    const SmallDisk disk(root_, "size=1m,ro");
    if (!disk.mounted()) {
        ASSERT_NE(geteuid(), 0U) << "mounting failed";
        GTEST_SKIP() << "mounting needs root";
    }
    try {
        storage_.put("a", viewOf("x"));
        ADD_FAILURE();
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), ErrorCode::Denied) << error.what();
    }
}

TEST_F(FileStorageTest, LeavesThePageCacheToOthers) {
    struct statfs info {};
    ASSERT_EQ(statfs(root_.c_str(), &info), 0);
    if (info.f_type == TMPFS_MAGIC) GTEST_SKIP() << "files in memory cannot leave it";
    constexpr std::size_t kMiB = 1 << 20;
    const Bytes part(kMiB, 0x5a);
    const auto write = [&](const std::string& name, int parts) {
        const auto writer = storage_.create(name);
        for (int i = 0; i < parts; ++i)
            writer->append(part);
        writer->finish();
    };
    write("large", 96);
    write("small", 8);
    EXPECT_LT(cachedBytes(root_ / "large"), 8 * kMiB);
    EXPECT_EQ(cachedBytes(root_ / "small"), 8 * kMiB);
}

TEST_F(FileStorageTest, FollowsNoLinkOutOfItsRoot) {
    const fs::path elsewhere = directory_.path() / "elsewhere";
    fs::create_directories(elsewhere / "deep");
    replaceFile(elsewhere / "precious", "p");
    fs::create_directory(root_ / "real");
    fs::create_symlink(elsewhere, root_ / "link");
    fs::create_symlink(elsewhere / "deep", root_ / "real" / "link");
    const auto refused = [](const auto& work) {
        try {
            work();
        } catch (const Error& error) {
            EXPECT_NE(std::string(error.what()).find("link"), std::string::npos) << error.what();
            return error.code() == ErrorCode::Corrupt;
        }
        return false;
    };
    EXPECT_TRUE(refused([&] { storage_.put("link/new", viewOf("x")); }));
    EXPECT_TRUE(refused([&] { storage_.put("real/link/new", viewOf("x")); }));
    EXPECT_TRUE(refused([&] { storage_.put("real/link/further/new", viewOf("x")); }));
    EXPECT_TRUE(refused([&] { storage_.remove("link/precious"); }));
    EXPECT_TRUE(refused([&] { storage_.getAll("link/precious"); }));
    EXPECT_EQ(filesIn(elsewhere), 1U);
    storage_.put("real/new", viewOf("x"));
    // The root itself may be reached by links: the administrator has chosen it.
    fs::create_symlink(root_, directory_.path() / "way");
    EXPECT_EQ(textOf(FileStorage(directory_.path() / "way").getAll("real/new")), "x");
}

TEST_F(FileStorageTest, PassesOverWhatIsNoObject) {
    fs::create_directory(root_ / "lost+found");
    std::ofstream(root_ / "lost+found" / "1") << "x";
    fs::create_symlink("/etc/passwd", root_ / "link");
    mkfifo((root_ / "pipe").c_str(), 0600);
    EXPECT_TRUE(storage_.list("").empty());
    EXPECT_FALSE(storage_.any(""));
    EXPECT_FALSE(storage_.stat("link"));
}

}  // namespace
}  // namespace tidemark::storage
