#include "base/crash_point.h"

#include <gtest/gtest.h>

#include <csignal>
#include <set>

#include "base/error.h"

namespace tidemark {
namespace {

TEST(CrashPoint, IsPassedUnlessItIsArmed) {
    crashPoint("tenant.normal");
    armCrashPoint("");
    crashPoint("tenant.normal");
}

TEST(CrashPoint, EndsTheProcessAtItsNthVisitAndNoOther) {
    EXPECT_EXIT(
        {
            armCrashPoint("tenant.normal");
            crashPoint("tenant.started");
            crashPoint("tenant.normal");
            std::_Exit(0);
        },
        testing::KilledBySignal(SIGKILL), "");
    EXPECT_EXIT(
        {
            armCrashPoint("tenant.normal:3");
            crashPoint("tenant.normal");
            crashPoint("tenant.normal");
            std::_Exit(7);
        },
        testing::ExitedWithCode(7), "");
    EXPECT_EXIT(
        {
            armCrashPoint("tenant.normal:2");
            crashPoint("tenant.normal");
            crashPoint("tenant.normal");
            std::_Exit(7);
        },
        testing::KilledBySignal(SIGKILL), "");
}

TEST(CrashPoint, RefusesWhatDoesNotExist) {
    for (const char* text : {"tenant", "tenant.normal:0", "tenant.normal:x", "tenant.normal:", "no.such"})
        EXPECT_THROW(armCrashPoint(text), Error) << text;
}

TEST(CrashPoint, HasEachNameOnce) {
    const std::set<std::string_view> names(std::begin(kCrashPoints), std::end(kCrashPoints));
    EXPECT_EQ(names.size(), std::size(kCrashPoints));
}

}  // namespace
}  // namespace tidemark
