#pragma once

#include <algorithm>
#include <chrono>
#include <utility>

namespace tidemark::job {

/// The pauses between two looks at something that is waited for: short ones at first, later one a second.
class GrowingPause {
public:
    static constexpr std::chrono::milliseconds kFirst{20};
    static constexpr std::chrono::milliseconds kLongest{1000};

    std::chrono::milliseconds next() { return std::exchange(next_, std::min(2 * next_, kLongest)); }
    void reset() { next_ = kFirst; }

private:
    std::chrono::milliseconds next_ = kFirst;
};

}  // namespace tidemark::job
