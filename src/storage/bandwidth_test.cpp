#include "storage/bandwidth.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

#include "base/error.h"
#include "storage/memory_storage.h"
#include "storage/throttled_storage.h"
#include "testing/eventually.h"

namespace tidemark::storage {
namespace {

using namespace std::chrono_literals;

double secondsOf(const std::function<void()>& work) {
    const auto begin = std::chrono::steady_clock::now();
    work();
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

TEST(Bandwidth, LimitsAllWhoShareItTogether) {
    Bandwidth bandwidth;
    bandwidth.setLimit(20 << 20);
    const double seconds = secondsOf([&] {
        std::vector<std::jthread> users;
        for (int i = 0; i < 4; ++i) {
            users.emplace_back([&] {
                for (int piece = 0; piece < 5; ++piece)
                    bandwidth.take(1 << 20, {});
            });
        }
    });
    EXPECT_GT(seconds, 0.85) << "19 of 20 MiB: the last piece is owed";
    EXPECT_LT(seconds, 20);
}

TEST(Bandwidth, WithoutALimitNobodyWaits) {
    Bandwidth bandwidth;
    bandwidth.take(1ULL << 50, {});
}

TEST(Bandwidth, ServesInOrderOfArrival) {
    Bandwidth bandwidth;
    bandwidth.setLimit(1);
    bandwidth.take(100 << 10, {});  // so that nobody is served before all are there
    std::vector<int> served;
    std::mutex mutex;
    std::vector<std::jthread> users;
    for (int i = 0; i < 5; ++i) {
        users.emplace_back([&, i] {
            bandwidth.take(50 << 10, {});
            const std::lock_guard lock(mutex);
            served.push_back(i);
        });
        ASSERT_TRUE(testing::eventually([&] { return bandwidth.waiting() == static_cast<std::size_t>(i) + 1; }));
    }
    bandwidth.setLimit(1 << 20);
    users.clear();
    EXPECT_EQ(served, (std::vector<int>{0, 1, 2, 3, 4}));
}

constexpr int kHalfOfTheWait = 50;  // seconds

/// Somebody who waits for 100 seconds' worth of bytes.
class Waiting {
public:
    explicit Waiting(Bandwidth& bandwidth, std::function<bool()> hurried = {}) {
        bandwidth.setLimit(1 << 20);
        bandwidth.take(100 << 20, {});
        thread_ = std::jthread([this, &bandwidth, hurried] {
            try {
                bandwidth.take(1, {stop_.get_token(), hurried});
                result_ = 1;
            } catch (const Error& error) {
                result_ = error.code() == ErrorCode::Cancelled ? 2 : 3;
            }
        });
        EXPECT_TRUE(testing::eventually([&] { return bandwidth.waiting() > 0; }));
    }
    void stop() { stop_.request_stop(); }
    /// 1: it got its bytes, 2: it was cancelled.
    int result() {
        thread_.join();
        return result_;
    }

private:
    std::stop_source stop_;
    int result_ = 0;
    std::jthread thread_;
};

TEST(Bandwidth, EndsAWaitAtOnceThatIsCancelledHurriedOrFreed) {
    EXPECT_LT(secondsOf([&] {
                  Bandwidth bandwidth;
                  Waiting waiting(bandwidth);
                  waiting.stop();
                  EXPECT_EQ(waiting.result(), 2);
              }),
              kHalfOfTheWait);
    EXPECT_LT(secondsOf([&] {
                  Bandwidth bandwidth;
                  Waiting waiting(bandwidth);
                  bandwidth.setLimit(0);
                  EXPECT_EQ(waiting.result(), 1);
              }),
              kHalfOfTheWait);
    EXPECT_LT(secondsOf([&] {
                  Bandwidth bandwidth;
                  std::atomic<bool> hurried = false;
                  Waiting waiting(bandwidth, [&] { return hurried.load(); });
                  hurried = true;
                  EXPECT_EQ(waiting.result(), 1);
              }),
              kHalfOfTheWait);
}

TEST(ThrottledStorage, ReadsAndWritesAsFastAsItMay) {
    MemoryStorage inner;
    Bandwidth reading;
    Bandwidth writing;
    ThrottledStorage storage(inner, reading, writing, {});
    writing.setLimit(10 << 20);
    EXPECT_GT(secondsOf([&] {
                  const auto writer = storage.create("a");
                  for (int i = 0; i < 10; ++i)
                      writer->append(Bytes(1 << 20));
                  writer->finish();
              }),
              0.75);
    Bytes into(1 << 20);
    writing.setLimit(1);
    storage.read("a", 0, into);  // another bandwidth
    reading.setLimit(5 << 20);
    EXPECT_GT(secondsOf([&] {
                  for (int i = 0; i < 6; ++i)
                      storage.read("a", 0, into);
                  EXPECT_EQ(storage.get("a", 1, 10).size(), 10U);
              }),
              1.0);
}

}  // namespace
}  // namespace tidemark::storage
