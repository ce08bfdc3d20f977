#include "oceanbase/ob_error.h"

#include <gtest/gtest.h>

namespace tidemark {
namespace {

TEST(ObError, FillsTheTemplate) {
    const Error error = obError(Ob::NotSupported, "flying is", "walk");
    EXPECT_STREQ(error.what(), "flying is not supported");
    EXPECT_EQ(error.sql()->number, 1235);
    EXPECT_EQ(error.hint(), "walk");
    EXPECT_STREQ(obError(Ob::BackupInProgress, "of t").what(), "Backup is in progress (of t)");
}

TEST(ObError, ShowsNoSecretsOfUris) {
    const auto shown = [](const std::string& uri) { return std::string(obError(Ob::InvalidBackupDest, uri).what()); };
    EXPECT_EQ(shown("oss:/b/x?host=h&access_id=AK&Access_Key=a/b+c=&delete_mode=delete"),
              "oss:/b/x?host=h&access_id=xxx&Access_Key=xxx&delete_mode=delete is not a valid uri");
    EXPECT_EQ(shown("file:///x?encrypt_key=a&extension=b,access_key=c"),
              "file:///x?encrypt_key=xxx&extension=xxx is not a valid uri");
    EXPECT_EQ(shown("x?access_key=xxx&access_key=two&access_key="),
              "x?access_key=xxx&access_key=xxx&access_key=xxx is not a valid uri");
    EXPECT_EQ(std::string(obError(Ob::ParseSql, "near 'SETT X='oss://b?access_key=S' Y' at line 1").what()),
              "You have an error in your SQL syntax; near 'SETT X='oss://b?access_key=xxx' Y' at line 1");
}

}  // namespace
}  // namespace tidemark
