#include "net/buffer_pool.h"

#include <utility>

#include "base/pages.h"

namespace tidemark::net {

BufferLease::BufferLease(BufferLease&& other) noexcept
    : pool_(std::exchange(other.pool_, nullptr)),
      data_(std::exchange(other.data_, nullptr)),
      size_(std::exchange(other.size_, 0)) {}

BufferLease& BufferLease::operator=(BufferLease&& other) noexcept {
    if (this == &other) return *this;
    reset();
    pool_ = std::exchange(other.pool_, nullptr);
    data_ = std::exchange(other.data_, nullptr);
    size_ = std::exchange(other.size_, 0);
    return *this;
}

void BufferLease::reset() {
    if (data_ != nullptr) pool_->giveBack(data_, size_);
    pool_ = nullptr;
    data_ = nullptr;
    size_ = 0;
}

BufferPool::~BufferPool() {
    for (std::uint8_t* data : free_)
        unmapPages(data, kLarge);
}

BufferLease BufferPool::lend() {
    const MutexLock lock(mutex_);
    if (large_lent_ == kMostLarge) {
        ++small_lent_;
        return {*this, new std::uint8_t[kSmall], kSmall};
    }
    std::uint8_t* data = nullptr;
    if (free_.empty()) {
        data = mapPages(kLarge, "getting memory for a connection");
    } else {
        data = free_.back();
        free_.pop_back();
    }
    ++large_lent_;
    return {*this, data, kLarge};
}

void BufferPool::giveBack(std::uint8_t* data, std::size_t size) {
    const MutexLock lock(mutex_);
    if (size == kSmall) {
        --small_lent_;
        delete[] data;
        return;
    }
    --large_lent_;
    if (free_.size() < kMostFree) {
        free_.push_back(data);
    } else {
        unmapPages(data, kLarge);
    }
}

std::size_t BufferPool::lent() const {
    const MutexLock lock(mutex_);
    return large_lent_ + small_lent_;
}

}  // namespace tidemark::net
