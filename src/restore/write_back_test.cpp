#include "restore/write_back.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <cstring>
#include <thread>

#include "base/error.h"
#include "restore/restored_files.h"
#include "testing/mariadb_server.h"

namespace tidemark::restore {
namespace {

namespace fs = std::filesystem;

/// Pages of a file that are in the page cache, and those that the disk does not have yet. nullopt on a kernel before
/// 6.5, which has no cachestat().
struct Cached {
    std::uint64_t pages = 0;
    std::uint64_t dirty = 0;  ///< or on their way
};
std::optional<Cached> cachedOf(const fs::path& path) {
    constexpr long kCachestat = 451;
    struct {
        std::uint64_t offset = 0, length = 0;
    } range;
    struct {
        std::uint64_t cache = 0, dirty = 0, writeback = 0, evicted = 0, recently_evicted = 0;
    } found;
    const Fd file = openFile(path, O_RDONLY);
    if (::syscall(kCachestat, file.get(), &range, &found, 0) != 0) return std::nullopt;
    return Cached{found.cache, found.dirty + found.writeback};
}

class WriteBackTest : public ::testing::Test {
protected:
    static constexpr std::size_t kPart = 256 << 10;
    static constexpr std::size_t kParts = 64;

    WriteBackTest() {
        fs::create_directories(data_ / "d");
        for (block::FileNumber number = 0; number < 2; ++number) {
            files_.push_back({number, "d/f" + std::to_string(number), kParts * kPart + 100});
            const Fd file = openFile(data_ / files_.back().path, O_WRONLY | O_CREAT, 0600);
            EXPECT_EQ(::ftruncate(file.get(), kParts * kPart + 100), 0);
        }
    }
    ~WriteBackTest() override { std::free(part_); }

    /// Both files, each part with its own bytes, and an odd end.
    void writeAll(const CacheUse& use) {
        RestoredFiles files(data_, files_, use);
        RestoredFiles::Writer writer(files);
        for (std::size_t i = 0; i < kParts; ++i) {
            for (block::FileNumber number = 0; number < 2; ++number) {
                std::memset(part_, static_cast<int>(2 * i + number), kPart);
                writer.write(number, {part_, kPart}, i * kPart);
            }
        }
        for (block::FileNumber number = 0; number < 2; ++number)
            writer.write(number, {part_, 100}, kParts * kPart);
        cached_ = files.cachedBytes();
    }
    void expectAllThere() const {
        for (block::FileNumber number = 0; number < 2; ++number) {
            const std::string content = readFile(data_ / files_[number].path).value();
            ASSERT_EQ(content.size(), kParts * kPart + 100);
            for (std::size_t i = 0; i < kParts; ++i)
                ASSERT_EQ(content.compare(i * kPart, kPart, std::string(kPart, static_cast<char>(2 * i + number))), 0);
        }
    }

