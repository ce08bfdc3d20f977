#include "backup_set/open_order.h"

#include <gtest/gtest.h>

#include "backup_set/mount_files.h"
#include "base/error.h"

namespace tidemark::backup_set {
namespace {

TEST(OpenOrder, IsReadAsItWasWritten) {
    OpenOrder order{.data_uri = "file:///a b/c",
                    .set = {7, SetKind::Incremental},
                    .key = block::ChainKey::random(),
                    .local = "/t/1002/opened",
                    .at = "/t/1002/data",
                    .control = "/t/1002/mount"};
    const OpenOrder read = OpenOrder::from(order.text());
    EXPECT_EQ(read.data_uri, order.data_uri);
    EXPECT_EQ(read.set, order.set);
    EXPECT_EQ(read.local, order.local);
    EXPECT_EQ(read.at, order.at);
    EXPECT_EQ(read.control, order.control);
    ASSERT_TRUE(read.key);
    EXPECT_EQ(read.key->secret().text(), order.key->secret().text());
    order.key = nullptr;
    EXPECT_FALSE(OpenOrder::from(order.text()).key);
    for (const char* wrong : {"", "{}", "[]", "{\"data\":1}"})
        EXPECT_THROW(OpenOrder::from(wrong), Error) << wrong;
}

TEST(MountFiles, AreReadAsTheyWereWrittenAndNothingElseIs) {
    const auto progress = MountProgress::from(MountProgress{3, 10, "the destination is away"}.text());
    ASSERT_TRUE(progress);
    EXPECT_EQ(progress->missing, 3U);
    EXPECT_EQ(progress->pages, 10U);
    EXPECT_EQ(progress->problem, "the destination is away");
    const auto failure = MountFailure::from(MountFailure{true, false, "no /dev/fuse"}.text());
    ASSERT_TRUE(failure);
    EXPECT_TRUE(failure->no_mount);
    EXPECT_FALSE(failure->may_heal);
    EXPECT_EQ(failure->what, "no /dev/fuse");
    for (const char* wrong : {"", "{", "{}", "7", "{\"missing\":\"a\"}"}) {
        EXPECT_FALSE(MountProgress::from(wrong)) << wrong;
        EXPECT_FALSE(MountFailure::from(wrong)) << wrong;
    }
}

}  // namespace
}  // namespace tidemark::backup_set
