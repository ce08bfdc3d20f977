#include "source/backup_log.h"

#include <gtest/gtest.h>

#include "base/file.h"
#include "testing/mariadb_server.h"

namespace tidemark::source {
namespace {

/// As mariadb-backup prints a page whose checksum is wrong, with a row in it.
std::string printedPage(std::size_t size) {
    std::string hex;
    std::string text;
    for (std::size_t i = 0; i < size; ++i) {
        hex += "65";
        text += i % 100 == 0 ? "error of secret row " : "x";
    }
    return " len " + std::to_string(size) + "; hex " + hex + "; asc " + text + ";\n";
}

class BackupLogTest : public ::testing::Test {
protected:
    std::string complaintIn(const std::string& text) {
        replaceFile(directory_.path() / "log", text);
        return complaintOf(directory_.path() / "log");
    }
    testing::TemporaryDirectory directory_;
};

TEST_F(BackupLogTest, TellsTheLastLineThatSpeaksOfAnError) {
    EXPECT_EQ(complaintIn("[00] 2026-11-21 11:37:44 Failed to connect\n[00] 2026-11-21 11:37:45 bye\n"),
              "Failed to connect");
    EXPECT_EQ(complaintIn("one\ntwo"), "two");
    EXPECT_EQ(complaintIn(""), "");
}

TEST_F(BackupLogTest, TellsNothingOfAPageThatIsPrintedThere) {
    for (const std::size_t size : {1024, 4096, 16384, 65536}) {
        const std::string page = printedPage(size);
        EXPECT_EQ(complaintIn("Failed to connect\n" + std::string(3, '\n') + page).find("secret"), std::string::npos);
        EXPECT_EQ(complaintIn(page), "");
        EXPECT_EQ(complaintIn(page + "bye\n"), "bye");
        // What is read of the log begins in its midst, where part of it looks like a short line.
        EXPECT_EQ(complaintIn(page + std::string(16000 - 4, 'x') + "\nbye"), "bye");
    }
}

TEST_F(BackupLogTest, TellsTextOnly) {
    const std::string zero(1, '\0');
    EXPECT_EQ(complaintIn("an error\x01of" + zero + "bytes\x7f\n"), "an error?of?bytes?");
}

}  // namespace
}  // namespace tidemark::source
