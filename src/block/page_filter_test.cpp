#include "block/page_filter.h"

#include <gtest/gtest.h>

#include <random>

#include "base/bytes.h"
#include "block/page.h"

namespace tidemark::block {
namespace {

Bytes randomBytes(std::mt19937& random, std::size_t size) {
    Bytes bytes(size);
    for (std::uint8_t& byte : bytes)
        byte = static_cast<std::uint8_t>(random());
    return bytes;
}

/// An index page whose records follow each other at random distances; now and then one leads back, out or nowhere.
Bytes randomIndexPage(std::mt19937& random) {
    Bytes page = randomBytes(random, kPageSize);
    page[24] = 17855 >> 8;
    page[25] = 17855 & 0xff;
    page[42] |= 0x80;
    std::size_t record = 99;
    for (unsigned number = 0; record < kPageSize - 300; ++number) {
        const std::size_t distance = random() % 50 == 0 ? random() % 65536 : 5 + random() % 200;
        page[record - 4] = static_cast<std::uint8_t>(number >> 5);
        page[record - 3] = static_cast<std::uint8_t>(number << 3);
        page[record - 2] = static_cast<std::uint8_t>(distance >> 8);
        page[record - 1] = static_cast<std::uint8_t>(distance);
        record += distance;
    }
    return page;
}

TEST(PageFilter, LosesNothing) {
    const unsigned seed = std::random_device()();
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937 random(seed);
    int changed = 0;
    for (int round = 0; round < 3000; ++round) {
        Bytes pages = randomIndexPage(random);
        const Bytes second = randomIndexPage(random);
        pages.insert(pages.end(), second.begin(), second.end());
        pages.resize(pages.size() + random() % kPageSize, 1);
        Bytes filtered = pages;
        subtractHeapNumbers(filtered);
        changed += filtered != pages ? 1 : 0;
        addHeapNumbers(filtered);
        ASSERT_TRUE(filtered == pages) << round;
    }
    EXPECT_GT(changed, 2900) << "few have no second record";
    // Whatever has no such records stays as it is.
    Bytes other = randomBytes(random, 3 * kPageSize);
    other[24] = 0;
    other[kPageSize + 42] = 0;
    other[2 * kPageSize + 25] = 1;
    Bytes filtered = other;
    subtractHeapNumbers(filtered);
    EXPECT_TRUE(filtered == other);
}

}  // namespace
}  // namespace tidemark::block
