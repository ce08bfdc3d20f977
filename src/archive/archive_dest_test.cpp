#include "archive/archive_dest.h"

#include <gtest/gtest.h>

#include "base/error.h"

namespace tidemark::archive {
namespace {

int numberOf(const std::string& value) {
    try {
        parseArchiveDest(value);
    } catch (const Error& error) {
        return error.sql()->number;
    }
    return 0;
}

TEST(ArchiveDest, TakesItemsInAnyOrderAndCase) {
    const ArchiveDest dest = parseArchiveDest(" piece_switch_interval=2d  location=file:///a BINDING=optional ");
    EXPECT_EQ(dest.location, "file:///a");
    EXPECT_EQ(dest.piece_switch_days, 2);
    EXPECT_EQ(parseArchiveDest("LOCATION=file:///a").piece_switch_days, 1) << "what is left out has its default";
}

TEST(ArchiveDest, TakesADirectoryWithBlanks) {
    const auto location = [](const std::string& value) { return parseArchiveDest(value).location; };
    EXPECT_EQ(location("LOCATION=file:///my  archive/of shop"), "file:///my  archive/of shop");
    const ArchiveDest dest = parseArchiveDest("BINDING=optional LOCATION=file:///a b \t PIECE_SWITCH_INTERVAL=3d ");
    EXPECT_EQ(dest.location, "file:///a b");
    EXPECT_EQ(dest.piece_switch_days, 3);
    EXPECT_EQ(location("LOCATION=file:///a=b"), "file:///a=b");
    EXPECT_EQ(numberOf("LOCATION=file:///a b=c"), 1235) << "read as an option";
    EXPECT_EQ(numberOf("LOCATION=file:///a BINDING =optional"), 1210) << "not a part of the name";
    EXPECT_EQ(numberOf("LOCATION=file:///a BINDING= optional"), 1210);
    EXPECT_EQ(numberOf("LOCATION=file:///a BINDING=op tional"), 1210);
    EXPECT_EQ(numberOf("LOCATION= file:///a"), 1210);
    EXPECT_EQ(numberOf("shop LOCATION=file:///a"), 1210);
    EXPECT_EQ(numberOf("LOCATION=file:///" + std::string(10'000'000, 'a')), 1210);
}

TEST(ArchiveDest, AnswersMistakesAsOceanBaseDoes) {
    EXPECT_EQ(numberOf("BINDING=Optional"), 1235);
    EXPECT_EQ(numberOf("LOCATION=file:///a PIECE_SWITCH_INTERVAL=8d"), 1235);
    EXPECT_EQ(numberOf("LOCATION=file:///a PIECE_SWITCH_INTERVAL=1h"), 1235);
    EXPECT_EQ(numberOf("LOCATION=file:///a COLOUR=red"), 1235);
    EXPECT_EQ(numberOf("LOCATION=file:///a BINDING=perhaps"), 1210);
    EXPECT_EQ(numberOf("LOCATION="), 1210);
    EXPECT_EQ(numberOf("LOCATION=file:///a location=file:///b"), 1210);
    EXPECT_EQ(numberOf("nonsense"), 1210);
}

}  // namespace
}  // namespace tidemark::archive
