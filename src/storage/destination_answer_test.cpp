#include <gtest/gtest.h>

#include <chrono>
#include <latch>
#include <thread>

#include "base/error.h"
#include "storage/destination.h"
#include "storage/faulty_storage.h"
#include "storage/memory_storage.h"

namespace tidemark::storage {
namespace {

using std::chrono::steady_clock;

/// Answers no stat() before it is let go.
class HangingStorage : public MemoryStorage {
public:
    std::optional<ObjectInfo> stat(const Key& key) override {
        free.wait();
        return MemoryStorage::stat(key);
    }
    std::latch free{1};
};

ErrorCode failure(const std::shared_ptr<Storage>& storage, const std::stop_token& stop) {
    try {
        requireAnswer(storage, stop);
    } catch (const Error& error) {
        return error.code();
    }
    ADD_FAILURE() << "no Error was thrown";
    return ErrorCode::Internal;
}

TEST(DestinationAnswer, IsNotWaitedForAfterAStop) {
    const auto hanging = std::make_shared<HangingStorage>();
    std::stop_source stop;
    const auto begin = steady_clock::now();
    std::jthread later([&] { stop.request_stop(); });
    EXPECT_EQ(failure(hanging, stop.get_token()), ErrorCode::Cancelled);
    EXPECT_LT(steady_clock::now() - begin, std::chrono::seconds(10));
    hanging->free.count_down();
    // Whoever was left behind ends, and lets the destination go.
    const std::weak_ptr<Storage> left = hanging;
    const auto until = steady_clock::now() + std::chrono::seconds(30);
    while (left.use_count() > 1 && steady_clock::now() < until)
        std::this_thread::yield();
    EXPECT_EQ(left.use_count(), 1);
}

TEST(DestinationAnswer, IsPassedOn) {
    const auto storage = std::make_shared<MemoryStorage>();
    EXPECT_EQ(failure(storage, {}), ErrorCode::Unavailable);
    storage->put(kMarkerKey, viewOf("marker"));
    requireAnswer(storage, {});
    const auto refusing = std::make_shared<FaultyStorage>(
        *storage, std::vector<FaultRule>{{.on = FaultRule::Operation::Get, .error = ErrorCode::Denied}}, 1);
    EXPECT_EQ(failure(refusing, {}), ErrorCode::Denied);
}

}  // namespace
}  // namespace tidemark::storage
