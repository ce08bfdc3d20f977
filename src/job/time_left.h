#pragma once

#include <chrono>
#include <deque>
#include <optional>

namespace tidemark::job {

/// How long a piece of work still takes, by how fast it has gone: as a whole and of late, for a rate that changes for
/// good must be believed, and one that changes for a moment must not.
///
/// What it says never jumps back: from one call to the next, and within any second, it rises by a tenth at most, so
/// that a slower rate shows as an estimate that stands or grows gently. It falls freely enough to be true at the end.
/// While nothing moves it grows in the same way, up to kLongest. Not thread-safe.
class TimeLeft {
public:
    using Seconds = std::chrono::duration<double>;
    using Time = std::chrono::steady_clock::time_point;

    static constexpr Seconds kLongest{100.0 * 24 * 3600};
    /// Never said to be less: the end of a job is not the end of what is measured.
    static constexpr Seconds kShortest{1.0};

    /// `done` of `total` at this moment, in any unit that takes about the same time each; `total` may be found to be
    /// more. Where `done` goes back, another part of the work has begun, or the same one anew. `then`: what is expected
    /// to take time after this part, however fast that is. nullopt: nothing can be said yet.
    std::optional<Seconds> update(Time now, double done, double total, Seconds then = Seconds(0));

private:
    struct Point {
        Time at;
        double done = 0;
    };

    Seconds measured(double rest) const;
    Seconds limited(Seconds left, Seconds since) const;

    std::deque<Point> points_;  ///< the first one, and those of late
    std::optional<Seconds> said_;
    Time said_at_;
};

}  // namespace tidemark::job
