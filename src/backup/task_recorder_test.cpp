#include "backup/task_recorder.h"

#include <gtest/gtest.h>

#include <iostream>
#include <random>

namespace tidemark::backup {
namespace {

catalog::BackupStats stats(std::int64_t done, std::int64_t total) {
    catalog::BackupStats result;
    result.finish_macro_block_count = done;
    result.macro_block_count = total;
    return result;
}

TEST(TaskRecorder, ATotalThatGrowsTakesNothingFromTheShareThatIsDone) {
    EXPECT_EQ(withoutSetback(stats(0, 99), {}).macro_block_count, 99);
    EXPECT_EQ(withoutSetback(stats(99, 101), stats(98, 99)).macro_block_count, 100) << "98.99 %, then 99.00, not 98.02";
    EXPECT_EQ(withoutSetback(stats(50, 100), stats(49, 100)).macro_block_count, 100);
    EXPECT_EQ(withoutSetback(stats(100, 105), stats(99, 99)).macro_block_count, 100);
    const std::uint64_t seed = std::random_device{}();
    std::cout << "seed " << seed << "\n";
    std::mt19937_64 random(seed);
    for (int run = 0; run < 1000; ++run) {
        catalog::BackupStats shown;
        DataBackupProgress progress;
        progress.total_bytes = random() % (400 << 20);
        while (shown.input_bytes < (300 << 20)) {
            progress.read_bytes += random() % (20 << 20);
            progress.total_bytes =
                std::max<std::uint64_t>(progress.read_bytes, progress.total_bytes + random() % (9 << 20));
            const auto now = withoutSetback(countersOf(progress), shown);
            ASSERT_LE(now.finish_macro_block_count, now.macro_block_count);
            ASSERT_GE(now.finish_macro_block_count * shown.macro_block_count,
                      shown.finish_macro_block_count * now.macro_block_count);
            shown = now;
        }
        progress.total_bytes = progress.read_bytes.load();
        const auto end = withoutSetback(countersOf(progress), shown);
        ASSERT_EQ(end.finish_macro_block_count, end.macro_block_count);
    }
}

}  // namespace
}  // namespace tidemark::backup
