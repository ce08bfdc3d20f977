#include "net/buffer_pool.h"

#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>

namespace tidemark::net {
namespace {

TEST(BufferPool, LendsSmallBuffersOnceTheLargeOnesAreAllLent) {
    asio::io_context context;
    BufferPool& pool = BufferPool::of(context.get_executor());
    std::vector<BufferLease> leases;
    for (std::size_t i = 0; i < BufferPool::kMostLarge; ++i)
        leases.push_back(pool.lend());
    EXPECT_EQ(leases.back().size(), BufferPool::kLarge);
    leases.push_back(pool.lend());
    EXPECT_EQ(leases.back().size(), BufferPool::kSmall);
    leases.back().data()[BufferPool::kSmall - 1] = 1;
    leases.front().reset();
    EXPECT_EQ(pool.lend().size(), BufferPool::kLarge) << "one of them is back";
    leases.clear();
    EXPECT_EQ(pool.lent(), 0U);
}

TEST(BufferPool, ALeaseThatIsMovedIsGivenBackOnce) {
    asio::io_context context;
    BufferPool& pool = BufferPool::of(context.get_executor());
    BufferLease first = pool.lend();
    BufferLease second = std::move(first);
    EXPECT_TRUE(second);
    second = pool.lend();
    EXPECT_EQ(pool.lent(), 1U);
    second.reset();
    second.reset();
    EXPECT_EQ(pool.lent(), 0U);
}

}  // namespace
}  // namespace tidemark::net
