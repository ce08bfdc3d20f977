#include "restore/data_restore.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>
#include <map>

#include "base/error.h"
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
    block::WorkerPool pool(2);
    block::Lane lane(pool);
    {
        block::BlockProgress progress;
        block::BlockWriter writer(storage, lane, {.directory = kDirectory, .set_id = 1}, progress);
        const block::FileNumber file = writer.beginFile("d/t.ibd");
        writer.add(file, 0, content);
        writer.endFile(file);
        writer.finish();
    }

    const testing::TemporaryDirectory directory;
    DataRestoreProgress progress;
    const std::uint64_t before = bytesWritten();
    restoreFiles(block::BlockReader(storage, kDirectory, 1), lane, {.directory = directory.path() / "data"}, progress,
                 {});
    EXPECT_LT(bytesWritten() - before, content.size() / 2);
    EXPECT_EQ(progress.finished_bytes, content.size());

    const auto path = directory.path() / "data" / "d" / "t.ibd";
    EXPECT_TRUE(readFile(path) == std::string(content.begin(), content.end()));
    struct stat info {};
    ASSERT_EQ(::stat(path.c_str(), &info), 0);
    EXPECT_GE(static_cast<std::uint64_t>(info.st_blocks) * 512, content.size()) << "no room is kept";
}

TEST(DataRestore, LeavesTheHolesOfCompressedPages) {
    // Every page of the first file is one that InnoDB has compressed to less than a block, in either form of its type;
    // those of the second one look alike but for their type; behind both is a reserve.
    constexpr std::size_t kPages = 200;
    const auto contentWith = [](std::vector<std::uint8_t> types) {
        Bytes content(kPages * block::kPageSize + kMacroBlockSize);
        for (std::size_t page = 1; page < kPages; ++page) {
            std::fill_n(content.begin() + static_cast<std::ptrdiff_t>(page * block::kPageSize), 3000, page + 1);
            content[page * block::kPageSize + 24] = types[page % types.size()];
        }
        std::fill_n(content.begin(), block::kPageSize, 5);
        return content;
    };
    const std::map<std::string, Bytes> files{{"d/compressed.ibd", contentWith({0x86, 0x92, 0x80})},
                                             {"d/plain.ibd", contentWith({0x45})}};
    storage::MemoryStorage storage;
    block::WorkerPool pool(2);
    block::Lane lane(pool);
    {
        block::BlockProgress progress;
        block::BlockWriter writer(storage, lane, {.directory = kDirectory, .set_id = 1}, progress);
        for (const auto& [path, content] : files) {
            const block::FileNumber file = writer.beginFile(path);
            writer.add(file, 0, content);
            writer.endFile(file);
        }
        writer.finish();
    }
    const testing::TemporaryDirectory directory;
    DataRestoreProgress progress;
    restoreFiles(block::BlockReader(storage, kDirectory, 1), lane, {.directory = directory.path() / "data"}, progress,
                 {});
    std::map<std::string, std::uint64_t> blocks;
    for (const auto& [path, content] : files) {
        EXPECT_TRUE(readFile(directory.path() / "data" / path) == std::string(content.begin(), content.end())) << path;
        struct stat info {};
        ASSERT_EQ(::stat((directory.path() / "data" / path).c_str(), &info), 0);
        blocks[path] = static_cast<std::uint64_t>(info.st_blocks) * 512;
    }
    EXPECT_EQ(progress.finished_bytes, progress.total_bytes);
    EXPECT_LT(blocks["d/compressed.ibd"], (kPages + 20) * 4096) << "with what the file system needs itself";
    EXPECT_GE(blocks["d/plain.ibd"], files.at("d/plain.ibd").size());
}

TEST(DataRestore, RefusesASetWithFilesThatNoBackupStores) {
    for (const std::vector<std::string>& paths :
         std::vector<std::vector<std::string>>{{"master.info"},
                                               {"my.cnf"},
                                               {"tc.log"},
                                               {"ddl_recovery.log"},
                                               {"ib_logfile1"},
                                               {"ib_logfile101"},
                                               {"undo"},
                                               {"ibdata1x"},
                                               {"t.ibd"},
                                               {"d/t.isl"},
                                               {"d/t.ibd.delta"},
                                               {"a/b/t.ibd"},
                                               {"xtrabackup_info", "xtrabackup_info/t.ibd"}}) {
        storage::MemoryStorage storage;
        block::WorkerPool pool(2);
        block::Lane lane(pool);
        block::BlockProgress written;
        block::BlockWriter writer(storage, lane, {.directory = kDirectory, .set_id = 1}, written);
        for (const std::string& path : paths)
            writer.endFile(writer.beginFile(path));
        writer.finish();
        const testing::TemporaryDirectory directory;
        DataRestoreProgress progress;
        try {
            restoreFiles(block::BlockReader(storage, kDirectory, 1), lane, {.directory = directory.path() / "data"},
                         progress, {});
            ADD_FAILURE() << paths.back();
        } catch (const Error& error) {
            EXPECT_EQ(error.code(), ErrorCode::Corrupt) << error.what();
            const std::string text = error.what();
            EXPECT_NE(text.find(block::kRangeIndexName), std::string::npos) << text;
            EXPECT_NE(text.find("'" + paths.front() + "'"), std::string::npos) << text;
        }
        EXPECT_TRUE(std::filesystem::is_empty(directory.path())) << paths.back();
    }
}

TEST(DataRestore, TakesEveryKindOfFileThatABackupStores) {
    storage::MemoryStorage storage;
    block::WorkerPool pool(2);
    block::Lane lane(pool);
    block::BlockProgress written;
    block::BlockWriter writer(storage, lane, {.directory = kDirectory, .set_id = 1}, written);
    for (const char* path :
         {"ibdata1", "ibdata2", "undo001", "ib_logfile0", "aria_log_control", "aria_log.00000001", "backup-my.cnf",
          "xtrabackup_info", "mariadb_backup_checkpoints", "ib_buffer_pool", "d/db.opt", "d/t#P#p0.ibd", "d/n.new",
          "d/n.ren", "d/n.del", "undo_schema/t.frm", "ibdata/t.MYD", "a@0060b/x@002eisl.ARZ"})
        writer.endFile(writer.beginFile(path));
    writer.finish();
    const testing::TemporaryDirectory directory;
    DataRestoreProgress progress;
    restoreFiles(block::BlockReader(storage, kDirectory, 1), lane, {.directory = directory.path() / "data"}, progress,
                 {});
    EXPECT_EQ(progress.total_files, 18U);
}

}  // namespace
}  // namespace tidemark::restore
