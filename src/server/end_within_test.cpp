#include "server/end_within.h"

#include <gtest/gtest.h>

#include <atomic>
#include <latch>

namespace tidemark::server {
namespace {

TEST(EndWithin, WaitsForAllStepsAlsoForOneThatFails) {
    std::atomic<int> ended = 0;
    EXPECT_TRUE(endWithin(makeLogger("test"),
                          {{"sessions", [&] { ended.fetch_add(1); }},
                           {"backups",
                            [&] {
                                ended.fetch_add(1);
                                throw std::runtime_error("broken");
                            }},
                           {"archives", [&] { ended.fetch_add(1); }}},
                          std::chrono::minutes(1)));
    EXPECT_EQ(ended, 3);
}

TEST(EndWithin, LeavesAStepThatHangsToItself) {
    const auto released = std::make_shared<std::latch>(1);
    const auto over = std::make_shared<std::latch>(1);
    EXPECT_FALSE(endWithin(makeLogger("test"),
                           {{"sessions", [] {}},
                            {"archives",
                             [=] {
                                 released->wait();
                                 over->count_down();
                             }}},
                           std::chrono::milliseconds(50)));
    released->count_down();
    over->wait();
}

}  // namespace
}  // namespace tidemark::server
