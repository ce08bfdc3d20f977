#include "block/memory_budget.h"

#include <algorithm>

#include "base/error.h"
#include "base/pages.h"

namespace tidemark::block {

Buffer::~Buffer() {
    if (bytes_ != nullptr) share_->budget_.takeBack(*share_, bytes_);
}

std::size_t MemoryBudget::held() const {
    const MutexLock lock(mutex_);
    return held_;
}

std::size_t MemoryBudget::waiting() const {
    const MutexLock lock(mutex_);
    return arriving_.size();
}

bool MemoryBudget::canOpen(const MemoryShare& share) const {
    return arriving_.front() == &share && promised_ + share.options_.minimum <= limits_.guaranteed;
}

bool MemoryBudget::canTake(const MemoryShare& share) const {
    if (share.held_ < share.options_.minimum) return true;
    if (share.held_ >= share.options_.most || extra_held_ >= limits_.extra) return false;
    return share.held_ - share.options_.minimum < limits_.extra / shares_.size();
}

std::uint8_t* MemoryBudget::give(MemoryShare& share) {
    if (free_.empty()) free_.push_back(mapPages(Buffer::kSize, "taking memory for a macro block"));
    std::uint8_t* bytes = free_.back();
    free_.pop_back();
    if (share.held_ >= share.options_.minimum) ++extra_held_;
    ++share.held_;
    ++held_;
    return bytes;
}

void MemoryBudget::takeBack(MemoryShare& share, std::uint8_t* bytes) {
    const MutexLock lock(mutex_);
    free_.push_back(bytes);
    --held_;
    --share.held_;
    const bool extra = share.held_ >= share.options_.minimum;
    if (extra) --extra_held_;
    tell(share, extra);
}

void MemoryBudget::tell(MemoryShare& share, bool extra) {
    share.returned_.notifyOne();
    if (!extra) return;
    for (MemoryShare* other : shares_) {
        if (other != &share) other->returned_.notifyOne();
    }
}

void MemoryBudget::close(MemoryShare& share) {
    std::vector<std::uint8_t*> unused;
    {
        const MutexLock lock(mutex_);
        promised_ -= share.options_.minimum;
        std::erase(shares_, &share);
        if (shares_.empty()) unused.swap(free_);
        opened_or_closed_.notifyAll();
        // Each has a larger part of what is extra now.
        for (MemoryShare* other : shares_)
            other->returned_.notifyAll();
    }
    for (std::uint8_t* bytes : unused)
        unmapPages(bytes, Buffer::kSize);
}

MemoryShare::MemoryShare(MemoryBudget& budget, ShareOptions options, const std::stop_token& stop)
    : budget_(budget), options_(options) {
    if (options.minimum > budget.limits_.guaranteed) {
        throw Error(ErrorCode::InvalidRequest, "a share of more buffers than there are");
    }
    MutexLock lock(budget_.mutex_);
    budget_.arriving_.push_back(this);
    const bool opened =
        budget_.opened_or_closed_.wait(lock, stop, [&]() REQUIRES(budget_.mutex_) { return budget_.canOpen(*this); });
    std::erase(budget_.arriving_, this);
    // Behind it others may wait who can open theirs as well.
    budget_.opened_or_closed_.notifyAll();
    if (!opened) throw Error(ErrorCode::Cancelled, "cancelled while waiting for memory");
    budget_.promised_ += options_.minimum;
    budget_.shares_.push_back(this);
}

MemoryShare::~MemoryShare() {
    budget_.close(*this);
}

Buffer MemoryShare::take(const std::stop_token& stop) {
    MutexLock lock(budget_.mutex_);
    if (!returned_.wait(lock, stop, [&]() REQUIRES(budget_.mutex_) { return budget_.canTake(*this); })) {
        throw Error(ErrorCode::Cancelled, "cancelled while waiting for memory");
    }
    return {*this, budget_.give(*this)};
}

}  // namespace tidemark::block
