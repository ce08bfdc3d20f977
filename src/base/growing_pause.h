#pragma once

#include <algorithm>
#include <chrono>
#include <utility>

namespace tidemark {

/// The pauses between two tries, or two looks at something that is waited for: short ones at first, each twice the one
/// before, up to the longest.
class GrowingPause {
public:
    using Time = std::chrono::milliseconds;

    constexpr GrowingPause(Time first, Time longest) : first_(first), longest_(longest), next_(first) {}

    Time next() { return std::exchange(next_, std::min(2 * next_, longest_)); }
    void reset() { next_ = first_; }
    Time longest() const { return longest_; }

private:
    Time first_;
    Time longest_;
    Time next_;
};

}  // namespace tidemark
