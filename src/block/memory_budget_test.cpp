#include "block/memory_budget.h"

#include <gtest/gtest.h>

#include <atomic>
#include <random>
#include <thread>

#include "base/error.h"
#include "block/codec.h"
#include "testing/eventually.h"

namespace tidemark::block {
namespace {

/// Buffers that a share gets without waiting.
std::vector<Buffer> takeAll(MemoryShare& share) {
    std::vector<Buffer> taken;
    std::stop_source at_once;
    at_once.request_stop();
    try {
        for (;;)
            taken.push_back(share.take(at_once.get_token()));
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), ErrorCode::Cancelled);
    }
    return taken;
}

TEST(MemoryBudget, GivesOneJobAllThatItCanUse) {
    MemoryBudget budget({.guaranteed = 10, .extra = 4});
    MemoryShare share(budget, {.minimum = 3, .most = 6});
    EXPECT_EQ(takeAll(share).size(), 6U);
    MemoryShare greedy(budget, {.minimum = 3, .most = 100});
    EXPECT_EQ(takeAll(greedy).size(), 5U) << "its minimum, and half of what is extra";
    EXPECT_EQ(budget.held(), 0U);
}

TEST(MemoryBudget, KeepsEverybodysMinimumWhateverOthersHold) {
    MemoryBudget budget({.guaranteed = 6, .extra = 4});
    MemoryShare first(budget, {.minimum = 2, .most = 100});
    const auto held = takeAll(first);
    EXPECT_EQ(held.size(), 6U);
    MemoryShare second(budget, {.minimum = 2, .most = 100});
    EXPECT_EQ(takeAll(second).size(), 2U) << "the first has all that is extra";
    MemoryShare third(budget, {.minimum = 2, .most = 100});
    EXPECT_EQ(takeAll(third).size(), 2U);
    EXPECT_EQ(budget.held(), 6U);
}

TEST(MemoryBudget, LetsJobsWaitForTheirMinimumInOrderOfArrival) {
    MemoryBudget budget({.guaranteed = 4, .extra = 0});
    auto first = std::make_unique<MemoryShare>(budget, ShareOptions{.minimum = 3, .most = 3});
    std::atomic<int> opened = 0;
    std::jthread large([&] {
        MemoryShare share(budget, {.minimum = 4, .most = 4});
        EXPECT_EQ(opened++, 0) << "a small one that came later must not pass, again and again";
    });
    ASSERT_TRUE(testing::eventually([&] { return budget.waiting() > 0; }));
    std::jthread small([&] {
        MemoryShare share(budget, {.minimum = 1, .most = 1});
        EXPECT_EQ(opened++, 1);
    });
    ASSERT_TRUE(testing::eventually([&] { return budget.waiting() == 2 || opened > 0; }));
    first.reset();
    large.join();
    small.join();
    EXPECT_EQ(opened, 2);
}

TEST(MemoryBudget, EndsAWaitThatIsCancelled) {
    MemoryBudget budget({.guaranteed = 2, .extra = 0});
    MemoryShare share(budget, {.minimum = 2, .most = 2});
    const auto held = takeAll(share);
    std::stop_source stop;
    std::jthread taker([&] { EXPECT_THROW(share.take(stop.get_token()), Error); });
    std::jthread opener([&] { EXPECT_THROW(MemoryShare(budget, {.minimum = 1, .most = 1}, stop.get_token()), Error); });
    stop.request_stop();
    taker.join();
    opener.join();
    EXPECT_THROW(MemoryShare(budget, {.minimum = 3, .most = 3}), Error) << "never possible";
}

TEST(Codec, BringsBackBlocksOfAnySizeAndContentInPlace) {
    const unsigned seed = std::random_device()();
    std::mt19937 random(seed);
    MemoryBudget budget;
    MemoryShare share(budget, {.minimum = 2, .most = 2});
    Codec codec;
    const LayerKey key({}, {});
    const Buffer buffer = share.take();
    const Buffer back = share.take();
    for (int round = 0; round < 60; ++round) {
        // From noise, which grows, to what nearly vanishes; also both in one block.
        Bytes content(1 + random() % kMacroBlockSize);
        if (round % 4 == 0) content.resize(kMacroBlockSize);
        std::size_t noise = round % 3 == 0 ? content.size() : random() % (content.size() + 1);
        if (round % 3 == 1) noise = 0;
        for (std::size_t i = 0; i < content.size(); ++i)
            content[i] = static_cast<std::uint8_t>((i < noise) != (round % 2 == 0 && noise < content.size()) ? random()
                                                                                                             : i >> 14);
        std::copy(content.begin(), content.end(), Codec::plain(buffer).begin());
        std::vector<BufferedFrame> frames;
        for (std::size_t at = 0; at < content.size(); at += kFrameSize) {
            const auto plain = static_cast<std::uint32_t>(std::min(kFrameSize, content.size() - at));
            frames.push_back({.id = {PartKind::Frame, 7, frames.size()}, .plain = plain});
        }
        codec.encode(buffer, frames, key);
        std::size_t size = 0;
        for (const BufferedFrame& frame : frames)
            size += frame.stored;
        std::copy_n(buffer.all().begin(), size, Codec::stored(back, size).begin());
        const auto damage = codec.decode(back, frames, key);
        ASSERT_FALSE(damage) << "seed " << seed << ": frame " << damage->frame << ": " << damage->what;
        ASSERT_TRUE(std::equal(content.begin(), content.end(), back.all().begin())) << "seed " << seed;
    }
}

}  // namespace
}  // namespace tidemark::block
