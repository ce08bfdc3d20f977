#include "restore/restore_options.h"

#include <gtest/gtest.h>

#include "base/error.h"

namespace tidemark::restore {
namespace {

using Names = std::vector<std::string>;

TEST(RestoreOptions, TakesKeysInAnyCaseAndIgnoresUnknownOnes) {
    const auto options = parseRestoreOptions("POOL_LIST=p1, p2&primary_zone=z1&colour=red&concurrency=4");
    EXPECT_EQ(options.pools, (Names{"p1", "p2"}));
    EXPECT_EQ(options.primary_zone, "z1");
    EXPECT_EQ(options.concurrency, 4U);
    EXPECT_EQ(parseRestoreOptions("pool_list=p").primary_zone, "RANDOM");
    EXPECT_FALSE(parseRestoreOptions("pool_list=p").quick || parseRestoreOptions("pool_list=p&method=FULL").quick);
    EXPECT_TRUE(parseRestoreOptions("method=Quick&pool_list=p").quick);
}

TEST(RestoreOptions, WantsPools) {
    for (const auto* text : {"", "primary_zone=z1", "pool_list=", "pool_list= , "}) {
        EXPECT_THROW(parseRestoreOptions(text), Error) << text;
    }
    EXPECT_THROW(parseRestoreOptions("pool_list=p&concurrency=101"), Error);
    EXPECT_THROW(parseRestoreOptions("pool_list=p&concurrency=x"), Error);
    EXPECT_THROW(parseRestoreOptions("pool_list=p&method=fast"), Error);
    EXPECT_THROW(parseRestoreOptions("nonsense"), Error);
}

TEST(RestoreOptions, SplitsListsOfUris) {
    EXPECT_EQ(splitList(" file:///a , file:///b,,file:///a"), (Names{"file:///a", "file:///b"}));
}

TEST(RestoreOptions, TakesADestinationOnceHoweverItIsWritten) {
    EXPECT_EQ(destinationsOf(" file:///a/ , file:///b,file:///a,file:////a/."), (Names{"file:///a", "file:///b"}));
    for (const auto* wrong : {"", " , ", "file:///a,b", "file:///a?access_key=S"})
        EXPECT_THROW(destinationsOf(wrong), Error) << wrong;
}

}  // namespace
}  // namespace tidemark::restore
