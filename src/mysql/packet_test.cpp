#include "mysql/packet.h"

#include <gtest/gtest.h>

#include "base/error.h"

namespace tidemark::mysql {
namespace {

TEST(Packet, SplitsAtSixteenMebibytesAndEndsAFullOneWithAnEmptyOne) {
    PacketWriter writer(254);
    writer.add(Bytes(kMaxPayload, 7));
    writer.add(Bytes(3, 8));
    const Bytes& data = writer.data();
    ASSERT_EQ(data.size(), kHeaderSize + kMaxPayload + kHeaderSize + kHeaderSize + 3);
    EXPECT_EQ(parseHeader(data.data()).length, kMaxPayload);
    EXPECT_EQ(parseHeader(data.data()).sequence, 254);
    const PacketHeader empty = parseHeader(data.data() + kHeaderSize + kMaxPayload);
    EXPECT_EQ(empty.length, 0U);
    EXPECT_EQ(empty.sequence, 255);
    const PacketHeader next = parseHeader(data.data() + kHeaderSize + kMaxPayload + kHeaderSize);
    EXPECT_EQ(next.length, 3U);
    EXPECT_EQ(next.sequence, 0) << "the number wraps";
}

TEST(Packet, ReadsBackLengthsOfEverySize) {
    for (const std::uint64_t value : {0ULL, 250ULL, 251ULL, 0xffffULL, 0x10000ULL, 0xffffffULL, 0x1000000ULL, ~0ULL}) {
        ByteWriter writer;
        writeLenenc(writer, value);
        ByteReader reader(writer.data(), "test");
        EXPECT_EQ(readLenenc(reader), value);
        EXPECT_TRUE(reader.atEnd());
    }
}

TEST(Packet, RefusesLengthsThatAreNone) {
    for (const std::uint8_t first : {0xfb, 0xff, 0xfc}) {
        const Bytes bytes{first};
        ByteReader reader(bytes, "test");
        EXPECT_THROW(readLenenc(reader), Error);
    }
    const Bytes too_short{5, 'a', 'b'};
    ByteReader reader(too_short, "test");
    EXPECT_THROW(readLenencString(reader), Error);
}

}  // namespace
}  // namespace tidemark::mysql
