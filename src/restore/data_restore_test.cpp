#include "restore/data_restore.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>

#include "base/file.h"
#include "block/block_writer.h"
#include "storage/memory_storage.h"
#include "testing/mariadb_server.h"

namespace tidemark::restore {
namespace {

using block::kFrameSize;
using block::kMacroBlockSize;

const storage::Key kDirectory = "blocks/";

/// Bytes that this process has sent to disks.
std::uint64_t bytesWritten() {
    std::ifstream file("/proc/self/io");
    std::string name;
    std::uint64_t value = 0;
    while (file >> name >> value) {
        if (name == "write_bytes:") return value;
    }
    ADD_FAILURE() << "/proc/self/io tells no write_bytes";
    return 0;
}

TEST(DataRestore, KeepsRoomForZerosWithoutWritingThem) {
    // A tablespace: pages, the reserve behind them, pages again, and an end that fills no frame.
    Bytes content(20 * kMacroBlockSize + 12345);
    std::fill(content.begin(), content.begin() + 3 * kFrameSize + 5000, 7);
    std::fill(content.end() - 2 * kMacroBlockSize, content.end(), 9);
    storage::MemoryStorage storage;
    {
        block::BlockProgress progress;
        block::BlockWriter writer(storage, {.directory = kDirectory, .set_id = 1}, progress);
        const block::FileNumber file = writer.beginFile("t.ibd");
        writer.add(file, 0, content);
        writer.endFile(file);
        writer.finish();
    }

    const testing::TemporaryDirectory directory;
    DataRestoreProgress progress;
    const std::uint64_t before = bytesWritten();
    restoreFiles(block::BlockReader(storage, kDirectory, 1), {.directory = directory.path() / "data"}, progress, {});
    EXPECT_LT(bytesWritten() - before, content.size() / 2);
    EXPECT_EQ(progress.finished_bytes, content.size());

    const auto path = directory.path() / "data" / "t.ibd";
    EXPECT_TRUE(readFile(path) == std::string(content.begin(), content.end()));
    struct stat info {};
    ASSERT_EQ(::stat(path.c_str(), &info), 0);
    EXPECT_GE(static_cast<std::uint64_t>(info.st_blocks) * 512, content.size()) << "no room is kept";
}

}  // namespace
}  // namespace tidemark::restore
