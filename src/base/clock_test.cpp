#include "base/clock.h"

#include <gtest/gtest.h>

#include "base/error.h"

namespace tidemark {
namespace {

constexpr Nanos kNoon = 1'779'624'000 * kSecond;  // 2026-05-24 12:00:00 UTC

TEST(Clock, ReadsTimesInATimeZone) {
    EXPECT_EQ(parseTimestamp("2026-05-24 12:00:00", "+00:00"), kNoon);
    EXPECT_EQ(parseTimestamp("2026-05-24T20:00:00.000000001", "+08:00"), kNoon + 1);
    EXPECT_EQ(parseTimestamp("2026-05-24 08:30:00.5", "-3:30"), kNoon + kSecond / 2);
    EXPECT_EQ(parseTimestamp("2026-05-25 01:00:00", "+13:00"), kNoon);
    const std::string local = formatTimestamp(kNoon);
    EXPECT_EQ(parseTimestamp(local), kNoon);
    EXPECT_EQ(parseTimestamp(local, "system"), kNoon);
}

TEST(Clock, RefusesWhatIsNoTime) {
    for (const char* text : {"", "2026", "2026-05-24", "2026-02-31 12:00:00", "2026-05-24 25:00:00",
                             "2026-05-24 12:00:00.", "2026-05-24 12:00:00 UTC", "2026-05-24 12:00:00.1234567890",
                             "1812-05-24 12:00:00", "4052-11-21 12:00:00", "9999-12-31 23:59:59"}) {
        EXPECT_THROW(parseTimestamp(text, "+00:00"), Error) << text;
        EXPECT_THROW(parseTimestamp(text), Error) << text;
    }
}

TEST(Clock, ReadsTimesInANamedZoneAndRefusesTheHourThatIsLeftOut) {
    EXPECT_EQ(parseTimestamp("2026-05-24 14:00:00", "Europe/Berlin"), kNoon);
    EXPECT_EQ(parseTimestamp("2026-05-24 21:00:00", "JST-9"), kNoon);
    // Clocks go from 02:00 to 03:00 on 29 March, and from 03:00 back to 02:00 on 25 October.
    EXPECT_THROW(parseTimestamp("2026-03-29 02:30:00", "Europe/Berlin"), Error);
    EXPECT_EQ(parseTimestamp("2026-03-29 03:00:00", "Europe/Berlin"), parseTimestamp("2026-03-29 01:00:00", "+00:00"));
    EXPECT_EQ(parseTimestamp("2026-10-25 02:30:00", "Europe/Berlin"), parseTimestamp("2026-10-25 00:30:00", "+00:00"));
}

TEST(Clock, RefusesATimeZoneItCannotRead) {
    for (const char* zone : {"", "Mars/Phobos", "../../../etc/passwd", "+", "+8", "8:00", "+15:00", "+08:60", "+08:00x",
                             "+-8:00", "+ 8:00"})
        EXPECT_THROW(parseTimestamp("2026-05-24 12:00:00", zone), Error) << zone;
}

}  // namespace
}  // namespace tidemark
