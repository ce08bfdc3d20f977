#include "source/copyable.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "base/file.h"
#include "testing/mariadb_server.h"

namespace tidemark::source {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

std::string refusal(const fs::path& directory, std::uint64_t open_files) {
    try {
        requireCopyable(directory, open_files);
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), ErrorCode::Conflict);
        return std::string(error.what()) + " | " + error.hint();
    }
    return "";
}

TEST(Copyable, NeedsAnOpenFileForEachTablespace) {
    const testing::TemporaryDirectory directory;
    fs::create_directory(directory.path() / "d");
    for (int i = 0; i < 40; ++i)
        openFile(directory.path() / "d" / ("t" + std::to_string(i) + ".ibd"), O_WRONLY | O_CREAT);
    EXPECT_EQ(refusal(directory.path(), 104), "");
    EXPECT_THAT(refusal(directory.path(), 103), HasSubstr("all 40 tablespaces at once, but a process may have 103"));
    EXPECT_THAT(refusal(directory.path(), 103), HasSubstr("to 104 or more"));
}

TEST(Copyable, RefusesSchemasNamedLikeFilesOfTheTool) {
    for (const char* name :
         {"xtrabackup_checkpoints", "mariadb_backup_info", "innodb_corrupted_pages", "ib_logfile1"}) {
        const testing::TemporaryDirectory directory;
        fs::create_directory(directory.path() / name);
        EXPECT_THAT(refusal(directory.path(), 1000), HasSubstr(std::string("schema ") + name));
        EXPECT_THAT(refusal(directory.path(), 1000), HasSubstr("RENAME TABLE"));
    }
    const testing::TemporaryDirectory directory;
    // What InnoDB itself has is a file; and other names only begin so.
    openFile(directory.path() / "xtrabackup_info", O_WRONLY | O_CREAT);
    fs::create_directory(directory.path() / "xtrabackup_information");
    EXPECT_EQ(refusal(directory.path(), 1000), "");
}

}  // namespace
}  // namespace tidemark::source
