#include "net/buffer_pool.h"

#include <sys/mman.h>

#include <cerrno>
#include <utility>

#include "base/error.h"

namespace tidemark::net {
namespace {

/// From the system and not from the heap, so that what is given back is gone from the process, whatever lies behind it.
std::uint8_t* mapLarge() {
    void* memory = mmap(nullptr, BufferPool::kLarge, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) throwErrno(errno, "getting memory for a connection");
    return static_cast<std::uint8_t*>(memory);
}

}  // namespace

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
        munmap(data, kLarge);
}

BufferLease BufferPool::lend() {
    const MutexLock lock(mutex_);
    if (large_lent_ == kMostLarge) {
        ++small_lent_;
        return {*this, new std::uint8_t[kSmall], kSmall};
    }
    std::uint8_t* data = nullptr;
    if (free_.empty()) {
        data = mapLarge();
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
        munmap(data, kLarge);
    }
}

std::size_t BufferPool::lent() const {
    const MutexLock lock(mutex_);
    return large_lent_ + small_lent_;
}

}  // namespace tidemark::net