    const testing::TemporaryDirectory directory_;
    const fs::path data_ = directory_.path() / "data";
    std::vector<block::StoredFile> files_;
    std::uint8_t* part_ = static_cast<std::uint8_t*>(std::aligned_alloc(4096, kPart));
    std::uint64_t cached_ = 0;
    std::atomic<std::uint64_t> unsynced_{0};
};

TEST_F(WriteBackTest, WhatADiskThatIsBusyDoesNotTakeGoesIntoTheCacheAndThenToTheDisk) {
    {
        WriteBack write_back(directory_.path(), unsynced_);
        writeAll({.direct_at_once = 0, .cache_bytes = UINT64_MAX, .write_back = &write_back});
        if (cached_ == 0) GTEST_SKIP() << "no file there can be written past the cache";
        EXPECT_EQ(cached_, 2 * kParts * kPart);
        const auto before = cachedOf(data_ / "d" / "f0");
        if (before) {
            EXPECT_GE(before->pages, kParts * kPart / 4096);
        }
        fs::rename(data_ / "d" / "f1", data_ / "d" / "renamed");  // as --prepare does
        write_back.finish({});
        for (const char* name : {"d/f0", "d/renamed"}) {
            if (const auto after = cachedOf(data_ / name)) {
                EXPECT_EQ(after->dirty, 0U) << name;
            }
        }
        fs::rename(data_ / "d" / "renamed", data_ / "d" / "f1");
    }
    expectAllThere();
}

TEST_F(WriteBackTest, NoMoreGoesIntoTheCacheThanIsAllowed) {
    WriteBack write_back(directory_.path(), unsynced_);
    writeAll({.direct_at_once = 0, .cache_bytes = 5 * kPart + 1, .write_back = &write_back});
    EXPECT_LE(cached_, 5 * kPart);
    write_back.finish({});
    expectAllThere();
}

TEST_F(WriteBackTest, RestoresSideBySideShareWhatIsAllowedUntilTheyAreDurable) {
    WriteBack other(directory_.path(), unsynced_);
    EXPECT_TRUE(other.take(3 * kPart, 8 * kPart));
    EXPECT_FALSE(other.take(6 * kPart, 8 * kPart));
    {
        WriteBack write_back(directory_.path(), unsynced_);
        writeAll({.direct_at_once = 0, .cache_bytes = 8 * kPart, .write_back = &write_back});
        if (cached_ == 0) GTEST_SKIP() << "no file there can be written past the cache";
        EXPECT_EQ(cached_, 5 * kPart);
        EXPECT_EQ(unsynced_, 8 * kPart);
        write_back.finish({});
        EXPECT_EQ(unsynced_, 3 * kPart);
    }
    EXPECT_EQ(unsynced_, 3 * kPart);
    { WriteBack(directory_.path(), unsynced_).take(kPart, 8 * kPart); }
    EXPECT_EQ(unsynced_, 3 * kPart) << "what is given up counts no longer";
}

TEST_F(WriteBackTest, SendsNothingDuringAPause) {
    WriteBack write_back(directory_.path(), unsynced_);
    {
        const WriteBack::Pause pause(write_back);
        writeAll({.direct_at_once = 0, .cache_bytes = UINT64_MAX, .write_back = &write_back});
        const auto found = cachedOf(data_ / "d" / "f0");
        if (cached_ == 0 || !found) GTEST_SKIP() << "no direct writes there, or no cachestat()";
        EXPECT_GE(found->dirty, kParts * kPart / 4096);
    }
    // Then it does by itself, but for the odd end.
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (cachedOf(data_ / "d" / "f0")->dirty > 1 && std::chrono::steady_clock::now() < deadline)
        std::this_thread::yield();
    EXPECT_LE(cachedOf(data_ / "d" / "f0")->dirty, 1U);
    write_back.finish({});
    expectAllThere();
}

TEST_F(WriteBackTest, ADiskThatKeepsUpIsWrittenPastTheCache) {
    WriteBack write_back(directory_.path(), unsynced_);
    writeAll({.direct_at_once = 1, .cache_bytes = UINT64_MAX, .write_back = &write_back});
    EXPECT_EQ(cached_, 0U);
    if (const auto found = cachedOf(data_ / "d" / "f0"); found && fs::space(data_).available > 0) {
        // The odd end alone, and what reads ahead.
        EXPECT_LT(found->pages, kParts * kPart / 4096 / 2);
    }
    write_back.finish({});
    expectAllThere();
}

TEST_F(WriteBackTest, WhatTheServerReadsAtItsStartIsOnTheDiskBefore) {
    fs::create_directory(data_ / "mysql");
    fs::rename(data_ / "d" / "f0", data_ / "ibdata1");
    fs::rename(data_ / "d" / "f1", data_ / "mysql" / "t.ibd");
    files_[0].path = "ibdata1";
    files_[1].path = "mysql/t.ibd";
    WriteBack write_back(directory_.path(), unsynced_);
    writeAll({.direct_at_once = 0, .cache_bytes = UINT64_MAX, .write_back = &write_back});
    EXPECT_EQ(cached_, 0U);
    write_back.finish({});
    expectAllThere();
}

TEST_F(WriteBackTest, EndsAtOnceWhenItIsCancelled) {
    WriteBack write_back(directory_.path(), unsynced_);
    writeAll({.direct_at_once = 0, .cache_bytes = UINT64_MAX, .write_back = &write_back});
    std::stop_source stop;
    stop.request_stop();
    try {
        write_back.finish(stop.get_token());
        ADD_FAILURE() << "no error";
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), ErrorCode::Cancelled);
    }
    // And one that is given up without a word.
    WriteBack(directory_.path(), unsynced_).add(data_ / "d" / "f0", 0, kPart);
    WriteBack(directory_.path(), unsynced_).add(data_ / "d" / "missing", 0, kPart);
}

}  // namespace
}  // namespace tidemark::restore
