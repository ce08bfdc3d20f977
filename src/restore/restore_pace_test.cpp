#include "restore/restore_pace.h"

#include <gtest/gtest.h>

namespace tidemark::restore {
namespace {

using namespace std::chrono_literals;

TEST(RestorePace, ExpectsNothingOfWhatWasNeverMeasured) {
    const ExpectedPace none = expectedPace({});
    EXPECT_FALSE(none.files || none.log || none.rest);
    // Sets without a log behind them.
    const ExpectedPace files = expectedPace({{.file_bytes = 300, .file_time = 2s, .rest_time = 1s}});
    EXPECT_DOUBLE_EQ(files.files.value(), 150);
    EXPECT_FALSE(files.log);
    EXPECT_DOUBLE_EQ(files.rest.value(), 1);
    EXPECT_FALSE(expectedPace({{.file_bytes = 300, .file_time = 0s}}).files) << "that was not measured";
}

TEST(RestorePace, ExpectsOfLargeRestoresMoreThanOfSmallOnes) {
    const ExpectedPace expected = expectedPace({
        {.file_bytes = 1000, .file_time = 10s, .log_bytes = 50, .log_time = 5s, .rest_time = 9s},
        {.file_bytes = 10, .file_time = 10s, .rest_time = 1s},
        {.file_bytes = 990, .file_time = 0s, .log_bytes = 50, .log_time = 15s, .rest_time = 2s},
    });
    EXPECT_DOUBLE_EQ(expected.files.value(), 100);
    EXPECT_DOUBLE_EQ(expected.log.value(), 5);
    EXPECT_DOUBLE_EQ(expected.rest.value(), 2) << "the median: one that hung says nothing of the others";
}

}  // namespace
}  // namespace tidemark::restore
