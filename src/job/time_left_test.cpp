#include "job/time_left.h"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <random>
#include <vector>

namespace tidemark::job {
namespace {

/// What is said of a job whose work at second t is work(t), until it is all done.
struct Watched {
    double end = 0;  ///< when it was done, seconds
    std::vector<std::pair<double, double>> said;

    double at(double second) const {
        for (const auto& [when, left] : said) {
            if (when >= second) return left;
        }
        ADD_FAILURE() << "nothing was said at " << second;
        return 0;
    }
    /// How many times too long or too short, at worst, between two parts of the time that it took.
    double worst(double from, double to) const {
        double worst = 1;
        for (const auto& [when, left] : said) {
            if (when < from * end || when > to * end) continue;
            const double true_left = std::max(1.0, end - when);
            worst = std::max({worst, left / true_left, true_left / left});
        }
        return worst;
    }
    double largestRiseInASecond() const {
        double rise = 1;
        for (std::size_t i = 0; i < said.size(); ++i) {
            for (std::size_t k = i + 1; k < said.size() && (k == i + 1 || said[k].first - said[i].first <= 1); ++k)
                rise = std::max(rise, said[k].second / said[i].second);
        }
        return rise;
    }
};

using Curve = std::function<double(double)>;

Watched watch(const Curve& work, const Curve& total, double step = 0.2, double limit = 20'000) {
    Watched watched;
    TimeLeft time_left;
    const TimeLeft::Time begin{};
    for (double t = 0; t < limit; t += step) {
        const double all = total(t);
        const double done = std::min(work(t), all);
        watched.end = t;
        if (done >= all) break;
        const auto now = begin + std::chrono::duration_cast<TimeLeft::Time::duration>(TimeLeft::Seconds(t));
        if (const auto left = time_left.update(now, done, all)) watched.said.emplace_back(t, left->count());
    }
    return watched;
}

Curve is(double value) {
    return [value](double) { return value; };
}

/// 1 per second up to `change`, `rate` per second from then on.
Curve changing(double change, double rate) {
    return [=](double t) { return t < change ? t : change + (t - change) * rate; };
}

TEST(TimeLeft, SaysNothingAtFirstAndIsExactWhereTheRateIsConstant) {
    const Watched watched = watch([](double t) { return 3 * t; }, is(300));
    EXPECT_GE(watched.said.front().first, 1);
    EXPECT_LE(watched.said.front().first, 1.5);
    EXPECT_LT(watched.worst(0, 1), 1.05);
    EXPECT_LE(watched.largestRiseInASecond(), 1.0);
}

TEST(TimeLeft, NeverJumpsBackHoweverTheRateChanges) {
    const auto slow_start = [](double t) { return t < 20 ? t / 50 : 0.4 + (t - 20) * 5; };
    const auto stalls = [](double t) { return std::floor(t / 10) * 5 + std::min(5.0, std::fmod(t, 10)); };
    const auto steps = [](double t) { return 40 * std::floor(t / 8); };
    const std::vector<std::pair<const char*, Watched>> all{
        {"a tenth as fast from 30 on", watch(changing(30, 0.1), is(100))},
        {"ten times as fast from 30 on", watch(changing(30, 10), is(300))},
        {"stands for a minute", watch([](double t) { return t < 30 ? t : std::max(30.0, t - 60); }, is(100))},
        {"hardly begins", watch(slow_start, is(300))},
        {"stalls half of the time", watch(stalls, is(200))},
        {"moves each eight seconds", watch(steps, is(600))},
        {"there is more and more", watch([](double t) { return t; }, [](double t) { return 50 + t / 2; })},
        {"looked at each three seconds", watch(changing(30, 0.1), is(100), 3)},
        {"a second that is almost nothing", watch(changing(1, 0.01), is(10))},
    };
    for (const auto& [name, watched] : all) {
        EXPECT_LE(watched.largestRiseInASecond(), 1.1) << name;
        for (const auto& [when, left] : watched.said) {
            EXPECT_TRUE(std::isfinite(left) && left >= 1) << name << " at " << when;
        }
    }
}

TEST(TimeLeft, BelievesARateThatHasChangedForGood) {
    const Watched slower = watch(changing(30, 0.25), is(100));  // 310 s
    EXPECT_LT(slower.worst(0.3, 1), 2);
    EXPECT_LT(slower.worst(0.5, 1), 1.5);
    const Watched faster = watch(changing(100, 10), is(600));  // 150 s
    EXPECT_LT(faster.worst(0.8, 1), 2.5);
    EXPECT_LT(faster.worst(0.9, 1), 2);
}

TEST(TimeLeft, DoesNotBelieveARateOfAMoment) {
    const auto stalls = [](double t) { return std::floor(t / 10) * 5 + std::min(5.0, std::fmod(t, 10)); };
    EXPECT_LT(watch(stalls, is(200)).worst(0.2, 0.9), 1.5);
    // Five seconds of nothing in the midst of ten minutes.
    const Watched watched = watch([](double t) { return t < 300 ? t : std::max(300.0, t - 5); }, is(600));
    EXPECT_LT(watched.at(305) / watched.at(299), 1.1);
}

TEST(TimeLeft, GrowsGentlyWhileNothingMoves) {
    const Watched watched = watch(changing(30, 0), is(100), 0.2, 200);
    EXPECT_GT(watched.at(190), 2 * watched.at(60));
    EXPECT_LE(watched.largestRiseInASecond(), 1.1);
}

TEST(TimeLeft, HoldsForAnyCurve) {
    const auto seed = std::random_device()();
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937_64 random(seed);
    for (int round = 0; round < 300; ++round) {
        std::vector<double> done{0};
        double rate = 1;
        while (done.size() < 2000) {
            if (random() % 30 == 0) rate = static_cast<double>(random() % 1000) * (random() % 4 == 0 ? 0 : 1);
            done.push_back(done.back() + rate);
        }
        const double step = 0.05 + static_cast<double>(random() % 40) / 20;
        const auto work = [&](double t) {
            return done[std::min(done.size() - 1, static_cast<std::size_t>(t / step + 0.5))];
        };
        const double more = static_cast<double>(random() % 3) / 3;
        const Watched watched = watch(
            work, [&](double t) { return done.back() * 0.9 + work(t) * more * 0.1; }, step, step * 2000);
        ASSERT_LE(watched.largestRiseInASecond(), 1.1) << round;
    }
}

/// What comes after is not slower because this is.
TEST(TimeLeft, GoesFromPartToPartWithoutAJump) {
    TimeLeft time_left;
    const TimeLeft::Time begin{};
    const auto first = [&](int second) {
        return time_left.update(begin + std::chrono::seconds(second), second * 7, 700, TimeLeft::Seconds(30)).value();
    };
    time_left.update(begin, 0, 700, TimeLeft::Seconds(30));
    double last = 1e9;
    for (int second = 2; second <= 150; ++second) {
        // The second part takes 50 s, not 30.
        const double left =
            second <= 100 ? first(second).count()
                          : time_left.update(begin + std::chrono::seconds(second), second - 100, 50).value().count();
        EXPECT_LE(left, last * 1.1) << second;
        if (second == 50) {
            EXPECT_NEAR(left, 80, 1);
        }
        if (second == 101) {
            EXPECT_NEAR(left, 30, 2);
        }
        if (second == 125) {
            EXPECT_NEAR(left, 25, 3);
        }
        last = left;
    }
}

/// A copy after a failed one begins anew.
TEST(TimeLeft, BeginsAnewWhenTheWorkDoes) {
    TimeLeft time_left;
    const TimeLeft::Time begin{};
    std::optional<TimeLeft::Seconds> left;
    for (int second = 0; second < 50; ++second)
        left = time_left.update(begin + std::chrono::seconds(second), second, 100);
    EXPECT_NEAR(left->count(), 51, 1);
    double last = left->count();
    for (int second = 50; second < 100; ++second) {
        left = time_left.update(begin + std::chrono::seconds(second), second - 50, 100);
        EXPECT_LE(left->count(), last * 1.1) << second;
        last = left->count();
    }
    EXPECT_NEAR(last, 51, 5);
}

}  // namespace
}  // namespace tidemark::job
