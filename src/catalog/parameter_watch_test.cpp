#include "catalog/parameter_watch.h"

#include <atomic>

#include "catalog/stores_fixture.h"
#include "testing/eventually.h"

namespace tidemark::catalog {
namespace {

using namespace std::chrono_literals;

class ParameterWatchTest : public StoresTest {
protected:
    ParameterWatch watch_{stores_.parameters, 1ms};
};

TEST_F(ParameterWatchTest, TellsTheValueAndEveryChangeOfIt) {
    std::atomic<std::int64_t> score = -1;
    std::atomic<std::int64_t> limit = -1;
    const auto one = watch_.follow(1002, "ha_low_thread_score", [&](std::int64_t value) { score = value; });
    const auto two = watch_.follow(kSysTenantId, "backup_net_limit", [&](std::int64_t value) { limit = value; });
    EXPECT_EQ(score, 0) << "at once";
    EXPECT_EQ(limit, 0);
    stores_.parameters.set(1002, "ha_low_thread_score", "7");
    EXPECT_TRUE(testing::eventually([&] { return score == 7; }));
    EXPECT_EQ(limit, 0);
    stores_.parameters.set(kSysTenantId, "backup_net_limit", "2M");
    EXPECT_TRUE(testing::eventually([&] { return limit == 2 << 20; }));
    stores_.parameters.reset(1002, "ha_low_thread_score");
    EXPECT_TRUE(testing::eventually([&] { return score == 0; }));
}

TEST_F(ParameterWatchTest, IsSilentForWhoNoLongerFollows) {
    std::atomic<int> called = 0;
    std::atomic<std::int64_t> other = -1;
    const auto stays = watch_.follow(1002, "ha_low_thread_score", [&](std::int64_t value) { other = value; });
    watch_.follow(1002, "ha_low_thread_score", [&](std::int64_t) { ++called; }).reset();
    const int before = called;
    stores_.parameters.set(1002, "ha_low_thread_score", "9");
    EXPECT_TRUE(testing::eventually([&] { return other == 9; }));
    EXPECT_EQ(called, before);
}

}  // namespace
}  // namespace tidemark::catalog
