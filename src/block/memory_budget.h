#pragma once

#include <cstdint>
#include <deque>
#include <span>
#include <stop_token>
#include <utility>
#include <vector>

#include "base/mutex.h"
#include "block/page.h"

namespace tidemark::block {

class MemoryShare;

/// Memory for one macro block on its way: plain, stored, and the one turned into the other in place (codec.h). Belongs
/// to a share, which outlives it; goes back there when it is destroyed.
class Buffer {
public:
    /// By so much a block may be larger when it is stored; a multiple of what O_DIRECT asks for.
    static constexpr std::size_t kHeadroom = 16 << 10;
    static constexpr std::size_t kSize = kMacroBlockSize + kHeadroom;

    Buffer() = default;
    Buffer(Buffer&& other) noexcept
        : share_(std::exchange(other.share_, nullptr)), bytes_(std::exchange(other.bytes_, nullptr)) {}
    Buffer& operator=(Buffer&& other) noexcept {
        std::swap(share_, other.share_);
        std::swap(bytes_, other.bytes_);
        return *this;
    }
    ~Buffer();

    bool empty() const { return bytes_ == nullptr; }
    /// kSize bytes from the beginning of a page of memory on, with whatever was there before.
    std::span<std::uint8_t> all() const { return {bytes_, kSize}; }

private:
    friend class MemoryShare;
    Buffer(MemoryShare& share, std::uint8_t* bytes) : share_(&share), bytes_(bytes) {}

    MemoryShare* share_ = nullptr;
    std::uint8_t* bytes_ = nullptr;
};

struct MemoryLimits {
    std::size_t guaranteed = 126;  ///< buffers that shares may be promised
    std::size_t extra = 24;        ///< buffers for whoever can use more than he was promised
};

/// The buffers of all jobs of a daemon. However many jobs there are, they never hold more than limits.guaranteed +
/// limits.extra of them: 150, which are 317 MB.
///
/// A job opens one share and is promised a minimum. As long as it holds less than that, it gets a buffer at once,
/// whatever others do. Beyond, it gets one of the extra buffers if one is free and it holds no more than its part of
/// them, which is the same for all jobs. So:
/// - Nobody waits for another job's buffers except for opening a share, in order of arrival, while the minima of
///   others leave no room; and whoever waits for that holds nothing.
/// - Somebody who holds his minimum or more, and waits for one more, gets it at the latest when one of his own comes
///   back. He has to see to it that one does: of the minimum, at least one buffer is always on its way to its end
///   without needing another. (A writer of blocks fills at most kMostOpenBlocks at once, and is promised four more: it
///   packs pages in two.)
/// - A job whose storage hangs keeps what it has, and takes nothing from the minima of others.
///
/// Memory that is given back is used again, the last first; when the last share ends, the system gets it back.
/// Thread-safe.
class MemoryBudget {
public:
    explicit MemoryBudget(MemoryLimits limits = {}) : limits_(limits) {}
    MemoryBudget(const MemoryBudget&) = delete;
    MemoryBudget& operator=(const MemoryBudget&) = delete;

    /// Buffers that jobs hold at this moment.
    std::size_t held() const;
    /// Shares that wait for their minimum.
    std::size_t waiting() const;

private:
    friend class Buffer;
    friend class MemoryShare;

    bool canOpen(const MemoryShare& share) const REQUIRES(mutex_);
    bool canTake(const MemoryShare& share) const REQUIRES(mutex_);
    std::uint8_t* give(MemoryShare& share) REQUIRES(mutex_);
    void takeBack(MemoryShare& share, std::uint8_t* bytes);
    /// Wakes those who may take what `share` has given back, or what its end has freed.
    void tell(MemoryShare& share, bool extra) REQUIRES(mutex_);
    void close(MemoryShare& share);

    const MemoryLimits limits_;
    mutable Mutex mutex_;
    ConditionVariable opened_or_closed_;
    std::deque<const MemoryShare*> arriving_ GUARDED_BY(mutex_);
    std::vector<MemoryShare*> shares_ GUARDED_BY(mutex_);  ///< the open ones
    std::size_t promised_ GUARDED_BY(mutex_) = 0;
    std::size_t extra_held_ GUARDED_BY(mutex_) = 0;
    std::size_t held_ GUARDED_BY(mutex_) = 0;
    std::vector<std::uint8_t*> free_ GUARDED_BY(mutex_);
};

struct ShareOptions {
    std::size_t minimum = 1;  ///< buffers that it can always have
    std::size_t most = 1;     ///< and those that it can make use of
};

/// One job's part of the budget. Thread-safe; its buffers have to be back when it is destroyed.
class MemoryShare {
public:
    /// Waits until its minimum can be promised. Throws Cancelled if `stop` is requested, InvalidRequest for a minimum
    /// that never can be.
    MemoryShare(MemoryBudget& budget, ShareOptions options, const std::stop_token& stop = {});
    ~MemoryShare();
    MemoryShare(const MemoryShare&) = delete;
    MemoryShare& operator=(const MemoryShare&) = delete;

    /// Waits for a buffer. Throws Cancelled if `stop` is requested.
    Buffer take(const std::stop_token& stop = {});

private:
    friend class MemoryBudget;
    friend class Buffer;

    MemoryBudget& budget_;
    const ShareOptions options_;
    // Guarded by budget_.mutex_. Clang would not know it again as the mutex_ of the budget that looks at it.
    std::size_t held_ = 0;
    // Of its own, so that a buffer that comes back does not wake the threads of all other jobs.
    ConditionVariable returned_;
};

}  // namespace tidemark::block
