#include "base/time_zone.h"

#include <gmock/gmock.h>
#include <stdlib.h>

#include <ctime>
#include <fstream>
#include <random>

namespace tidemark {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

/// localtime() of this process in another zone.
class ZoneOfProcess {
public:
    explicit ZoneOfProcess(const std::string& zone) {
        setenv("TZ", zone.c_str(), 1);
        tzset();
    }
    ~ZoneOfProcess() {
        unsetenv("TZ");
        tzset();
    }
};

std::string describe(std::int32_t offset, bool daylight_saving, const std::string& abbreviation) {
    return std::to_string(offset) + (daylight_saving ? " saving " : " ") + abbreviation;
}

void expectAsLibc(const std::string& name, std::int64_t time) {
    const auto zone = TimeZone::find(name);
    ASSERT_TRUE(zone) << name;
    const std::time_t seconds = time;
    std::tm there{};
    localtime_r(&seconds, &there);
    const TimeZone::Period& period = zone->at(time);
    EXPECT_EQ(describe(period.offset, period.daylight_saving, period.abbreviation),
              describe(static_cast<std::int32_t>(there.tm_gmtoff), there.tm_isdst != 0, there.tm_zone))
        << name << " at " << time;
    EXPECT_THAT(zone->moments(time + there.tm_gmtoff), ::testing::Contains(time)) << name;
}

TEST(TimeZone, SaysOfEveryZoneWhatLibcSays) {
    std::mt19937_64 random(20261126);
    std::uniform_int_distribution<std::int64_t> times(0, 4'200'000'000);
    auto names = timeZoneNames();
    EXPECT_GT(names.size(), 300U) << "tzdata is not installed";
    for (const char* rule : {"JST-9", "<+0530>-5:30", "CET-1CEST,M3.5.0,M10.5.0/3", "EST5EDT,J60/1,300/-1:30",
                             "<-03>3<-02>,M3.5.0/-2,M10.5.0/-1", "AEST-10AEDT,M10.1.0,M4.1.0/3"})
        names.emplace_back(rule);
    for (const std::string& name : names) {
        const ZoneOfProcess there(name);
        for (int i = 0; i < 20; ++i)
            expectAsLibc(name, times(random));
    }
}

TEST(TimeZone, KnowsWhichTimesAreLeftOutAndWhichComeTwice) {
    const TimeZone berlin = TimeZone::find("Europe/Berlin").value();
    EXPECT_THAT(berlin.moments(1774751400), IsEmpty());                            // 2026-03-29 02:30
    EXPECT_THAT(berlin.moments(1792895400), ElementsAre(1792888200, 1792891800));  // 2026-10-25 02:30
    // Samoa left out a whole day.
    EXPECT_THAT(TimeZone::find("Pacific/Apia").value().moments(1325246400), IsEmpty());  // 2011-12-30 12:00
}

TEST(TimeZone, TakesNoNameThatCouldMeanAnotherFile) {
    for (const std::string& name :
         std::vector<std::string>{"", "/etc/localtime", ":UTC", "../zoneinfo/UTC", "Europe/../UTC", "Europe",
                                  "tzdata.zi", "Mars/Phobos", std::string("UTC\0", 4), "UTC\n", "Europe/Berlin ",
                                  std::string(65, 'A'), "ABC", "ABC-9;x", "CET-1CEST,M13.1.0,M1.1.0"})
        EXPECT_FALSE(TimeZone::find(name)) << name;
}

TEST(TimeZone, TellsTheZoneOfThisProcess) {
    for (const char* name : {"Asia/Tokyo", "JST-9", "UTC"}) {
        const ZoneOfProcess there(name);
        EXPECT_EQ(systemTimeZone(), name);
    }
    const ZoneOfProcess path(":/usr/share/zoneinfo/Asia/Tokyo");
    EXPECT_EQ(systemTimeZone(), "Asia/Tokyo");
    const ZoneOfProcess nonsense("Mars/Phobos");
    EXPECT_EQ(systemTimeZone(), "UTC");
}

TEST(TimeZone, FindsTheNameOfACopiedZoneFile) {
    const std::string path = ::testing::TempDir() + "tidemark-copied-zone";
    std::ofstream(path, std::ios::binary)
        << std::ifstream("/usr/share/zoneinfo/Asia/Kathmandu", std::ios::binary).rdbuf();
    const ZoneOfProcess there(path);
    EXPECT_THAT(systemTimeZone(), ::testing::AnyOf("Asia/Kathmandu", "Asia/Katmandu"));
    std::remove(path.c_str());
}

}  // namespace
}  // namespace tidemark
