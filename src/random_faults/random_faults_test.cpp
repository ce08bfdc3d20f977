#include <gtest/gtest.h>

#include <chrono>
#include <cstdlib>
#include <iostream>

#include "random_faults/faulty_history.h"
#include "testing/mariadb_server.h"

namespace tidemark::random_faults {
namespace {

std::uint64_t fromEnvironment(const char* name, std::uint64_t otherwise) {
    const char* text = std::getenv(name);
    return text == nullptr || *text == '\0' ? otherwise : std::strtoull(text, nullptr, 10);
}

void add(FaultyHistory::Count& all, const FaultyHistory::Count& one) {
    all.completed += one.completed;
    all.incremental += one.incremental;
    all.failed += one.failed;
    all.died += one.died;
    all.died_reading += one.died_reading;
    all.adopted += one.adopted;
    all.deleted += one.deleted;
    all.faults += one.faults;
}

void tell(std::uint64_t runs, std::uint64_t seed, const FaultyHistory::Count& count) {
    std::cout << runs << " histories from seed " << seed << ": " << count.faults << " faults of the storage, "
              << count.died << " processes died (" << count.died_reading << " while they read the source); "
              << count.completed << " backups completed (" << count.incremental << " incremental), " << count.adopted
              << " of them after they had failed; " << count.deleted << " deleted\n"
              << std::flush;
}

/// TIDEMARK_FAULTS_RUNS histories (300), or as many as there are in TIDEMARK_FAULTS_MINUTES; the first of
/// TIDEMARK_FAULTS_SEED, each other of one more.
TEST(RandomFaults, WhatWasReportedCompleteRestoresAndNothingElseCanBeSeen) {
    using Clock = std::chrono::steady_clock;
    const std::uint64_t minutes = fromEnvironment("TIDEMARK_FAULTS_MINUTES", 0);
    const std::uint64_t runs = fromEnvironment("TIDEMARK_FAULTS_RUNS", 300);
    const std::uint64_t seed = fromEnvironment("TIDEMARK_FAULTS_SEED", std::random_device()());
    const auto end = Clock::now() + std::chrono::minutes(minutes);
    const testing::TemporaryDirectory directory;
    const NodeKey node_key(directory.path() / "key");
    block::WorkerPool pool(2);
    const block::MemoryShare share(pool.memory(), {});  // while one is open, buffers are used again
    FaultyHistory::Count count;
    std::uint64_t run = 0;
    auto told = Clock::now();
    for (; minutes > 0 ? Clock::now() < end : run < runs; ++run) {
        FaultyHistory history(seed + run, pool, node_key, directory.path() / "restored");
        try {
            history.run();
        } catch (const std::exception& problem) {
            FAIL() << "TIDEMARK_FAULTS_SEED=" << seed + run << " TIDEMARK_FAULTS_RUNS=1: " << problem.what();
        }
        ASSERT_EQ(pool.memory().held(), 0U) << "memory was not given back; seed " << seed + run;
        add(count, history.count());
        if (Clock::now() - told < std::chrono::minutes(1)) continue;
        told = Clock::now();
        tell(run + 1, seed, count);
    }
    tell(run, seed, count);
    if (run >= 100) {
        EXPECT_TRUE(count.incremental > 0 && count.died_reading > 0 && count.died > count.died_reading &&
                    count.deleted > 0 && count.faults > 0);
    }
}

}  // namespace
}  // namespace tidemark::random_faults
