#include "job/time_left.h"

#include <algorithm>
#include <cmath>

namespace tidemark::job {
namespace {

using Seconds = TimeLeft::Seconds;

/// Before that, the rate is that of a start.
constexpr Seconds kFirst{1.0};
/// "Of late" is a fifth of the time so far, and no less than this.
constexpr Seconds kRecent{5.0};
constexpr int kPoints = 50;  ///< of late
/// In a second, or from one word to the next if these are farther apart. Two words of a second make a tenth.
constexpr double kRise = 1.048;
constexpr double kFall = 0.75;  ///< in a second, beside the second that has passed

}  // namespace

std::optional<Seconds> TimeLeft::update(Time now, double done, double total, Seconds then) {
    if (points_.empty() || done < points_.back().done) points_ = {{now, done}};
    const Seconds recent = std::max<Seconds>(kRecent, (now - points_.front().at) / 5);
    // No more points than tell it, however often this is called.
    const bool close = points_.size() > 2 && points_.back().at - points_[points_.size() - 2].at < recent / kPoints;
    if (close) points_.pop_back();
    if (points_.back().at < now) points_.push_back({now, done});
    // Of those after the first, the newest one that is old enough stays: "of late" begins there.
    while (points_.size() > 2 && now - points_[2].at >= recent)
        points_.erase(points_.begin() + 1);
    const bool known = now - points_.front().at >= kFirst && done > points_.front().done;
    if (!known && !said_) return std::nullopt;
    const Seconds left = known ? measured(std::max(0.0, total - done)) + then : *said_;
    said_ = said_ ? limited(left, now - said_at_) : left;
    said_at_ = now;
    said_ = std::clamp<Seconds>(*said_, kShortest, kLongest);
    return said_;
}

/// Half by the rate of the whole, half by that of late: rates are what is averaged, so that a standstill doubles the
/// time and does not make it endless at once.
Seconds TimeLeft::measured(double rest) const {
    const auto rate = [&](const Point& since) {
        return (points_.back().done - since.done) / Seconds(points_.back().at - since.at).count();
    };
    const double whole = rate(points_.front());
    const double late = points_.size() > 2 ? rate(points_[1]) : whole;
    return Seconds(std::min(kLongest.count(), rest / ((whole + late) / 2)));
}

Seconds TimeLeft::limited(Seconds left, Seconds since) const {
    const double seconds = std::min(1.0, since.count());
    const Seconds most = *said_ * std::pow(kRise, seconds);
    const Seconds least = (*said_ - since) * std::pow(kFall, since.count());
    return std::clamp(left, std::min(least, most), most);
}

}  // namespace tidemark::job
