#include "mysql/gtid.h"

#include <gtest/gtest.h>

#include "base/error.h"

namespace tidemark::mysql {
namespace {

TEST(GtidPosition, ReadsWhatItWrites) {
    EXPECT_EQ(GtidPosition::parse("").text(), "");
    EXPECT_EQ(GtidPosition::parse("1002-101-7").text(), "1002-101-7");
    EXPECT_EQ(GtidPosition::parse(" 7-1-18446744073709551615,\n2-4294967295-1 ").text(),
              "2-4294967295-1,7-1-18446744073709551615");
}

TEST(GtidPosition, RefusesWhatIsNone) {
    for (const char* text : {"1", "1-2", "1-2-", "1-2-3-4", "a-1-2", "1-1-1,,2-2-2", "-1-1-1", "4294967296-1-1",
                             "1-1-1 2-2-2", "1-1-18446744073709551616", "1- 1-1"}) {
        EXPECT_THROW(GtidPosition::parse(text), Error) << text;
    }
}

TEST(GtidPosition, ContainsBySequenceWithinTheDomain) {
    const auto position = GtidPosition::parse("1-1-10,2-1-5");
    EXPECT_TRUE(position.contains(Gtid{1, 9, 10}));  // another server of the same domain
    EXPECT_FALSE(position.contains(Gtid{1, 1, 11}));
    EXPECT_FALSE(position.contains(Gtid{3, 1, 1}));
    EXPECT_TRUE(position.contains(GtidPosition::parse("2-1-5")));
    EXPECT_TRUE(position.contains(GtidPosition()));
    EXPECT_FALSE(position.contains(GtidPosition::parse("2-1-5,3-1-1")));
}

}  // namespace
}  // namespace tidemark::mysql
