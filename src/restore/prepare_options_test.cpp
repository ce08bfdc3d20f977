#include "restore/prepare_options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"

namespace tidemark::restore {
namespace {

TEST(PrepareOptions, TakesOverWhatInnodbHasToKnowOfItsFiles) {
    const std::string known =
        "innodb_checksum_algorithm=full_crc32\ninnodb_data_file_path=ibdata1:12M;ibdata2:1G:autoextend:max:2G\n"
        "innodb_log_file_size=16777216\ninnodb_page_size=8192\ninnodb_undo_directory=./\n"
        "innodb_undo_tablespaces=3\ninnodb_compression_level=6\n";
    EXPECT_THAT(prepareOptions("# written by\n\n[mysqld]\n" + known), ::testing::EndsWith("[mysqld]\n" + known));
    EXPECT_THAT(prepareOptions(""), ::testing::EndsWith("[mysqld]\n"));
}

TEST(PrepareOptions, LeavesOutEverythingElse) {
    const std::string text = prepareOptions(
        "[mariadb-backup]\nplugin_load=evil=evil.so\nplugin_dir=\"/tmp\"\n plugin_load=evil\nplugin-load=evil\n"
        "!include /etc/passwd\ninnodb_page_size =4096\ninnodb_page_size=4096\nuse_memory=1T\n");
    EXPECT_THAT(text, ::testing::EndsWith("[mysqld]\ninnodb_page_size=4096\n"));
}

TEST(PrepareOptions, RefusesValuesThatCannotBe) {
    for (const char* line : {"innodb_page_size=12345", "innodb_page_size=", "innodb_undo_directory=/etc",
                             "innodb_data_file_path=/etc/x:12M", "innodb_data_file_path=ibdata1:12M;../x:1M",
                             "innodb_undo_tablespaces=4000", "innodb_page_size=16384\rplugin_load=x",
                             "innodb_log_file_size=99999999999999999999999"}) {
        try {
            prepareOptions(std::string("[mysqld]\n") + line + "\n");
            ADD_FAILURE() << line;
        } catch (const Error& error) {
            EXPECT_EQ(error.code(), ErrorCode::Corrupt) << line;
        }
    }
}

}  // namespace
}  // namespace tidemark::restore
