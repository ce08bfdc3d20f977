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
