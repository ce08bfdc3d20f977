#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/mutex.h"
#include "net/asio.h"

namespace tidemark::net {

class BufferPool;

/// Memory that a connection reads into, lent by a BufferPool until the lease ends. An empty one holds nothing.
class BufferLease {
public:
    BufferLease() = default;
    BufferLease(BufferLease&& other) noexcept;
    BufferLease& operator=(BufferLease&& other) noexcept;
    ~BufferLease() { reset(); }

    std::uint8_t* data() const { return data_; }
    std::size_t size() const { return size_; }
    explicit operator bool() const { return data_ != nullptr; }
    void reset();

private:
    friend class BufferPool;
    BufferLease(BufferPool& pool, std::uint8_t* data, std::size_t size) : pool_(&pool), data_(data), size_(size) {}

    BufferPool* pool_ = nullptr;
    std::uint8_t* data_ = nullptr;
    std::size_t size_ = 0;
};

/// The reading buffers of all connections of one network thread. A connection borrows one while bytes are in it, so
/// that an idle one costs none, whatever has passed through it; a few that are free are kept for the next.
///
/// Bounded: once kMostLarge are lent, to clients that do not take what they asked for, a lease is a small one. That is
/// slower, but nobody waits for a buffer. Thread-safe, because a connection may be destroyed by another thread.
class BufferPool : public asio::execution_context::service {
public:
    static constexpr std::size_t kLarge = 64UL * 1024;
    /// Room for what has to be looked at in one piece: a header and the beginning of a command.
    static constexpr std::size_t kSmall = 8UL * 1024;
    static constexpr std::size_t kMostLarge = 512;  ///< 32 MiB
    static constexpr std::size_t kMostFree = 16;    ///< 1 MiB

    static inline asio::execution_context::id id;
    explicit BufferPool(asio::execution_context& context) : asio::execution_context::service(context) {}
    ~BufferPool() override;
    /// The pool of the thread that an executor belongs to.
    static BufferPool& of(const Executor& executor) { return asio::use_service<BufferPool>(executor.context()); }

    BufferLease lend();
    std::size_t lent() const;

private:
    friend class BufferLease;
    void giveBack(std::uint8_t* data, std::size_t size);
    void shutdown() override {}

    mutable Mutex mutex_;
    std::vector<std::uint8_t*> free_ GUARDED_BY(mutex_);  // large ones
    std::size_t large_lent_ GUARDED_BY(mutex_) = 0;
    std::size_t small_lent_ GUARDED_BY(mutex_) = 0;
};

}  // namespace tidemark::net
