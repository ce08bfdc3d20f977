#include "opened/shared_cache.h"

#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "base/error.h"

namespace tidemark::opened {
namespace {

using Cache = SharedCache<int, std::string>;

std::shared_ptr<const std::string> get(Cache& cache, int key) {
    return cache.get(
        key, [&] { return std::string(10, static_cast<char>('a' + key)); },
        [](const std::string& value) { return value.size(); });
}

TEST(SharedCache, KeepsWhatWasAskedForLastWithinItsBound) {
    Cache cache(30);
    for (const int key : {0, 1, 2, 0, 3, 0, 2})
        EXPECT_EQ(*get(cache, key), std::string(10, static_cast<char>('a' + key)));
    EXPECT_EQ(cache.reads(), 4U);
    get(cache, 1);
    EXPECT_EQ(cache.reads(), 5U) << "it had to go for another one";
    Cache small(1);
    const auto held = get(small, 0);
    get(small, 0);
    EXPECT_EQ(small.reads(), 1U) << "the last one stays, whatever its size";
    get(small, 1);
    EXPECT_EQ(*held, "aaaaaaaaaa") << "somebody has it";
}

TEST(SharedCache, ReadsOnceForAllWhoAskAtTheSameTime) {
    Cache cache(100);
    std::atomic<int> asking = 0;
    std::vector<std::jthread> threads;
    for (int i = 0; i < 8; ++i) {
        threads.emplace_back([&] {
            ++asking;
            cache.get(
                7,
                [&] {
                    while (asking < 8)
                        std::this_thread::yield();
                    return std::string("x");
                },
                [](const std::string& value) { return value.size(); });
        });
    }
    threads.clear();
    EXPECT_EQ(cache.reads(), 1U);
}

TEST(SharedCache, AsksAgainAfterAFailure) {
    Cache cache(100);
    const auto fail = []() -> std::string { throw Error(ErrorCode::Unavailable, "away"); };
    EXPECT_THROW(cache.get(3, fail, [](const std::string& value) { return value.size(); }), Error);
    EXPECT_EQ(*get(cache, 3), "dddddddddd");
}

}  // namespace
}  // namespace tidemark::opened
