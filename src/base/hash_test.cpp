#include "base/hash.h"

#include <gtest/gtest.h>

namespace tidemark {
namespace {

TEST(Hash, CrcIsZlibs) {
    EXPECT_EQ(crc32(viewOf("123456789")), 0xcbf43926U);
    EXPECT_EQ(crc32(viewOf("6789"), crc32(viewOf("12345"))), 0xcbf43926U);
    EXPECT_EQ(crc32({}), 0U);
}

TEST(Hash, InPiecesIsTheSame) {
    RunningXxh3 running;
    EXPECT_EQ(running.value(), xxh3({}));
    Bytes all(100'000, 7);
    running.add(ByteView(all).first(1));
    running.add(ByteView(all).subspan(1));
    EXPECT_EQ(running.value(), xxh3(all));
    EXPECT_NE(xxh3(all, 1), xxh3(all));
}

}  // namespace
}  // namespace tidemark
